//! Decimal text to and from an integer count of a small unit, exactly.

use std::fmt;

use super::quoted::Quoted;

/// Why a text is not a valid decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not digits with at most one point or comma between them.
    #[error("{} não é um número", Quoted(.0))]
    NotANumber(String),
    /// More decimals than the number may have. Numbers are never rounded.
    #[error("{} tem mais de {decimals_max} casas decimais", Quoted(.text))]
    TooManyDecimals { text: String, decimals_max: u32 },
    /// The number is above its limit.
    #[error("{} é grande demais", Quoted(.0))]
    TooLarge(String),
}

/// Reads `digits[.digits]` (or a comma) as a count of units of 10^-`decimals_max`,
/// from 0 to `limit`. No sign, no exponent, no thousands separator.
///
/// # Errors
/// If the text has another form, too many decimals, or a value above the limit. Nothing is rounded or cut.
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

/// Whether an unsigned number can be read both as a whole number with its thousands marked off and as a
/// number with three decimals: `1.000`, `12.500`, but not `0.350`, which nobody groups, nor `1000.500`,
/// whose first group would have four digits.
pub fn has_two_readings(number: &str, separator: char) -> bool {
    let Some((whole, last)) = number.split_once(separator) else { return false };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(whole.len(), 1..=3)
        && !whole.starts_with('0')
        && last.len() == 3
        && is_digits(whole)
        && is_digits(last)
}

/// Writes a count of units of 10^-`DECIMALS_MAX` with a point, at least `DECIMALS_MIN`
/// decimals and no trailing zero beyond them.
///
/// # Errors
/// If the writer fails.
pub(super) fn write<const DECIMALS_MAX: u32, const DECIMALS_MIN: u32>(
    out: &mut impl fmt::Write,
    value: i64,
) -> fmt::Result {
    let scale = const { 10_u64.pow(DECIMALS_MAX) };
    let (whole, mut fraction) = (value.unsigned_abs() / scale, value.unsigned_abs() % scale);
    if value < 0 {
        out.write_char('-')?;
    }
    // Every reply has two numbers, and `core::fmt` took a fifth of the time of a read.
    out.write_str(itoa::Buffer::new().format(whole))?;
    if fraction == 0 && DECIMALS_MIN == 0 {
        return Ok(());
    }
    out.write_char('.')?;
    let mut unit = scale;
    for decimal in 1..=DECIMALS_MAX {
        unit /= 10;
        out.write_char((b'0' + (fraction / unit) as u8) as char)?;
        fraction %= unit;
        if fraction == 0 && decimal >= DECIMALS_MIN {
            break;
        }
    }
    Ok(())
}
