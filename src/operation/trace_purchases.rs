//! `TracePurchases`: who sold what to the shop, when, and how much of it is left.

use std::fmt;
use std::time::SystemTime;

use jiff::civil::Date;

use crate::catalog::{Amount, Author, Name, Purchase, Quantity, Unit};

/// The most purchases of a page.
pub const TRACED_MAX: usize = 1000;

/// A question about purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceRequest<'a> {
    /// Words of the supplier or of the lot, in any order, without regard to case or accents.
    pub words: &'a str,
    /// Only purchases of the invoice with this key, or of the supplier's item with this name, if one of them is not
    /// empty. The words are then not looked at.
    pub invoice: &'a str,
    pub item: &'a str,
    /// Only purchases before this movement. `None` for the newest.
    pub before: Option<i64>,
    /// The most purchases, up to [`TRACED_MAX`].
    pub count_max: usize,
}

/// A page of purchases, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceReply {
    pub purchases: Vec<TracedPurchase>,
    /// The movement before which the next page begins, if there may be more.
    pub next: Option<i64>,
}

/// A purchase, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedPurchase {
    pub sequence: i64,
    pub name: Name,
    pub unit: Unit,
    pub bought_at: SystemTime,
    pub purchase: Purchase,
    /// The last day on which it can be sold, if that is known.
    pub expires_on: Option<Date>,
    pub bought: Quantity,
    /// The money of the purchase.
    pub amount: Amount,
    /// The quantity that is left: the stock of a product is taken to be of the purchases that expire last.
    pub left: Quantity,
    pub author: Option<Author>,
    /// The movement that undid the purchase; 0 for none. Only purchases of an invoice that was asked for are shown
    /// after that.
    pub undone_by: i64,
}

impl fmt::Display for TraceRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TracePurchases")
    }
}
