//! The checks that a reader of JSON does not make: no field is there twice, because one of the two would be
//! lost, and there are no more values than a message has room for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::catalog::{Quoted, Shown};
use crate::refusal::{Code, Refusal};

/// The bytes of a message's limit for each value of its JSON: the shortest values take far less as text than
/// in memory.
pub const VALUE_BYTES_MIN: usize = 8;

/// Checks the text of a message with this limit.
///
/// # Errors
/// If the text is not JSON, has a field twice, is nested too deep or has too many values.
pub(super) fn check(json: &str, bytes_max: usize) -> Result<(), Refusal> {
    let mut found = Found { values_left: bytes_max / VALUE_BYTES_MIN, fault: None };
    let mut text = serde_json::Deserializer::from_str(json);
    let read = Value(&mut found).deserialize(&mut text).and_then(|()| text.end());
    let Err(error) = read else { return Ok(()) };
    let refusal = match found.fault {
        Some(Fault::Twice(name)) => {
            let what = format!("o campo {} está duas vezes no JSON", Quoted(&name));
            let metadata = vec![("field", Shown(&name).to_string())];
            Refusal { metadata, ..Refusal::invalid("message", what) }
        }
        Some(Fault::TooMany) => {
            let what = "o JSON tem valores demais para esta chamada. Nada foi feito; envie em partes.";
            Refusal::new(Code::ResourceExhausted, what)
        }
        None if error.classify() == Category::Syntax && error.to_string().starts_with("recursion") => {
            Refusal::invalid("message", "o JSON é fundo demais")
        }
        None => {
            let (line, column) = (error.line(), error.column());
            Refusal::invalid("message", format!("o corpo não é JSON válido (linha {line}, coluna {column})"))
        }
    };
    Err(refusal)
}

/// Valid JSON in which the first number with a fraction is a half of the same length. A double, as which numbers are
/// read, rounds a small fraction away, and no field has room for a half.
pub(super) fn with_plain_fraction(json: &str) -> Cow<'_, str> {
    let Some(number) = first_fraction(json) else { return Cow::Borrowed(json) };
    let mut plain = json.to_owned();
    let half = format!("{:0<width$}", "0.5", width = number.len());
    plain.replace_range(number, &half);
    Cow::Owned(plain)
}

/// The place of the first number that is not whole.
fn first_fraction(json: &str) -> Option<Range<usize>> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b'"' => text_length(rest),
            b'-' | b'0'..=b'9' => {
                let number = rest
                    .iter()
                    .take_while(|byte| !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
                let number = at..at + number.count();
                if !is_whole(&json[number.clone()]) {
                    return Some(number);
                }
                number.len()
            }
            _ => 1,
        };
        at += length;
    }
    None
}

/// The bytes of a text of JSON with its quotation marks.
fn text_length(rest: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = rest.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(rest.len(), |end| end + 2)
}

/// Whether a number is whole: no digit but zeros is behind the decimal point, where the exponent has moved it.
fn is_whole(number: &str) -> bool {
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = [before.trim_start_matches('-'), after].concat();
    let last = digits.trim_end_matches('0').len();
    // An exponent beyond 64 bits is negative: JSON with a number that no double can be has been refused.
    let exponent = exponent.parse().unwrap_or(i64::MIN);
    last == 0 || exponent.saturating_add_unsigned((digits.len() - last) as u64) >= after.len() as i64
}

/// The findings so far.
struct Found {
    values_left: usize,
    fault: Option<Fault>,
}

enum Fault {
    /// A field that an object has twice.
    Twice(String),
    TooMany,
}

/// The next value of any type.
struct Value<'f>(&'f mut Found);

impl Found {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.values_left.checked_sub(1) {
            Some(left) => self.values_left = left,
            None => {
                self.fault = Some(Fault::TooMany);
                return Err(E::custom("too many values"));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Value(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            // A field has two names: that of the contract, and that of JSON.
            if !seen.insert(name.replace('_', "").to_ascii_lowercase()) {
                self.0.fault = Some(Fault::Twice(name));
                return Err(A::Error::custom("a field twice"));
            }
            fields.next_value_seed(Value(&mut *self.0))?;
        }
        Ok(())
    }
}
