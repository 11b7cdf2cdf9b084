//! The terms of a product beyond its name, unit and price, which many products do not have.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::code::{Barcode, CodeValue, ShopCode};
use super::key::Key;
use super::name::{Name, NameError};
use super::name_chars::NAME_CHARS_MAX;
use super::product::ProductId;
use super::quantity::Quantity;
use super::quoted::Quoted;
use super::shards::{Hashed, Shards};

/// Most barcodes of one product. Each size and each producer has its own barcode.
pub const BARCODES_MAX: usize = 32;

/// The longest shelf life, in days: ten years.
pub const SHELF_LIFE_DAYS_MAX: u32 = 3650;

/// The terms of one product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The product's number on the shop's scales.
    pub code: Option<ShopCode>,
    /// The barcodes, in the order in which they were given, [`BARCODES_MAX`] at most.
    pub barcodes: Vec<Barcode>,
    /// The part of the shop that the product belongs to.
    pub category: Option<Category>,
    /// The minimum stock, below which the product is low; zero for none.
    pub minimum: Quantity,
    /// The stock that a purchase should reach; zero for none.
    pub target: Quantity,
    /// The shelf life in days, up to [`SHELF_LIFE_DAYS_MAX`]; 0 if unknown.
    pub shelf_life_days: u32,
}

impl Terms {
    /// The terms of a product without a row of its own.
    pub const NONE: &'static Terms = &Terms {
        code: None,
        barcodes: Vec::new(),
        category: None,
        minimum: Quantity::ZERO,
        target: Quantity::ZERO,
        shelf_life_days: 0,
    };

    /// The values of all codes, each once.
    pub(super) fn code_values(&self) -> Vec<CodeValue> {
        let mut values: Vec<CodeValue> = self.code.into_iter().map(CodeValue::from).collect();
        for value in self.barcodes.iter().copied().map(CodeValue::from) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// Checks the limits of the stock that a change gives a product. Limits that it does not change may be
    /// those of an earlier build, which had no such rule.
    ///
    /// # Errors
    /// If the target is below the minimum.
    pub(super) fn check_limits(&self, before: &Self, name: &Name) -> Result<(), TargetBelowMinimum> {
        let (minimum, target) = (self.minimum, self.target);
        if (minimum, target) == (before.minimum, before.target)
            || target == Quantity::ZERO
            || target >= minimum
        {
            return Ok(());
        }
        Err(TargetBelowMinimum { name: name.to_string(), minimum, target })
    }

    /// Whether the product has a code of this value.
    pub(super) fn has_code(&self, value: CodeValue) -> bool {
        self.code.is_some_and(|code| value == code.into())
            || self.barcodes.iter().any(|barcode| value == (*barcode).into())
    }
}

/// A target below the minimum: a purchase up to it would leave the product low.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "o alvo {} de {} fica abaixo do mínimo {}: mude os dois juntos, ou use 0 para não ter alvo",
    .target.with_comma(), Quoted(.name), .minimum.with_comma()
)]
pub struct TargetBelowMinimum {
    pub name: String,
    pub minimum: Quantity,
    pub target: Quantity,
}

/// A part of the shop, such as `frutas`. The rules for names apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category(Name);

/// Why a text is no valid category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CategoryError {
    /// No visible character.
    #[error("a categoria está vazia")]
    Empty,
    /// More than [`NAME_CHARS_MAX`] characters.
    #[error("a categoria {} tem {length} caracteres; o limite é {NAME_CHARS_MAX}", Quoted(.text))]
    TooLong { text: String, length: usize },
    /// A control, bidirectional-override or line-separator character.
    #[error("a categoria {} tem um caractere de controle", Quoted(.0))]
    Control(String),
}

impl Category {
    /// Normalises and checks a category as a person or a program wrote it.
    ///
    /// # Errors
    /// If the category is empty, too long, or has a character that must not be shown.
    pub fn parse(text: &str) -> Result<Self, CategoryError> {
        Name::parse(text).map(Self).map_err(|error| match error {
            NameError::Empty => CategoryError::Empty,
            NameError::TooLong { text, length } => CategoryError::TooLong { text, length },
            NameError::Control(text) => CategoryError::Control(text),
        })
    }

    /// The text of the category.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The key of the category. `Frutas` and `frutas` have the same key.
    pub fn key(&self) -> Key {
        self.0.key()
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The table of terms, which only products with terms are in.
#[derive(Debug, Default)]
pub(super) struct TermsTable(Shards<Entry>);

#[derive(Debug)]
struct Entry {
    hash: u32,
    product: ProductId,
    terms: Arc<Terms>,
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Hashed for Entry {
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl TermsTable {
    /// The terms of this product, if it has any.
    pub(super) fn get(&self, product: ProductId) -> Option<&Arc<Terms>> {
        let found = self.0.find(hash(product), |entry| entry.product == product);
        found.map(|entry| &entry.terms)
    }

    /// Gives a product these terms, and returns the previous ones.
    pub(super) fn set(&mut self, product: ProductId, terms: &Arc<Terms>) -> Option<Arc<Terms>> {
        let hash = hash(product);
        let before = self.0.remove(hash, |entry| entry.product == product).map(|entry| entry.terms);
        if **terms != *Terms::NONE {
            self.0.insert(Entry { hash, product, terms: Arc::clone(terms) });
        }
        before
    }
}

/// The hash of an id. The ids are the catalog's own, so it need not be strong.
fn hash(product: ProductId) -> u32 {
    FixedState::default().hash_one(product) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_written_as_a_name() {
        assert_eq!(Category::parse("  Frutas  da época ").unwrap().as_str(), "Frutas da época");
        assert_eq!(Category::parse("FRUTAS").unwrap().key(), Category::parse("frutas").unwrap().key());
        assert_eq!(Category::parse(" "), Err(CategoryError::Empty));
        let long = Category::parse(&"x".repeat(300)).unwrap_err();
        assert!(long.to_string().ends_with("tem 300 caracteres; o limite é 64"), "{long}");
        assert!(matches!(Category::parse("a\tb"), Err(CategoryError::Control(_))));
    }

    #[test]
    fn codes_are_named_once() {
        let code = |text| Barcode::parse(text).unwrap();
        let terms = Terms {
            code: Some(ShopCode::parse("4011").unwrap()),
            barcodes: vec![code("4011"), code("614141007349"), code("0614141007349")],
            ..Terms::default()
        };
        assert_eq!(terms.code_values(), [CodeValue(4011), CodeValue(614_141_007_349)]);
        assert!(terms.has_code(CodeValue(4011)) && !terms.has_code(CodeValue(4012)));
        assert_eq!(Terms::default(), *Terms::NONE);
    }
}
