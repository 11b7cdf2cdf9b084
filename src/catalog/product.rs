//! A product: its name, its unit, its price and its stock.

use std::fmt;
use std::sync::Arc;

use super::balance::Balance;
use super::cost::StockCost;
use super::name::Name;
use super::price::Price;
use super::quantity::Quantity;
use super::quoted::{Quoted, is_unsafe_to_show};
use super::unit_words::unit_of_word;

/// A product's place in the order of creation: 1, 2, 3, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(u32);

impl ProductId {
    /// The id of the first product.
    pub const FIRST: ProductId = ProductId(1);

    /// The id that is stored as this number; `None` below 1.
    pub fn from_number(number: i64) -> Option<Self> {
        u32::try_from(number).ok().filter(|id| *id > 0).map(Self)
    }

    /// The number that is stored.
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// The id of the product at this index of the catalog.
    pub(crate) fn at_index(index: usize) -> Option<Self> {
        u32::try_from(index).ok()?.checked_add(1).map(Self)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize - 1
    }
}

/// Longest unit label, in characters.
pub const UNIT_CHARS_MAX: usize = 12;

/// The unit in which price and stock are counted, in lower case: `kg`, `un`, `maço`, …. A unit is a pointer
/// of one word, so that a [`Product`] fits in a line of the processor's cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unit(Arc<Box<str>>);

/// Why a text is no valid unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unidade {} inválida; use de 1 a {UNIT_CHARS_MAX} caracteres, como kg, un, maço ou cx", Quoted(.0))]
pub struct UnitError(String);

/// The units that may be divided, in the words of a refusal.
pub(super) const FRACTIONS: &str = "só kg e l aceitam frações, e dz, metades";

impl Unit {
    /// Reads a unit as people write it: each usual spelling of [`unit_of_word`] is its unit, and any other text
    /// is a label of its own. Grams and millilitres are such labels too, because their price is another.
    ///
    /// # Errors
    /// If [`Unit::from_label`] fails.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        // One of a unit is the unit: `1kg`, `1 kg`.
        let text = text.trim();
        let word = text.strip_prefix('1').map_or(text, str::trim_start);
        match unit_of_word(word) {
            Some((unit, 1)) => Self::from_label(unit),
            _ => Self::from_label(text),
        }
    }

    /// Takes a label that a catalog has, trimmed and in lower case. A label that was given before the spellings
    /// were known stays as it is.
    ///
    /// # Errors
    /// If the label is empty, longer than [`UNIT_CHARS_MAX`] or has control characters.
    pub fn from_label(text: &str) -> Result<Self, UnitError> {
        let label = text.trim().to_lowercase();
        let length = label.chars().count();
        if length == 0 || length > UNIT_CHARS_MAX || label.chars().any(is_unsafe_to_show) {
            return Err(UnitError(text.to_owned()));
        }
        Ok(Self(Arc::new(label.into())))
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit that the label means: `kg` of an old label `kilo`.
    pub(super) fn meant(&self) -> &str {
        let label = self.as_str();
        unit_of_word(label).filter(|(_, parts)| *parts == 1).map_or(label, |(unit, _)| unit)
    }

    /// The smallest part of the unit that is kept, in thousandths: kilograms and litres are weighed, a dozen is
    /// halved, and anything else is whole.
    pub fn step_thousandths(&self) -> i64 {
        match self.meant() {
            "kg" | "l" => 1,
            "dz" => 500,
            _ => 1000,
        }
    }

    /// Whether the unit is the kilogram, also under an old label.
    pub fn is_kilogram(&self) -> bool {
        self.meant() == "kg"
    }

    /// Whether the unit is weighed or measured.
    pub fn is_weighed(&self) -> bool {
        self.step_thousandths() == 1
    }

    /// Whether there can be this quantity of a product that is counted in this unit.
    pub fn can_hold(&self, quantity: Quantity) -> bool {
        !quantity.has_fraction() || quantity.thousandths() % self.step_thousandths() == 0
    }
}

