//! Past changes of the terms of products: the field, the values before and after, the time and the author.

use std::time::SystemTime;

use super::author::Author;
use super::code::{Barcode, ShopCode};
use super::counted::counted;
use super::price::Price;
use super::product::{Product, ProductId};
use super::quantity::Quantity;
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

    /// The fields of [`Terms`].
    pub const OTHER: [TermsField; 6] = [
        TermsField::Code,
        TermsField::Barcodes,
        TermsField::Category,
        TermsField::Minimum,
        TermsField::Target,
        TermsField::ShelfLife,
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
            TermsField::Discontinued => product.flags.is_discontinued().to_string(),
            other => other.other_value(terms),
        }
    }

    /// The value of a field of [`Self::OTHER`], as a [`ProductChange`] has it.
    fn other_value(self, terms: &Terms) -> String {
        match self {
            TermsField::Name | TermsField::Price | TermsField::Unit | TermsField::Discontinued => {
                String::new()
            }
            TermsField::Code => terms.code.map_or(String::new(), |code| ShopCode::to_string(&code)),
            TermsField::Barcodes => {
                terms.barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(",")
            }
            TermsField::Category => terms.category.as_ref().map_or(String::new(), Category::to_string),
            TermsField::Minimum => terms.minimum.thousandths().to_string(),
            TermsField::Target => terms.target.thousandths().to_string(),
            TermsField::ShelfLife => terms.shelf_life_days.to_string(),
        }
    }

    /// The fields of [`Self::OTHER`] in which terms differ before and after a change, with both values.
    pub fn differences(before: &Terms, after: &Terms) -> Vec<(Self, String, String)> {
        if before == after {
            return Vec::new();
        }
        let values = |field: Self| (field, field.other_value(before), field.other_value(after));
        Self::OTHER.into_iter().map(values).filter(|(_, old, new)| old != new).collect()
    }

    /// The word for a field that people read.
    pub fn word(self) -> &'static str {
        match self {
            TermsField::Name => "nome",
            TermsField::Price => "preço",
            TermsField::Unit => "unidade",
            TermsField::Code => "código",
            TermsField::Barcodes => "códigos de barras",
            TermsField::Category => "categoria",
            TermsField::Minimum => "mínimo",
            TermsField::Target => "alvo",
            TermsField::ShelfLife => "validade",
            TermsField::Discontinued => "à venda",
        }
    }

    /// A value of the field, in the form of a [`ProductChange`], as people read it.
    pub fn shown(self, value: &str) -> String {
        let number = || value.parse().ok();
        let shown = match self {
            TermsField::Price => {
                number().and_then(|it| Price::from_centavos(it).ok()).map(|it| it.in_reais().to_string())
            }
            TermsField::Minimum | TermsField::Target => number()
                .and_then(|it| Quantity::from_thousandths(it).ok())
                .map(|it| it.with_comma().to_string()),
            TermsField::ShelfLife if value == "0" => None,
            TermsField::ShelfLife => value.parse().ok().map(|days: u32| counted(days, "dia", "dias")),
            TermsField::Discontinued => Some(if value == "true" { "não" } else { "sim" }.to_owned()),
            _ => Some(value.to_owned()).filter(|value| !value.is_empty()),
        };
        shown.unwrap_or_else(|| "—".to_owned())
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
