//! The codes of products: the shop's own code, which its scales use, and barcodes.

use std::fmt;
use std::num::NonZeroU32;

use super::gtin::check_digit;
use super::quoted::Quoted;

/// The highest shop code: six digits, as many as scales and their labels take.
pub const SHOP_CODE_MAX: u32 = 999_999;

/// Digits of the longest code, a GTIN-14.
const CODE_DIGITS_MAX: usize = 14;

/// The digits of the codes that end with a check digit: GTIN-8, 12, 13 and 14.
const GTIN_DIGITS: [usize; 4] = [8, 12, 13, 14];

/// The digits of a PLU, the number on the sticker of a fruit.
const PLU_DIGITS: std::ops::RangeInclusive<usize> = 4..=5;

/// A product's number on the shop's scales, 1 to [`SHOP_CODE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShopCode(NonZeroU32);

/// A barcode: a GTIN with its check digit, or a PLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Barcode {
    value: u64,
    /// The count of digits of the barcode, with leading zeros.
    digits: u8,
}

/// Why a code is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A shop code that is not a number of one to six digits.
    #[error("código {} inválido; use de 1 a 6 dígitos, como 123", Quoted(.0))]
    Shop(String),
    /// A barcode with other characters, or another count of digits.
    #[error(
        "código de barras {} inválido; use os 8, 12, 13 ou 14 dígitos da etiqueta, ou os 4 ou 5 de um PLU",
        Quoted(.0)
    )]
    Barcode(String),
    /// A barcode with a wrong check digit, which was misread or mistyped.
    #[error(
        "o código de barras {} tem o dígito verificador errado: termina em {last}, e deveria terminar em {expected}; \
         leia-o de novo",
        Quoted(.text)
    )]
    CheckDigit { text: String, last: u8, expected: u8 },
}

impl ShopCode {
    /// The code with this number.
    ///
    /// # Errors
    /// If the number is not 1 to [`SHOP_CODE_MAX`].
    pub fn from_number(number: i64) -> Result<Self, CodeError> {
        let code = u32::try_from(number).ok().filter(|code| *code <= SHOP_CODE_MAX).and_then(NonZeroU32::new);
        code.map(Self).ok_or_else(|| CodeError::Shop(number.to_string()))
    }

    /// Reads a code as a person writes it. Leading zeros are ignored.
    ///
    /// # Errors
    /// If the text is not a number of one to six digits, or is zero.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let number = digits(text).filter(|digits| digits.len() <= 6).map(|digits| value(&digits));
        let number = number.and_then(|number| i64::try_from(number).ok());
        number
            .and_then(|number| Self::from_number(number).ok())
            .ok_or_else(|| CodeError::Shop(text.to_owned()))
    }

    /// The number of the code.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl Barcode {
    /// Reads a barcode as a scanner or a person writes it.
    ///
    /// # Errors
    /// If the text has other characters or another count of digits, or its check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let wrong = || CodeError::Barcode(text.to_owned());
        let digits = digits(text).filter(|digits| digits.iter().any(|digit| *digit > 0)).ok_or_else(wrong)?;
        if GTIN_DIGITS.contains(&digits.len()) {
            check_gtin(text, &digits)?;
        } else if !PLU_DIGITS.contains(&digits.len()) {
            return Err(wrong());
        }
        Ok(Self { value: value(&digits), digits: digits.len() as u8 })
    }
}

/// Checks the last digit of a GTIN.
///
/// # Errors
/// If the last digit is not the check digit of the others.
fn check_gtin(text: &str, digits: &[u8]) -> Result<(), CodeError> {
    let Some((last, before)) = digits.split_last() else { return Ok(()) };
    let expected = check_digit(before);
    if expected == *last {
        return Ok(());
    }
    Err(CodeError::CheckDigit { text: text.to_owned(), last: *last, expected })
}

/// Checks whether a text that is no product's name or code is a misread barcode.
///
/// # Errors
/// If the text has as many digits as a GTIN, and a wrong check digit.
pub fn check_misread(text: &str) -> Result<(), CodeError> {
    let text = text.trim();
    match digits(text) {
        Some(digits) if GTIN_DIGITS.contains(&digits.len()) => check_gtin(text, &digits),
        _ => Ok(()),
    }
}

/// The number by which a code is found. Codes that differ only by leading zeros are the same: a scanner may
/// read the 12 digits of a GTIN as 13, and a label of a scale pads the shop's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CodeValue(pub(super) u64);

impl CodeValue {
    /// The value of a text that may be a code.
    pub(super) fn parse(text: &str) -> Option<Self> {
        digits(text.trim()).map(|digits| value(&digits)).filter(|value| *value > 0).map(Self)
    }
}

impl From<ShopCode> for CodeValue {
    fn from(code: ShopCode) -> Self {
        Self(code.number().into())
    }
}

impl From<Barcode> for CodeValue {
    fn from(barcode: Barcode) -> Self {
        Self(barcode.value)
    }
}

/// The digits of a text that has nothing else, and no more digits than a code.
fn digits(text: &str) -> Option<Vec<u8>> {
    let is_code =
        (1..=CODE_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| text.bytes().map(|byte| byte - b'0').collect())
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| 10 * value + u64::from(*digit))
}

impl fmt::Display for ShopCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.value, width = self.digits.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_code_has_one_to_six_digits() {
        for (text, number) in [("1", 1), ("000123", 123), (" 999999 ", 999_999)] {
            assert_eq!(ShopCode::parse(text).map(ShopCode::number), Ok(number));
        }
        for text in ["", "0", "000000", "1000000", "0000001", "-1", "12a", "1 2", "１"] {
            assert!(ShopCode::parse(text).is_err(), "{text}");
        }
        assert!(ShopCode::from_number(1_000_000).is_err() && ShopCode::from_number(-1).is_err());
    }

    #[test]
    fn a_barcode_is_a_gtin_or_a_plu() {
        for text in
            ["40170725", "614141007349", "0614141007349", "7891000100103", "10614141000415", "4011", "94011"]
        {
            assert_eq!(Barcode::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "0000", "123", "123456", "1234567", "123456789012345", "789100010010a", "789 1000"] {
            assert!(matches!(Barcode::parse(text), Err(CodeError::Barcode(_))), "{text}");
        }
        let wrong = Barcode::parse("7891000100104").unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "o código de barras \"7891000100104\" tem o dígito verificador errado: termina em 4, e deveria terminar em \
             3; leia-o de novo"
        );
        assert_eq!(check_misread(" 7891000100104 "), Err(wrong));
        for text in ["7891000100103", "4012", "caju", ""] {
            assert_eq!(check_misread(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn zeros_before_a_code_mean_nothing() {
        let twelve = CodeValue::from(Barcode::parse("614141007349").unwrap());
        assert_eq!(CodeValue::parse(" 00614141007349"), Some(twelve));
        assert_eq!(CodeValue::parse("000123"), Some(ShopCode::parse("123").unwrap().into()));
        for text in ["", "0", "12a", "123456789012345"] {
            assert_eq!(CodeValue::parse(text), None, "{text}");
        }
    }
}
