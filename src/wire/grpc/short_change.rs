//! The changes of a stream, read by hand: a stream carries hundreds of thousands a second, and the generated code
//! copies the name of each into a message.

use super::fields::requested_kind;
use crate::catalog::Quantity;
use crate::operation::AdjustRequest;
use crate::refusal::Refusal;

/// The keys of the fields: the number of the field, and three bits for the form of its value.
const ADJUSTMENT: u8 = 1 << 3 | LENGTH_DELIMITED;
const NAME: u8 = 1 << 3 | LENGTH_DELIMITED;
const DELTA_THOUSANDTHS: u8 = 2 << 3;
const KIND: u8 = 4 << 3;
const LENGTH_DELIMITED: u8 = 2;

/// The bytes of the longest number, and the highest last one of so many: Protocol Buffers' own.
const NUMBER_LENGTH: usize = 10;
const LAST_BYTE: u8 = 1;

/// Reads a `StreamAdjustStockRequest` that has only a name, a quantity and a kind, as most have. `None` for any
/// other bytes, which the generated code reads or refuses.
///
/// The inner error is that of [`adjust_request`](super::adjust_request).
pub fn short_change(message: &[u8]) -> Option<Result<AdjustRequest<'_>, Refusal>> {
    let mut left = message.strip_prefix(&[ADJUSTMENT])?;
    if number(&mut left)? != left.len() as u64 {
        return None;
    }
    let (mut name, mut delta, mut kind) = ("", 0, 0);
    while let Some((key, rest)) = left.split_first() {
        left = rest;
        match *key {
            NAME => {
                let length = usize::try_from(number(&mut left)?).ok()?;
                let (text, rest) = left.split_at_checked(length)?;
                (name, left) = (str::from_utf8(text).ok()?, rest);
            }
            DELTA_THOUSANDTHS => delta = number(&mut left)?.cast_signed(),
            // An enumerator is the lower half of its number.
            KIND => kind = number(&mut left)? as i32,
            _ => return None,
        }
    }
    Some(change(name, delta, kind))
}

fn change(name: &str, delta_thousandths: i64, kind: i32) -> Result<AdjustRequest<'_>, Refusal> {
    let delta = Quantity::from_thousandths(delta_thousandths)
        .map_err(|error| Refusal::quantity("delta_thousandths", &error))?;
    Ok(AdjustRequest { name, delta, kind: requested_kind(kind)?, request_id: None, details: None })
}

/// Takes a number from the beginning of these bytes.
fn number(left: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (index, byte) in left.iter().enumerate().take(NUMBER_LENGTH) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            *left = &left[index + 1..];
            return (index + 1 < NUMBER_LENGTH || *byte <= LAST_BYTE).then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::wire::grpc::{adjust_request, v1};

    /// The change that the generated code reads; `None` if it refuses the bytes.
    fn generated(bytes: &[u8]) -> Option<String> {
        let message = v1::StreamAdjustStockRequest::decode(bytes).ok()?.adjustment.unwrap_or_default();
        Some(format!("{:?}", adjust_request(&message)))
    }

    fn short(bytes: &[u8]) -> Option<String> {
        short_change(bytes).map(|change| format!("{change:?}"))
    }

    fn encoded(adjustment: v1::AdjustStockRequest) -> Vec<u8> {
        v1::StreamAdjustStockRequest { adjustment: Some(adjustment) }.encode_to_vec()
    }

    #[test]
    fn other_bytes_are_left_to_the_generated_code() {
        let longest = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let delta = [&[0x0a, 11, 0x10][..], &longest[1..]].concat();
        assert_eq!(short(&delta), generated(&delta));
        assert!(short(&delta).is_some());
        let mut too_long = delta.clone();
        *too_long.last_mut().unwrap() = 2;
        for other in [
            &b""[..],
            &too_long,
            // Another message behind the first, half of one, a field of the outer message, a name that is no text.
            b"\x0a\x02\x20\x01\x0a\x00",
            b"\x0a\x03\x20\x01",
            b"\x12\x00",
            b"\x0a\x03\x0a\x01\xff",
            b"\x0a\x02\x1a\x00",
        ] {
            assert_eq!(short(other), None, "{other:?}");
        }
        let with_id = v1::AdjustStockRequest { request_id: "a".to_owned(), ..Default::default() };
        assert_eq!(short(&encoded(with_id)), None);
    }

    proptest! {
        #[test]
        fn a_short_change_is_read_as_the_generated_code_reads_it(
            name in "\\PC{0,70}", delta_thousandths in any::<i64>(), small in -9_i64..9, kind in -1_i32..9,
            is_small in any::<bool>(),
        ) {
            let delta_thousandths = if is_small { small * 1000 } else { delta_thousandths };
            let bytes = encoded(v1::AdjustStockRequest { name, delta_thousandths, kind, ..Default::default() });
            prop_assert!(short(&bytes).is_some());
            prop_assert_eq!(short(&bytes), generated(&bytes));
        }

        #[test]
        fn no_bytes_are_read_in_another_way(
            inner in prop::collection::vec(
                prop_oneof![3 => prop::sample::select(vec![0x0a, 0x10, 0x20, 0x80, 1, 2]), 1 => any::<u8>()], 0..24
            ),
        ) {
            let bytes = [&[0x0a, inner.len() as u8][..], &inner].concat();
            if let Some(change) = short(&bytes) {
                prop_assert_eq!(Some(change), generated(&bytes));
            }
        }
    }
}
