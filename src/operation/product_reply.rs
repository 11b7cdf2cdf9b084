//! A product in a reply, and the product line.

use std::fmt;
use std::sync::Arc;

use crate::catalog::{Name, Price, Product, ProductView, Quantity, StockCost, Terms, Unit};

/// A product as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductReply {
    /// The name.
    pub name: Name,
    /// The price of one unit.
    pub price: Price,
    /// The stock.
    pub stock: Quantity,
    /// The unit. `None` if the reply came as a product line, which has none.
    pub unit: Option<Unit>,
    /// The cost of the stock. `None` in the reply to a change, and if the reply came as a product line.
    pub stock_cost: Option<StockCost>,
    /// The other terms, if the product has some and the reply says them.
    pub terms: Option<Arc<Terms>>,
    /// Whether the product is known to be no longer sold.
    pub is_discontinued: bool,
}

impl ProductReply {
    /// The product after a change, without the cost of its stock, which is not known then.
    pub fn changed(product: &Product) -> Self {
        Self { stock_cost: None, ..Self::from(product) }
    }

    /// The product as a list shows it, with all its terms.
    pub fn of(view: ProductView<'_>) -> Self {
        let terms = Some(view.terms).filter(|terms| **terms != *Terms::NONE);
        Self { terms: terms.map(|terms| Arc::new(terms.clone())), ..Self::from(view.product) }
    }
}

impl From<&Product> for ProductReply {
    fn from(product: &Product) -> Self {
        Self {
            name: product.name.clone(),
            price: product.price,
            stock: product.stock,
            unit: Some(product.unit.clone()),
            stock_cost: Some(product.stock_cost),
            terms: None,
            is_discontinued: product.flags.is_discontinued(),
        }
    }
}

impl fmt::Display for ProductReply {
    /// The product line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_product_line(f, &self.name, self.price, self.stock)
    }
}

/// Writes the original's line for a product: `Maca: R$3.0, Estoque: 20`.
///
/// # Errors
/// If `out` fails.
pub fn write_product_line(
    out: &mut impl fmt::Write,
    name: &Name,
    price: Price,
    stock: Quantity,
) -> fmt::Result {
    out.write_str(name.as_str())?;
    out.write_str(": R$")?;
    price.write(out)?;
    out.write_str(", Estoque: ")?;
    stock.write(out)
}
