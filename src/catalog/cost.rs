//! The cost of stock: the money that was paid for the present stock, in whole centavos.
//!
//! The value of a product's stock is kept beside its quantity and never divided: a cost per unit is derived
//! from both. The rules of a change of it are in `rules::cost`.

use std::fmt;

use super::quantity::Quantity;

/// The value that a movement added to a product's stock, in centavos; negative if value was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(i64);

impl Cost {
    /// A cost from centavos.
    pub fn from_centavos(centavos: i64) -> Self {
        Self(centavos)
    }

    /// The cost in centavos.
    pub fn centavos(self) -> i64 {
        self.0
    }
}

/// The highest cost of a stock: a million million reais, far above what any stock costs.
pub const STOCK_COST_CENTAVOS_MAX: i64 = 100_000_000_000_000;

/// The cost of a product's stock: centavos, or unknown. An empty stock costs nothing.
///
/// The cost has six bytes, so that a [`Product`](super::Product) fits in a line of the processor's cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StockCost([u8; BYTES]);

/// Bytes of a stock's cost: 2^48 is more than [`STOCK_COST_CENTAVOS_MAX`].
const BYTES: usize = 6;

impl StockCost {
    /// The cost of an empty stock, or of one that was given.
    pub const ZERO: StockCost = StockCost([0; BYTES]);

    /// A cost that nobody knows.
    pub const UNKNOWN: StockCost = StockCost([u8::MAX; BYTES]);

    /// The cost of these centavos, if they are within the limits.
    pub fn from_centavos(centavos: i64) -> Option<Self> {
        let [a, b, c, d, e, f, ..] = centavos.to_le_bytes();
        (0..=STOCK_COST_CENTAVOS_MAX).contains(&centavos).then_some(Self([a, b, c, d, e, f]))
    }

    /// The cost of a stock of unknown cost: zero if the stock is empty.
    pub fn of_unknown(stock: Quantity) -> Self {
        if stock == Quantity::ZERO { Self::ZERO } else { Self::UNKNOWN }
    }

    /// The cost that a store keeps as these centavos, or as unknown; zero if the stock is empty.
    pub fn of_stored(stock: Quantity, centavos: Option<i64>) -> Option<Self> {
        match centavos {
            Some(centavos) if stock > Quantity::ZERO => Self::from_centavos(centavos),
            _ => Some(Self::of_unknown(stock)),
        }
    }

    /// The cost in centavos, if it is known.
    pub fn centavos(self) -> Option<i64> {
        let [a, b, c, d, e, f] = self.0;
        (self != Self::UNKNOWN).then_some(i64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// The cost after a movement of this cost that leaves this stock. `is_taken_back` returns whether the
    /// movement undoes an addition: if that takes away all value, the remaining stock is of unknown cost again.
    /// `None` if the cost would not be within the limits.
    ///
    /// The rules, and a store that reads the movements again, both compute the cost by this function.
    pub fn after(
        self,
        cost: Option<Cost>,
        stock: Quantity,
        is_taken_back: impl FnOnce() -> bool,
    ) -> Option<Self> {
        if stock == Quantity::ZERO {
            return Some(Self::ZERO);
        }
        let Some(cost) = cost else { return Some(Self::UNKNOWN) };
        match self.centavos().unwrap_or(0).checked_add(cost.centavos())? {
            0 if is_taken_back() => Some(Self::UNKNOWN),
            centavos => Self::from_centavos(centavos),
        }
    }
}

impl fmt::Debug for StockCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StockCost").field(&self.centavos()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_known_within_its_limits_or_unknown() {
        for centavos in [0, 1, 255, 256, STOCK_COST_CENTAVOS_MAX] {
            assert_eq!(StockCost::from_centavos(centavos).unwrap().centavos(), Some(centavos));
        }
        for centavos in [-1, i64::MIN, STOCK_COST_CENTAVOS_MAX + 1, i64::MAX] {
            assert_eq!(StockCost::from_centavos(centavos), None);
        }
        assert_eq!(StockCost::UNKNOWN.centavos(), None);
        let one = Quantity::from_units(1);
        assert_eq!(StockCost::of_stored(one, None), Some(StockCost::UNKNOWN));
        assert_eq!(StockCost::of_stored(Quantity::ZERO, None), Some(StockCost::ZERO));
    }
}
