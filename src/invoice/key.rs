//! The key of an invoice: 44 signs, of which the last is a check digit, and which repeat fields of the invoice.

/// Signs of a key.
pub(super) const KEY_CHARS: usize = 44;

/// Places of the fields in a key.
const SUPPLIER: std::ops::Range<usize> = 6..20;
const MODEL: std::ops::Range<usize> = 20..22;
const SERIES: std::ops::Range<usize> = 22..25;
const NUMBER: std::ops::Range<usize> = 25..34;

/// A key whose check digit is right.
pub(super) struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// Checks a key: digits, but for the registration of the supplier, which may have letters (since July 2026),
    /// and the check digit.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let is_right = |(place, sign): (usize, u8)| {
            sign.is_ascii_digit() || (SUPPLIER.contains(&place) && sign.is_ascii_uppercase())
        };
        if text.len() != KEY_CHARS || !text.bytes().enumerate().all(is_right) {
            return None;
        }
        let (signs, digit) = text.as_bytes().split_at(KEY_CHARS - 1);
        (digit == [check_digit(signs)]).then_some(Self(text))
    }

    pub(super) fn supplier(&self) -> &'a str {
        &self.0[SUPPLIER]
    }

    pub(super) fn model(&self) -> &'a str {
        &self.0[MODEL]
    }

    pub(super) fn series(&self) -> Option<u32> {
        self.0[SERIES].parse().ok()
    }

    pub(super) fn number(&self) -> Option<u32> {
        self.0[NUMBER].parse().ok()
    }
}

/// The check digit: modulo 11, with the weights 2 to 9 from the right. A letter counts as its distance from `0`.
pub(super) fn check_digit(signs: &[u8]) -> u8 {
    let weights = (2..=9_u32).cycle();
    let sum: u32 = signs
        .iter()
        .rev()
        .zip(weights)
        .map(|(sign, weight)| u32::from(sign.wrapping_sub(b'0')) * weight)
        .sum();
    match sum % 11 {
        0 | 1 => b'0',
        rest => b'0' + (11 - rest) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_any_other_digit_is_none() {
        // The example of the manual of the layout (Manual de Orientação do Contribuinte, chapter 2.2.6).
        let key = "52060433009911002506550120000007800267301615";
        let found = Key::of(key).unwrap();
        assert_eq!((found.supplier(), found.model()), ("33009911002506", "55"));
        assert_eq!((found.series(), found.number()), (Some(12), Some(780)));
        for place in 0..KEY_CHARS {
            let mut other = key.as_bytes().to_vec();
            other[place] = if other[place] == b'9' { b'0' } else { other[place] + 1 };
            assert!(Key::of(std::str::from_utf8(&other).unwrap()).is_none(), "{place}");
        }
        for text in ["", &key[1..], &format!("{key}0"), &key.replace('5', "é")] {
            assert!(Key::of(text).is_none());
        }
    }

    #[test]
    fn a_supplier_may_be_registered_with_letters() {
        let start = "352611".to_owned() + "12ABC34501DE35" + "55" + "001" + "000000123" + "1" + "00000123";
        let key = format!("{start}{}", char::from(check_digit(start.as_bytes())));
        assert_eq!(Key::of(&key).unwrap().supplier(), "12ABC34501DE35");
        assert!(Key::of(&key.replace("ABC", "abc")).is_none());
    }
}
