//! Products in the exact contract.

use super::encode::{write_number, write_optional, write_part, write_text};
use super::v1;
use crate::catalog::{Name, Price, Product, Quantity, StockCost, Unit};
use crate::operation::ProductReply;
use crate::wire::NotAReply;

/// The message of a product.
pub fn product_message(product: &ProductReply) -> v1::Product {
    v1::Product {
        name: product.name.as_str().to_owned(),
        price_centavos: product.price.centavos(),
        stock_thousandths: product.stock.thousandths(),
        unit: product.unit.as_ref().map_or(String::new(), |unit| unit.as_str().to_owned()),
        stock_cost_centavos: product.stock_cost.and_then(StockCost::centavos),
    }
}

/// The field of the products in both contracts' lists.
pub(super) const PRODUCTS_FIELD: u32 = 1;

/// Writes a product as a list's message holds it.
pub type WriteProduct = fn(&Product, &mut Vec<u8>);

/// Writes a product as `ListProductsResponse` holds it.
pub fn write_product(product: &Product, out: &mut Vec<u8>) {
    write_part(PRODUCTS_FIELD, out, |out| write_whole(product, out));
}

/// Writes a `GetProductResponse`.
pub fn write_found(product: &Product, out: &mut Vec<u8>) {
    const PRODUCT: u32 = 1;
    write_part(PRODUCT, out, |out| write_whole(product, out));
}

/// Writes the end of a `ListProductsResponse`, behind its products.
pub fn write_list_end(next_page_token: Option<String>, out: &mut Vec<u8>) {
    const NEXT_PAGE_TOKEN: u32 = 2;
    if let Some(token) = next_page_token {
        write_text(NEXT_PAGE_TOKEN, &token, out);
    }
}

/// Writes a `Product` as it is now.
fn write_whole(product: &Product, out: &mut Vec<u8>) {
    write_terms(product, product.price, product.stock, out);
    write_optional(12, product.stock_cost.centavos(), out);
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
    Ok(ProductReply {
        name: Name::parse(&message.name).map_err(|_| NotAReply)?,
        price: Price::from_centavos(message.price_centavos).map_err(|_| NotAReply)?,
        stock: Quantity::from_thousandths(message.stock_thousandths).map_err(|_| NotAReply)?,
        unit: Some(Unit::parse(&message.unit).map_err(|_| NotAReply)?),
        stock_cost: match message.stock_cost_centavos {
            None => None,
            Some(centavos) => Some(StockCost::from_centavos(centavos).ok_or(NotAReply)?),
        },
    })
}
