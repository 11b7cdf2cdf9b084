//! A product with all its terms.

use std::ops::Deref;

use super::product::Product;
use super::terms::Terms;

/// A product with its terms, as the catalog shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductView<'c> {
    /// The product.
    pub product: &'c Product,
    /// The terms beyond name, unit and price.
    pub terms: &'c Terms,
}

impl ProductView<'_> {
    /// Whether the stock is below the product's minimum.
    pub fn is_low(&self) -> bool {
        self.product.stock < self.terms.minimum
    }
}

impl Deref for ProductView<'_> {
    type Target = Product;

    fn deref(&self) -> &Product {
        self.product
    }
}
