//! Decimal text to and from an integer count of a small unit, exactly.

use std::fmt;

use super::quoted::Quoted;

/// Why a text is not such a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not digits with at most one point or comma between them.
    #[error("{} não é um número", Quoted(.0))]
    NotANumber(String),
    /// More decimals than the number may have; it is never rounded.
    #[error("{} tem mais de {decimals_max} casas decimais", Quoted(.text))]
    TooManyDecimals { text: String, decimals_max: u32 },
    /// The number does not fit its limit.
    #[error("{} é grande demais", Quoted(.0))]
    TooLarge(String),
}

/// Reads `digits[.digits]` (or a comma) as a count of units of 10^-`decimals_max`,
/// from 0 to `limit`. No sign, no exponent, no thousands separator.
///
/// # Errors
/// Says what is wrong with the text; nothing is rounded or cut.
pub(super) fn parse(text: &str, decimals_max: u32, limit: i64) -> Result<i64, DecimalError> {
    let (whole, fraction) = match text.find(['.', ',']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return Err(DecimalError::NotANumber(text.to_owned()));
    }
    let fraction = fraction.unwrap_or("");
    if fraction.len() > decimals_max as usize {
        return Err(DecimalError::TooManyDecimals { text: text.to_owned(), decimals_max });
    }
    let padding = decimals_max as usize - fraction.len();
    let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding));
    let mut value: i64 = 0;
    for digit in digits {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i64::from(digit - b'0')))
            .filter(|value| *value <= limit)
            .ok_or_else(|| DecimalError::TooLarge(text.to_owned()))?;
    }
    Ok(value)
}

/// Writes a count of units of 10^-`decimals_max` with a point, at least `decimals_min`
/// decimals and no trailing zero beyond them.
///
/// # Errors
/// Only those of the formatter.
pub(super) fn write(
    out: &mut impl fmt::Write,
    value: i64,
    decimals_max: u32,
    decimals_min: usize,
) -> fmt::Result {
    let scale = 10_u64.pow(decimals_max);
    let magnitude = value.unsigned_abs();
    if value < 0 {
        out.write_char('-')?;
    }
    write!(out, "{}", magnitude / scale)?;
    let mut fraction = magnitude % scale;
    let mut width = decimals_max as usize;
    while width > decimals_min && fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    if width > 0 {
        write!(out, ".{fraction:0width$}")?;
    }
    Ok(())
}
