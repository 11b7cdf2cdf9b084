//! A product in a reply, and the product line.

use std::fmt;

use crate::catalog::{Name, Price, Product, Quantity, StockCost, Unit};

/// A product as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductReply {
    /// The product's name.
    pub name: Name,
    /// The price of one unit.
    pub price: Price,
    /// The quantity in stock.
    pub stock: Quantity,
    /// The unit of the quantity. `None` if the reply came as a product line, which has no unit.
    pub unit: Option<Unit>,
    /// The cost of the stock. `None` in the reply to a change, and if the reply came as a product line.
    pub stock_cost: Option<StockCost>,
}

impl ProductReply {
    /// The product after a change, without the cost of its stock, which is not known then.
    pub fn changed(product: &Product) -> Self {
        Self { stock_cost: None, ..Self::from(product) }
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
