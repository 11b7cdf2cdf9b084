//! The rows of price lists.

use super::code::{Barcode, CodeValue, ShopCode};
use super::name::Name;
use super::price::Price;
use super::product::Unit;
use super::product_change::TermsField;
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
    pub fn applied(&self, mut terms: Terms) -> Terms {
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

    /// Whether the row has the field.
    pub fn has(&self, field: TermsField) -> bool {
        match field {
            TermsField::Name | TermsField::Price | TermsField::Unit | TermsField::Discontinued => false,
            TermsField::Code => self.code.is_some(),
            TermsField::Barcodes => !self.barcodes.is_empty(),
            TermsField::Category => self.category.is_some(),
            TermsField::Minimum => self.minimum.is_some(),
            TermsField::Target => self.target.is_some(),
            TermsField::ShelfLife => self.shelf_life_days.is_some(),
        }
    }

    /// The codes that the row gives its product, each with the value by which it is found: no two products
    /// have codes of one value.
    pub fn codes(&self) -> impl Iterator<Item = (String, u64)> {
        let code = self.code.iter().map(|code| (code.to_string(), CodeValue::from(*code).0));
        let barcodes = self.barcodes.iter();
        code.chain(barcodes.map(|barcode| (barcode.to_string(), CodeValue::from(*barcode).0)))
    }
}
