//! Reads of purchases, their suppliers, lots and expiries.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use jiff::civil::Date;

use super::StoreError;
use crate::catalog::{ProductId, Purchase, Quantity};

/// The purchases of the ledger, for readers. Each read is a short one, of as many rows as it asks for.
pub trait PurchaseReads: Send + Sync {
    /// Purchases that were not undone, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn purchases(&self, query: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError>;

    /// The keys of suppliers, each once, in order, from the first after a key on.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn suppliers(&self, after: &str, count_max: usize) -> Result<Vec<String>, StoreError>;

    /// The numbers of the purchases of a range that have this origin, newest first. Those of undone purchases are
    /// among them.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn of_origin(
        &self,
        origin: Origin<'_>,
        range: RangeInclusive<i64>,
        count_max: usize,
    ) -> Result<Vec<i64>, StoreError>;

    /// Lots, each with the number of its purchase, in order, from the first after a lot on. Those of undone
    /// purchases are among them.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn lots(&self, after: &(String, i64), count_max: usize) -> Result<Vec<(String, i64)>, StoreError>;

    /// The expiries of a range of purchases that name their last day, in the order of the purchases.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn expiries(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<Expiry>, StoreError>;
}

/// The origin that purchases have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The supplier with this key.
    Supplier(&'a str),
    /// The invoice with this key.
    Invoice(&'a str),
    /// The supplier's item with this name.
    Item(&'a str),
}

impl<'a> Origin<'a> {
    /// The column of every store that holds the origin, and its value.
    pub(crate) fn column(self) -> (&'static str, &'a str) {
        match self {
            Self::Supplier(key) => ("supplier_key", key),
            Self::Invoice(key) => ("invoice", key),
            Self::Item(item) => ("item", item),
        }
    }
}

/// A query for purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurchaseQuery {
    /// Only purchases of this product.
    pub product: Option<ProductId>,
    /// The highest sequence number of the purchases.
    pub start: i64,
    /// The last movement that the reader may see.
    pub through: i64,
    /// The most purchases that are read. `None` reads all.
    pub count_max: Option<usize>,
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRow {
    pub sequence: i64,
    pub product: ProductId,
    pub recorded_at: SystemTime,
    /// The quantity that was bought.
    pub bought: Quantity,
    pub purchase: Purchase,
}

/// The last day on which a purchase can be sold, as the purchase itself names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    pub sequence: i64,
    pub product: ProductId,
    pub expires_on: Date,
}
