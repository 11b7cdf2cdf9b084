//! The cost of a change, by weighted average and exact to the centavo.
//!
//! The costs of all movements of a product add up to the cost of its stock, and to zero if that is unknown.

use crate::catalog::amount::Amount;
use crate::catalog::balance::Balance;
use crate::catalog::cost::{Cost, StockCost};
use crate::catalog::quantity::Quantity;

/// A stock before a change.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) struct Stock {
    pub(in crate::catalog) quantity: Quantity,
    pub(in crate::catalog) cost: StockCost,
}

impl Stock {
    pub(in crate::catalog) fn of(balance: Balance) -> Self {
        Self { quantity: balance.stock, cost: balance.stock_cost }
    }
}

/// The way in which the cost of a change is computed.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) enum Costing {
    /// The cost is the weighted average.
    Average,
    /// The added quantity cost this in all.
    Paid(Amount),
    /// The change undoes a movement of this cost.
    Undo(Option<Cost>),
}

/// The cost of a movement, and of the stock after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) struct Costed {
    pub(in crate::catalog) movement: Option<Cost>,
    pub(in crate::catalog) stock: StockCost,
}

impl Costing {
    /// The costs of a change by `delta`, which leaves this stock. `None` if the stock would cost more than
    /// the highest cost.
    pub(in crate::catalog) fn cost(self, before: Stock, delta: Quantity, after: Quantity) -> Option<Costed> {
        let cost = if delta < Quantity::ZERO {
            self.taken(before, delta, after)
        } else {
            self.brought(before, delta)
        };
        // A cost that does not fit is above the limit.
        let cost = match cost {
            Some(centavos) => Some(Cost::from_centavos(i64::try_from(centavos).ok()?)),
            None => None,
        };
        let is_taken_back = || delta < Quantity::ZERO && matches!(self, Self::Undo(_));
        let stock = before.cost.after(cost, after, is_taken_back)?;
        Some(Costed { movement: cost, stock })
    }

    fn taken(self, before: Stock, delta: Quantity, after: Quantity) -> Option<i128> {
        let value = i128::from(before.cost.centavos()?);
        let taken = match self {
            _ if after == Quantity::ZERO => value,
            Self::Undo(Some(undone)) => i128::from(undone.centavos()).clamp(0, value),
            Self::Average | Self::Paid(_) | Self::Undo(None) => share(value, delta, before.quantity),
        };
        Some(-taken)
    }

    fn brought(self, before: Stock, delta: Quantity) -> Option<i128> {
        let is_empty = before.quantity == Quantity::ZERO;
        let value = before.cost.centavos().map(i128::from);
        match (self, value) {
            (Self::Paid(total), Some(_)) => Some(total.centavos().into()),
            // The stock before, of unknown cost, gets the same cost per unit.
            (Self::Paid(total), None) => {
                let total = i128::from(total.centavos());
                Some(total + share(total, before.quantity, delta))
            }
            (Self::Undo(Some(undone)), Some(_)) => Some((-i128::from(undone.centavos())).max(0)),
            (Self::Average | Self::Undo(None), Some(value)) if !is_empty => {
                Some(share(value, delta, before.quantity))
            }
            (Self::Average | Self::Undo(_), _) => None,
        }
    }
}

/// The share of `value` that `part` of `whole` has, rounded half up.
fn share(value: i128, part: Quantity, whole: Quantity) -> i128 {
    let part = i128::from(part.thousandths().unsigned_abs());
    let whole = i128::from(whole.thousandths().unsigned_abs());
    (2 * value * part + whole).checked_div(2 * whole).unwrap_or(0)
}
