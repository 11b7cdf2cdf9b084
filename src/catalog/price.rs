//! Money: whole centavos, never floating point.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::decimal::{self, DecimalError};
use super::reais::in_reais;

/// The price of one unit of a product, in centavos.
///
/// A price has five bytes, so that a [`Product`](super::Product) fits in a line of the processor's cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price([u8; BYTES]);

/// Bytes of a price: 2^40 centavos are more than [`Price::MAX`].
const BYTES: usize = 5;

/// Decimals of a price: a centavo is 10^-2 of a real.
const DECIMALS: u32 = 2;

/// Why a price is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not written as a price.
    #[error(
        "preço inválido: {0}. Escreva como 3, 3.50, 3,50 ou R$ 3,50, com no máximo duas casas decimais e sem separador de milhar (1000, e não 1.000)"
    )]
    Text(DecimalError),
    /// Outside 0 to [`Price::MAX`].
    #[error("preço inválido: {0} centavos está fora do limite de 0 a {max}", max = Price::MAX.centavos())]
    OutOfRange(i64),
}

impl Price {
    /// Ten thousand million reais: far above any price of produce, and small enough that a
    /// price times a quantity still fits in 128 bits and a price in a `double` exactly.
    pub const MAX: Price = Price::of(1_000_000_000_000);

    /// A price from centavos.
    ///
    /// # Errors
    /// If the price is below zero or above [`Price::MAX`].
    pub fn from_centavos(centavos: i64) -> Result<Self, PriceError> {
        if (0..=Self::MAX.centavos()).contains(&centavos) {
            Ok(Self::of(centavos))
        } else {
            Err(PriceError::OutOfRange(centavos))
        }
    }

    /// A price of centavos that are within the limits.
    const fn of(centavos: i64) -> Self {
        let [a, b, c, d, e, ..] = centavos.to_le_bytes();
        Self([a, b, c, d, e])
    }

    /// The price in centavos.
    pub const fn centavos(self) -> i64 {
        let [a, b, c, d, e] = self.0;
        i64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    }

    /// The price as Brazilians write it: `R$ 1.234,50`.
    pub fn in_reais(self) -> impl fmt::Display {
        in_reais(self.centavos())
    }

    /// Writes the price as the protocols show it.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(self, out: &mut impl fmt::Write) -> fmt::Result {
        decimal::write::<DECIMALS, 1>(out, self.centavos())
    }
}

impl Ord for Price {
    fn cmp(&self, other: &Self) -> Ordering {
        self.centavos().cmp(&other.centavos())
    }
}

impl PartialOrd for Price {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Price").field(&self.centavos()).finish()
    }
}

impl FromStr for Price {
    type Err = PriceError;

    /// Reads `3`, `3.0`, `3,50` or `R$ 3,50`: reais, at most two decimals, no sign.
    fn from_str(text: &str) -> Result<Self, PriceError> {
        let text = text.trim();
        let number = match text.get(..2) {
            Some(symbol) if symbol.eq_ignore_ascii_case("R$") => text[2..].trim_start(),
            _ => text,
        };
        decimal::parse(number, DECIMALS, Self::MAX.centavos()).map(Self::of).map_err(PriceError::Text)
    }
}

impl fmt::Display for Price {
    /// Reais with a point, at least one decimal and no trailing zero beyond it, as the
    /// original printed its floats: `3.0`, `3.5`, `17.17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Price;

    #[test]
    fn reads_what_people_write() {
        for (text, centavos) in [
            ("3", 300),
            ("3.0", 300),
            ("3,50", 350),
            ("R$ 3,50", 350),
            ("r$3.5", 350),
            ("  17.17 ", 1717),
            ("0", 0),
            ("0,01", 1),
            ("10000000000.00", 1_000_000_000_000),
            ("0003", 300),
        ] {
            assert_eq!(text.parse().map(Price::centavos), Ok(centavos), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "abc",
            "-1",
            "+3",
            "1.234",
            "1e9",
            ".5",
            "5.",
            "1.000,00",
            "1,000.00",
            "NaN",
            "inf",
            "R$",
            "R$ -3",
            "3 50",
            "10000000000.01",
            "٣",
            "3.5.0",
            "0x10",
            "$3",
            "9999999999999999999999999999999999999999",
        ] {
            assert!(text.parse::<Price>().is_err(), "{text}");
        }
    }

    #[test]
    fn shows_the_original_form() {
        for (centavos, text) in [(300, "3.0"), (350, "3.5"), (1717, "17.17"), (5, "0.05"), (0, "0.0")] {
            assert_eq!(Price::of(centavos).to_string(), text);
        }
    }

    #[test]
    fn shows_what_brazilians_write() {
        for (centavos, text) in [
            (0, "R$ 0,00"),
            (350, "R$ 3,50"),
            (99_905, "R$ 999,05"),
            (123_450, "R$ 1.234,50"),
            (1_000_000_000_000, "R$ 10.000.000.000,00"),
        ] {
            assert_eq!(Price::of(centavos).in_reais().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(centavos in 0..=Price::MAX.centavos(), other in 0..=Price::MAX.centavos()) {
            let price = Price::of(centavos);
            prop_assert_eq!(price.centavos(), centavos);
            prop_assert_eq!(price.cmp(&Price::of(other)), centavos.cmp(&other));
            prop_assert_eq!(price.to_string().parse(), Ok(price));
            prop_assert_eq!(format!("R$ {price}").replace('.', ",").parse(), Ok(price));
        }

        #[test]
        fn no_text_panics_and_none_is_rounded(text in "[R$ ]{0,3}[-+]?[0-9]{0,14}[.,]?[0-9]{0,4}") {
            if let Ok(price) = text.parse::<Price>() {
                let decimals = text.trim().split(['.', ',']).nth(1).map_or(0, str::len);
                prop_assert!(decimals <= 2 && (0..=Price::MAX.centavos()).contains(&price.centavos()));
            }
        }
    }
}
