//! The rows of price lists.

use super::code::{Barcode, ShopCode};
use super::name::Name;
use super::price::Price;
use super::product::Unit;
use super::quantity::Quantity;
use super::terms::{Category, Terms};

/// A row of a price list: a product to create, or new terms for one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDraft {
    /// The name, by whose key an existing product is found.
    pub name: Name,
    /// The price of one unit.
    pub price: Price,
    /// The unit; if `None`, an existing product keeps its unit and a new one gets `un`.
    pub unit: Option<Unit>,
    /// The stock that a new product opens with; an existing product keeps its own.
    pub opening_stock: Quantity,
    /// The other terms, as far as the row has them.
    pub terms: TermsDraft,
}

/// The terms of a row of a price list. A product keeps what the row does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermsDraft {
    /// The product's number on the shop's scales.
    pub code: Option<ShopCode>,
    /// The barcodes, which replace the present ones; if empty, those stay.
    pub barcodes: Vec<Barcode>,
    /// The category.
    pub category: Option<Category>,
    /// The stock below which the product is low.
    pub minimum: Option<Quantity>,
    /// The stock that a purchase should reach.
    pub target: Option<Quantity>,
    /// Days for which a purchase keeps.
    pub shelf_life_days: Option<u32>,
}

impl TermsDraft {
    /// A product's terms after the row. Terms that the row does not have stay.
    pub(super) fn applied(&self, mut terms: Terms) -> Terms {
        let Self { code, barcodes, category, minimum, target, shelf_life_days } = self;
        terms.code = code.or(terms.code);
        if !barcodes.is_empty() {
            terms.barcodes.clone_from(barcodes);
        }
        terms.category = category.clone().or(terms.category);
        terms.minimum = minimum.unwrap_or(terms.minimum);
        terms.target = target.unwrap_or(terms.target);
        terms.shelf_life_days = shelf_life_days.unwrap_or(terms.shelf_life_days);
        terms
    }
}
