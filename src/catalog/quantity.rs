//! Quantities of stock: whole thousandths of a product's unit, never floating point.

use std::fmt;
use std::str::FromStr;

use super::decimal::{self, DecimalError};

/// A quantity, or a change of one, in thousandths of the product's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

/// Decimals of a quantity: a thousandth, which of a kilogram is a gram.
const DECIMALS: u32 = 3;

/// Why a quantity is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not written as a quantity.
    #[error(
        "quantidade inválida: {0}. Escreva como 20, -20, +5 ou 0,350, com no máximo três casas decimais e sem separador de milhar"
    )]
    Text(DecimalError),
    /// Beyond [`Quantity::MAX`], on either side of zero.
    #[error("quantidade inválida: {0} milésimos está além do limite de {max}", max = Quantity::MAX.0)]
    OutOfRange(i64),
}

impl Quantity {
    /// No stock at all.
    pub const ZERO: Quantity = Quantity(0);

    /// A million million units: far above any stock, and small enough that a sum of several
    /// thousand quantities still fits in 64 bits.
    pub const MAX: Quantity = Quantity(1_000_000_000_000_000);

    /// A quantity from thousandths of the unit.
    ///
    /// # Errors
    /// If the quantity is beyond [`Quantity::MAX`] on either side of zero.
    pub fn from_thousandths(thousandths: i64) -> Result<Self, QuantityError> {
        if (-Self::MAX.0..=Self::MAX.0).contains(&thousandths) {
            Ok(Self(thousandths))
        } else {
            Err(QuantityError::OutOfRange(thousandths))
        }
    }

    /// A quantity of this size in the other direction.
    pub fn opposite(self) -> Self {
        Self(-self.0)
    }

    /// One part of so many equal ones; `None` if it has a fraction of a thousandth.
    pub fn divided(self, parts: u16) -> Option<Self> {
        (self.0 % i64::from(parts) == 0).then(|| Self(self.0 / i64::from(parts)))
    }

    /// A quantity of whole units. Every `i32` is within the limit.
    pub fn from_units(units: i32) -> Self {
        Self(i64::from(units) * 1000)
    }

    /// The two quantities that a text such as `1.000` may mean: a thousand to a Brazilian, and one to a
    /// program. The console asks a person which one is meant, and refuses the text if nobody can answer.
    /// The network protocols always read the dot as a decimal point.
    pub fn two_readings(text: &str) -> Option<(Quantity, Quantity)> {
        if !decimal::has_two_readings(split_sign(text.trim()).1, '.') {
            return None;
        }
        Some((text.replace('.', "").parse().ok()?, text.parse().ok()?))
    }

    /// The quantity in thousandths of the unit.
    pub fn thousandths(self) -> i64 {
        self.0
    }

    /// Whether the quantity is not a whole number of units.
    pub fn has_fraction(self) -> bool {
        self.0 % 1000 != 0
    }

    /// The quantity as Brazilians write it, without marks of thousands: `19,65`.
    pub fn with_comma(self) -> impl fmt::Display {
        fmt::from_fn(move |f| f.write_str(&self.to_string().replace('.', ",")))
    }

    /// Writes the quantity as the protocols show it.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(self, out: &mut impl fmt::Write) -> fmt::Result {
        decimal::write::<DECIMALS, 0>(out, self.0)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    /// Reads `20`, `-20`, `+5`, `0.350` or `0,350`: units, at most three decimals.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (sign, number) = split_sign(text.trim());
        decimal::parse(number, DECIMALS, Self::MAX.0)
            .map(|thousandths| Self(sign * thousandths))
            .map_err(QuantityError::Text)
    }
}

/// The sign of a number, and the number without it. U+2212 is the minus of text processors.
fn split_sign(text: &str) -> (i64, &str) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(number) => (-1, number),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

impl fmt::Display for Quantity {
    /// Units with a point and no trailing zeros: `20`, `19.65`, `-0.35`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Quantity;

    #[test]
    fn reads_what_people_write() {
        for (text, thousandths) in [
            ("20", 20_000),
            ("-20", -20_000),
            ("+5", 5_000),
            ("0.350", 350),
            ("0,350", 350),
            ("-0,35", -350),
            ("\u{2212}2", -2_000),
            ("1.000", 1_000),
            ("0", 0),
            ("1000000000000", 1_000_000_000_000_000),
        ] {
            assert_eq!(text.parse().map(Quantity::thousandths), Ok(thousandths), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "abc",
            "NaN",
            "-",
            "+",
            "--1",
            "+-1",
            "\u{2212}-1",
            ".5",
            "5.",
            "1.0000",
            "1.000.000",
            "1,000.5",
            "1e3",
            "- 5",
            "1000000000000.001",
            "1234567890123456789012345678901234567890",
        ] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_dot_before_three_digits_has_two_readings() {
        for (text, readings) in [
            ("1.000", Some(("1000", "1"))),
            (" 1.250 ", Some(("1250", "1.25"))),
            ("-20.500", Some(("-20500", "-20.5"))),
            ("\u{2212}1.000", Some(("-1000", "-1"))),
            ("+5.125", Some(("5125", "5.125"))),
            ("999.999", Some(("999999", "999.999"))),
            ("0.350", None),
            ("-0.350", None),
            ("1,000", None),
            ("1.00", None),
            ("1.0000", None),
            ("1.000.000", None),
            ("1000.000", None),
            ("--1.000", None),
            ("x.000", None),
            ("1.0x0", None),
            ("20", None),
            ("", None),
        ] {
            let read = Quantity::two_readings(text);
            let shown = read.map(|(thousands, units)| (thousands.to_string(), units.to_string()));
            assert_eq!(
                shown,
                readings.map(|(thousands, units)| (thousands.to_owned(), units.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn shows_no_trailing_zeros() {
        for (thousandths, text) in
            [(20_000, "20"), (19_650, "19.65"), (-350, "-0.35"), (0, "0"), (1, "0.001")]
        {
            assert_eq!(Quantity(thousandths).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(thousandths in -Quantity::MAX.0..=Quantity::MAX.0) {
            let quantity = Quantity(thousandths);
            prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
            prop_assert_eq!(quantity.to_string().replace('.', ",").parse(), Ok(quantity));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,48}") {
            let _ = text.parse::<Quantity>();
        }
    }
}
