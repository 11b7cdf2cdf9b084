//! A product: its name, its unit, its price and its stock.

use std::fmt;
use std::sync::Arc;

use super::balance::Balance;
use super::cost::StockCost;
use super::name::Name;
use super::price::Price;
use super::quantity::Quantity;
use super::quoted::{Quoted, is_unsafe_to_show};

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

impl Unit {
    /// Trims a label, changes it to lower case, and checks it.
    ///
    /// # Errors
    /// If the label is empty, longer than [`UNIT_CHARS_MAX`] or has control characters.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
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

    /// Whether stock in this unit may have fractions: only if it is weighed.
    pub fn takes_fractions(&self) -> bool {
        self.as_str() == "kg"
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
    pub(super) fn with_terms(self, has_terms: bool) -> Self {
        self.with(HAS_TERMS, has_terms)
    }

    fn with(self, flag: u8, is_set: bool) -> Self {
        Self(if is_set { self.0 | flag } else { self.0 & !flag })
    }
}

const _: () = assert!(size_of::<Product>() == 64);
