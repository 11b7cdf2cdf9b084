//! Amounts of money: what a quantity is worth at a price.

use std::fmt;
use std::str::FromStr;

use super::decimal::{self, DecimalError};
use super::price::Price;
use super::quantity::Quantity;
use super::reais::in_reais;

/// Decimals of an amount: a centavo is 10^-2 of a real.
const DECIMALS: u32 = 2;

/// An amount of money in centavos, never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(i64);

impl Amount {
    /// Price × absolute quantity, rounded half up to a centavo. A product that overflows is the largest
    /// amount.
    pub fn of(price: Price, quantity: Quantity) -> Self {
        let exact = i128::from(price.centavos()) * i128::from(quantity.thousandths().unsigned_abs());
        Self(i64::try_from((exact + 500) / 1000).unwrap_or(i64::MAX))
    }

    /// An amount from centavos, if they are not below zero.
    pub fn from_centavos(centavos: i64) -> Option<Self> {
        (centavos >= 0).then_some(Self(centavos))
    }

    /// The amount in centavos.
    pub fn centavos(self) -> i64 {
        self.0
    }

    /// The amount as Brazilians write it: `R$ 1.234,50`.
    pub fn in_reais(self) -> impl fmt::Display {
        in_reais(self.0)
    }

    /// Writes the amount as the protocols show it.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(self, out: &mut impl fmt::Write) -> fmt::Result {
        decimal::write::<DECIMALS, 1>(out, self.0)
    }
}

impl FromStr for Amount {
    type Err = DecimalError;

    /// Reads reais with at most two decimals: `40.0`.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text, DECIMALS, i64::MAX).map(Self)
    }
}

impl fmt::Display for Amount {
    /// Reais with a point, at least one decimal and no trailing zero beyond it: `40.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_at_a_price_is_rounded_half_up() {
        for (price, quantity, amount) in [
            (200, -20_000, 4_000),
            (599, 350, 210),
            (1, 499, 0),
            (1, 500, 1),
            (1, -500, 1),
            (333, 1_500, 500),
            (0, 1_000, 0),
        ] {
            let price = Price::from_centavos(price).unwrap();
            let found = Amount::of(price, Quantity::from_thousandths(quantity).unwrap());
            assert_eq!(found.centavos(), amount, "{price} × {quantity}");
            assert_eq!(found.to_string().parse(), Ok(found));
        }
        assert_eq!(Amount::of(Price::MAX, Quantity::MAX).centavos(), i64::MAX);
    }
}