impl Default for Unit {
    /// `un`: a piece.
    fn default() -> Self {
        Self(Arc::new("un".into()))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A product of the catalog at one moment. A product fills one line of the processor's cache and is
/// aligned to it: in a large catalog, loading a line takes longer than a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(64))]
pub struct Product {
    /// The product's place in the order of creation.
    pub id: ProductId,
    /// The name as it was last written.
    pub name: Name,
    /// The unit in which price and stock are counted.
    pub unit: Unit,
    /// The price of one unit.
    pub price: Price,
    /// The balance: the sum of the product's movements, never below zero.
    pub stock: Quantity,
    /// The sequence number of the product's last movement; 0 if the product never moved.
    pub last_movement: i64,
    /// The cost of the stock.
    pub stock_cost: StockCost,
    /// The product's marks.
    pub flags: Flags,
}

impl Product {
    /// The product's balance.
    pub fn balance(&self) -> Balance {
        let Self { stock, last_movement, stock_cost, .. } = *self;
        Balance { stock, last_movement, stock_cost }
    }

    /// Gives the product another balance.
    pub fn set_balance(&mut self, balance: Balance) {
        Balance { stock: self.stock, last_movement: self.last_movement, stock_cost: self.stock_cost } =
            balance;
    }
}

/// The marks of a product, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

/// No longer sold.
const DISCONTINUED: u8 = 1;
/// One of the products of a first start, as it was.
const EXAMPLE: u8 = 2;
/// With terms in the catalog's table.
const HAS_TERMS: u8 = 4;

impl Flags {
    /// The flags of one of the products that a new shop opens with.
    pub const EXAMPLE: Flags = Flags(EXAMPLE);

    /// Whether the product is no longer sold: it is in no list that does not ask for it.
    pub fn is_discontinued(self) -> bool {
        self.0 & DISCONTINUED != 0
    }

    /// Whether the product is an example of a first start, which nobody has taken for theirs.
    pub fn is_example(self) -> bool {
        self.0 & EXAMPLE != 0
    }

    /// Whether the product has other terms than [`Terms::NONE`](super::Terms::NONE), which the catalog keeps.
    pub(super) fn has_terms(self) -> bool {
        self.0 & HAS_TERMS != 0
    }

    /// The flags with another value of "no longer sold".
    #[must_use]
    pub fn with_discontinued(self, is_discontinued: bool) -> Self {
        self.with(DISCONTINUED, is_discontinued)
    }

    /// The flags with another value of "an example".
    #[must_use]
    pub fn with_example(self, is_example: bool) -> Self {
        self.with(EXAMPLE, is_example)
    }

    /// The flags with another value of "has terms".
    #[must_use]
    pub fn with_terms(self, has_terms: bool) -> Self {
        self.with(HAS_TERMS, has_terms)
    }

    fn with(self, flag: u8, is_set: bool) -> Self {
        Self(if is_set { self.0 | flag } else { self.0 & !flag })
    }
}

const _: () = assert!(size_of::<Product>() == 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_in_its_usual_spellings_and_kept_as_it_was() {
        for (text, unit) in [
            (" KGS", "kg"),
            ("Kilo", "kg"),
            ("kg.", "kg"),
            ("UN.", "un"),
            ("unid", "un"),
            ("duzia", "dz"),
            ("Litros", "l"),
            ("MACO", "maço"),
            ("g", "g"),
            ("ml", "ml"),
            ("Tabuleiro", "tabuleiro"),
        ] {
            assert_eq!(Unit::parse(text).unwrap().as_str(), unit, "{text}");
        }
        assert_eq!(Unit::from_label("Kilo").unwrap().as_str(), "kilo");
        for text in ["", " ", "mais de 12 letras", "k\u{202E}g"] {
            assert!(Unit::parse(text).is_err() && Unit::from_label(text).is_err(), "{text}");
        }
    }

    #[test]
    fn kilograms_and_litres_are_weighed_dozens_are_halved_and_others_are_whole() {
        for (label, held, refused) in [
            ("kg", &["1", "0.001"][..], &[][..]),
            ("kilo", &["0.001"], &[]),
            ("l", &["0.355"], &[]),
            ("dz", &["1", "0.5", "-2.5"], &["0.25", "0.501"]),
            ("un", &["1", "-3"], &["0.5"]),
            ("g", &["250"], &["0.5"]),
            ("ml", &["250"], &["0.5"]),
            ("cx", &["1"], &["1.5"]),
        ] {
            let unit = Unit::from_label(label).unwrap();
            let can_hold = |text: &&str| unit.can_hold(text.parse().unwrap());
            assert!(held.iter().all(can_hold), "{label}");
            assert!(!refused.iter().any(can_hold), "{label}");
        }
    }
}
