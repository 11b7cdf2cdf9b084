//! Amounts of money: what a quantity is worth at a price.

use std::fmt;
use std::str::FromStr;

use super::decimal::{self, DecimalError};
use super::price::{Price, PriceError};
use super::quantity::Quantity;
use super::reais::in_reais;

/// Decimals of an amount: a centavo is 10^-2 of a real.
const DECIMALS: u32 = 2;

/// The highest total that a client may give a movement: ten thousand million reais, as much as the highest
/// price.
pub const TOTAL_CENTAVOS_MAX: i64 = 1_000_000_000_000;

/// Why the total of a movement is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not an amount of money.
    #[error(
        "total inválido: {0}. Escreva em reais, como 2800 ou 2800,00, com no máximo duas casas decimais e sem \
         separador de milhar"
    )]
    Text(DecimalError),
    /// The total is outside 0 to [`TOTAL_CENTAVOS_MAX`].
    #[error("total inválido: {0} centavos está fora do limite de 0 a {max}", max = TOTAL_CENTAVOS_MAX)]
    OutOfRange(i64),
}

/// An amount of money in centavos, never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(i64);

impl Amount {
    /// Price × absolute quantity, rounded half up to a centavo. A product that overflows is the largest
    /// amount.
    pub fn of(price: Price, quantity: Quantity) -> Self {
        let (price, thousandths) = (price.centavos(), quantity.thousandths().saturating_abs());
        // Nearly every amount fits, and 128 bits take several times as long to divide.
        if let Some(exact) = price.checked_mul(thousandths).and_then(|exact| exact.checked_add(500)) {
            return Self(exact / 1000);
        }
        let exact = i128::from(price) * i128::from(thousandths);
        Self(i64::try_from((exact + 500) / 1000).unwrap_or(i64::MAX))
    }

    /// An amount from centavos, if they are not below zero.
    pub fn from_centavos(centavos: i64) -> Option<Self> {
        (centavos >= 0).then_some(Self(centavos))
    }

    /// The total of a movement, from centavos.
    ///
    /// # Errors
    /// If the total is below zero or above [`TOTAL_CENTAVOS_MAX`].
    pub fn total_from_centavos(centavos: i64) -> Result<Self, AmountError> {
        let is_within = (0..=TOTAL_CENTAVOS_MAX).contains(&centavos);
        if is_within { Ok(Self(centavos)) } else { Err(AmountError::OutOfRange(centavos)) }
    }

    /// The total of a movement as a person or a program writes it: `2800`, `2800,00` or `R$2800`.
    ///
    /// # Errors
    /// If the text is no amount of reais with at most two decimals, or above [`TOTAL_CENTAVOS_MAX`].
    pub fn parse_total(text: &str) -> Result<Self, AmountError> {
        let price = text.parse::<Price>();
        price.map(|price| Self(price.centavos())).map_err(|error| match error {
            PriceError::Text(error) => AmountError::Text(error),
            PriceError::OutOfRange(centavos) => AmountError::OutOfRange(centavos),
        })
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
