//! The balance of a product: its stock, and the cost of the stock.

use super::cost::StockCost;
use super::quantity::Quantity;

/// A product's stock after its last movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The product's stock.
    pub stock: Quantity,
    /// The sequence number of the product's last movement; 0 if the product never moved.
    pub last_movement: i64,
    /// The cost of the stock.
    pub stock_cost: StockCost,
}

impl Balance {
    /// The balance of a product that never moved.
    pub const NONE: Balance =
        Balance { stock: Quantity::ZERO, last_movement: 0, stock_cost: StockCost::ZERO };
}
