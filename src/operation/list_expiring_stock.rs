//! `ListExpiringStock`: what is left of purchases that expire soon.

use std::fmt;
use std::time::SystemTime;

use jiff::civil::Date;

use crate::catalog::{Amount, Cost, Name, Purchase, Quantity, Unit};

/// The farthest day that may be asked for, in days from today.
pub const EXPIRING_DAYS_MAX: u32 = 3650;

/// A question about stock that expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpiringRequest<'a> {
    /// The last day that is asked for, in days from today, up to [`EXPIRING_DAYS_MAX`].
    pub days: u32,
    /// The IANA name of the time zone of the days; empty for the server's.
    pub time_zone: &'a str,
}

/// The rest of a purchase that expires. The stock of a product is taken to be of the purchases that
/// expire last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringStock {
    pub name: Name,
    pub unit: Unit,
    /// The purchase.
    pub sequence: i64,
    pub bought_at: SystemTime,
    pub purchase: Purchase,
    /// The last day on which it can be sold.
    pub expires_on: Date,
    /// The days from today to that day, below zero if it is over.
    pub days_left: i32,
    /// The quantity that is left.
    pub left: Quantity,
    /// The cost of the rest, at the mean cost of the stock. `None` if that is unknown.
    pub cost: Option<Cost>,
    /// The rest at today's price.
    pub amount: Amount,
}

impl fmt::Display for ExpiringRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListExpiringStock")
    }
}
