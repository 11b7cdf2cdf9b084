//! Products in the exact contract.

use std::sync::Arc;

use super::encode::{write_number, write_optional, write_part, write_text};
use super::v1;
use crate::catalog::{
    Barcode, Category, Name, Price, Product, ProductView, Quantity, ShopCode, StockCost, Terms, Unit,
};
use crate::operation::ProductReply;
use crate::wire::NotAReply;

/// The message of a product.
pub fn product_message(product: &ProductReply) -> v1::Product {
    let terms = product.terms.as_deref().unwrap_or(Terms::NONE);
    v1::Product {
        name: product.name.as_str().to_owned(),
        price_centavos: product.price.centavos(),
        stock_thousandths: product.stock.thousandths(),
        unit: product.unit.as_ref().map_or(String::new(), |unit| unit.as_str().to_owned()),
        code: terms.code.map_or(0, code_number),
        barcodes: terms.barcodes.iter().map(Barcode::to_string).collect(),
        category: terms.category.as_ref().map_or(String::new(), Category::to_string),
        minimum_thousandths: terms.minimum.thousandths(),
        target_thousandths: terms.target.thousandths(),
        shelf_life_days: days_number(terms.shelf_life_days),
        discontinued: product.is_discontinued,
        stock_cost_centavos: product.stock_cost.and_then(StockCost::centavos),
    }
}

/// The field of the products in both contracts' lists.
pub(super) const PRODUCTS_FIELD: u32 = 1;

/// Writes a product as a list's message holds it.
pub type WriteProduct = fn(ProductView<'_>, &mut Vec<u8>);

/// Writes a product as `ListProductsResponse` holds it.
pub fn write_product(product: ProductView<'_>, out: &mut Vec<u8>) {
    write_part(PRODUCTS_FIELD, out, |out| write_view(product, out));
}

/// Writes a `GetProductResponse`.
pub fn write_found(product: ProductView<'_>, out: &mut Vec<u8>) {
    const PRODUCT: u32 = 1;
    write_part(PRODUCT, out, |out| write_view(product, out));
}

/// Writes the end of a `ListProductsResponse`, behind its products.
pub fn write_list_end(next_page_token: Option<String>, out: &mut Vec<u8>) {
    const NEXT_PAGE_TOKEN: u32 = 2;
    if let Some(token) = next_page_token {
        write_text(NEXT_PAGE_TOKEN, &token, out);
    }
}

/// Writes a `Product` as it is now.
fn write_view(product: ProductView<'_>, out: &mut Vec<u8>) {
    write_terms(&product, product.price, product.stock, out);
    // Most products have no more.
    if *product.terms != *Terms::NONE {
        let Terms { code, barcodes, category, minimum, target, shelf_life_days } = product.terms;
        write_number(5, code.map_or(0, code_number).into(), out);
        barcodes.iter().for_each(|barcode| write_text(6, &barcode.to_string(), out));
        if let Some(category) = category {
            write_text(7, category.as_str(), out);
        }
        write_number(8, minimum.thousandths(), out);
        write_number(9, target.thousandths(), out);
        write_number(10, days_number(*shelf_life_days).into(), out);
    }
    write_number(11, product.flags.is_discontinued().into(), out);
    write_optional(12, product.stock_cost.centavos(), out);
}

/// The number of a code, which has six digits at most.
pub(super) fn code_number(code: ShopCode) -> i32 {
    i32::try_from(code.number()).unwrap_or(i32::MAX)
}

/// Days of a shelf life, which are some thousands at most.
pub(super) fn days_number(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// Writes a `Product` as a change left it, with this price and stock. What the stock cost then is not known.
pub(super) fn write_terms(product: &Product, price: Price, stock: Quantity, out: &mut Vec<u8>) {
    write_text(1, product.name.as_str(), out);
    write_number(2, price.centavos(), out);
    write_number(3, stock.thousandths(), out);
    write_text(4, product.unit.as_str(), out);
}

/// Reads a product that the server sent.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn product_reply(message: Option<v1::Product>) -> Result<ProductReply, NotAReply> {
    let message = message.ok_or(NotAReply)?;
    let terms = terms(&message).ok_or(NotAReply)?;
    Ok(ProductReply {
        name: Name::parse(&message.name).map_err(|_| NotAReply)?,
        price: Price::from_centavos(message.price_centavos).map_err(|_| NotAReply)?,
        stock: Quantity::from_thousandths(message.stock_thousandths).map_err(|_| NotAReply)?,
        unit: Some(Unit::from_label(&message.unit).map_err(|_| NotAReply)?),
        stock_cost: match message.stock_cost_centavos {
            None => None,
            Some(centavos) => Some(StockCost::from_centavos(centavos).ok_or(NotAReply)?),
        },
        is_discontinued: message.discontinued,
        terms: Some(terms).filter(|terms| *terms != *Terms::NONE).map(Arc::new),
    })
}

fn terms(message: &v1::Product) -> Option<Terms> {
    let code = match message.code {
        0 => None,
        code => Some(ShopCode::from_number(code.into()).ok()?),
    };
    let category = match message.category.as_str() {
        "" => None,
        category => Some(Category::parse(category).ok()?),
    };
    Some(Terms {
        code,
        barcodes: message.barcodes.iter().map(|it| Barcode::parse(it).ok()).collect::<Option<_>>()?,
        category,
        minimum: Quantity::from_thousandths(message.minimum_thousandths).ok()?,
        target: Quantity::from_thousandths(message.target_thousandths).ok()?,
        shelf_life_days: u32::try_from(message.shelf_life_days).ok()?,
    })
}
