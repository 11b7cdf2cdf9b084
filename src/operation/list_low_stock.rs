//! `ListLowStock`: products below their minimum or without stock, and what to buy.

use std::fmt;

use crate::catalog::{Name, Quantity, Unit};

/// The longest time for which a purchase is reckoned, in days.
pub const STOCKED_DAYS_MAX: u32 = 365;

/// The days before today whose mean sales say what a day sells: four weeks, so that each day of the week
/// counts as often.
pub const SALES_DAYS: u32 = 28;

/// A question about low stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LowStockRequest {
    /// The days for which the stock should last at the mean sales of the last [`SALES_DAYS`] days, up to
    /// [`STOCKED_DAYS_MAX`]. 0 fills the stock up to the product's target.
    pub days: u32,
}

/// A product that runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowStock {
    pub name: Name,
    pub unit: Unit,
    pub stock: Quantity,
    /// The stock below which the product is low; zero for none.
    pub minimum: Quantity,
    /// The stock that a purchase should reach; zero for none.
    pub target: Quantity,
    /// The mean sales of a day. `None` if that was not asked for.
    pub daily_sales: Option<Quantity>,
    /// The reason for the quantity to buy.
    pub basis: Basis,
    /// The quantity to buy, in whole boxes if it is known what a box holds. Zero without a basis.
    pub to_buy: Quantity,
    /// The content of a box, by the note of the last purchase; zero if it has none.
    pub box_size: Quantity,
}

/// The reason for the quantity to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// Nothing says how much to buy.
    #[default]
    None,
    /// The product's target.
    Target,
    /// The mean sales.
    Sales,
    /// The product's minimum, because it has no target.
    Minimum,
}

impl fmt::Display for LowStockRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListLowStock")
    }
}
