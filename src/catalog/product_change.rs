//! Past changes of the terms of products: the field, the values before and after, the time and the author.

use std::time::SystemTime;

use super::author::Author;
use super::code::{Barcode, ShopCode};
use super::product::{Product, ProductId};
use super::terms::{Category, Terms};

/// One change of one field of a product's terms. The values have the form of the field in `inventory.proto`:
/// whole centavos, thousandths or days, `true` or `false`, or barcodes separated by commas; empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChange {
    /// The place among all changes of terms: 1, 2, 3, … without gaps.
    pub number: i64,
    /// The product.
    pub product: ProductId,
    /// The field.
    pub field: TermsField,
    /// The value before.
    pub old: String,
    /// The value after.
    pub new: String,
    /// When the change was accepted; in whole microseconds.
    pub recorded_at: SystemTime,
    /// The name of the token that asked for the change.
    pub author: Option<Author>,
}

/// A field of a product's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TermsField {
    Name,
    Price,
    Unit,
    Code,
    Barcodes,
    Category,
    Minimum,
    Target,
    ShelfLife,
    Discontinued,
}

impl TermsField {
    /// All fields, in the order of `inventory.proto`.
    pub const ALL: [TermsField; 10] = [
        TermsField::Name,
        TermsField::Price,
        TermsField::Unit,
        TermsField::Code,
        TermsField::Barcodes,
        TermsField::Category,
        TermsField::Minimum,
        TermsField::Target,
        TermsField::ShelfLife,
        TermsField::Discontinued,
    ];

    /// The field's name in `inventory.proto` and in the database.
    pub fn name(self) -> &'static str {
        match self {
            TermsField::Name => "name",
            TermsField::Price => "price_centavos",
            TermsField::Unit => "unit",
            TermsField::Code => "code",
            TermsField::Barcodes => "barcodes",
            TermsField::Category => "category",
            TermsField::Minimum => "minimum_thousandths",
            TermsField::Target => "target_thousandths",
            TermsField::ShelfLife => "shelf_life_days",
            TermsField::Discontinued => "discontinued",
        }
    }

    /// The field with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field's value, as a [`ProductChange`] has it.
    pub fn value(self, product: &Product, terms: &Terms) -> String {
        match self {
            TermsField::Name => product.name.to_string(),
            TermsField::Price => product.price.centavos().to_string(),
            TermsField::Unit => product.unit.to_string(),
            TermsField::Code => terms.code.map_or(String::new(), |code| ShopCode::to_string(&code)),
            TermsField::Barcodes => {
                terms.barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(",")
            }
            TermsField::Category => terms.category.as_ref().map_or(String::new(), Category::to_string),
            TermsField::Minimum => terms.minimum.thousandths().to_string(),
            TermsField::Target => terms.target.thousandths().to_string(),
            TermsField::ShelfLife => terms.shelf_life_days.to_string(),
            TermsField::Discontinued => product.flags.is_discontinued().to_string(),
        }
    }
}

/// The fields in which a product and its terms differ before and after a change, with both values.
pub(super) fn differences(
    (before, terms_before): (&Product, &Terms),
    (after, terms_after): (&Product, &Terms),
) -> impl Iterator<Item = (TermsField, String, String)> {
    let differs = move |field: TermsField| match field {
        TermsField::Name => before.name != after.name,
        TermsField::Price => before.price != after.price,
        TermsField::Unit => before.unit != after.unit,
        TermsField::Code => terms_before.code != terms_after.code,
        TermsField::Barcodes => terms_before.barcodes != terms_after.barcodes,
        TermsField::Category => terms_before.category != terms_after.category,
        TermsField::Minimum => terms_before.minimum != terms_after.minimum,
        TermsField::Target => terms_before.target != terms_after.target,
        TermsField::ShelfLife => terms_before.shelf_life_days != terms_after.shelf_life_days,
        TermsField::Discontinued => before.flags.is_discontinued() != after.flags.is_discontinued(),
    };
    let values =
        move |field: TermsField| (field, field.value(before, terms_before), field.value(after, terms_after));
    TermsField::ALL.into_iter().filter(move |field| differs(*field)).map(values)
}
