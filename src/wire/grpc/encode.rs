//! Protobuf written by hand, without a message in between.

use prost::encoding::{WireType, encode_varint, encoded_len_varint};

/// The lengths and numbers below this are one byte.
const ONE_BYTE: u64 = 0x80;

/// Writes a message inside another.
pub(super) fn write_part(tag: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write_key(tag, WireType::LengthDelimited, out);
    // The length stands before the message that it is the length of, and nearly all are one byte.
    let start = out.len() + 1;
    out.push(0);
    write(out);
    let length = out.len() - start;
    if (length as u64) < ONE_BYTE {
        out[start - 1] = length as u8;
        return;
    }
    let end = out.len();
    out.resize(end + encoded_len_varint(length as u64) - 1, 0);
    let moved = out.len() - length;
    out.copy_within(start..end, moved);
    encode_varint(length as u64, &mut &mut out[start - 1..moved]);
}

pub(super) fn write_text(tag: u32, text: &str, out: &mut Vec<u8>) {
    write_key(tag, WireType::LengthDelimited, out);
    write_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Writes an integer of an optional field, in which zero and absence differ.
pub(super) fn write_optional(tag: u32, number: Option<i64>, out: &mut Vec<u8>) {
    if let Some(number) = number {
        write_key(tag, WireType::Varint, out);
        write_varint(number.cast_unsigned(), out);
    }
}

/// Writes an integer or an enumerator; a zero is not written.
pub(super) fn write_number(tag: u32, number: i64, out: &mut Vec<u8>) {
    if number != 0 {
        write_key(tag, WireType::Varint, out);
        write_varint(number.cast_unsigned(), out);
    }
}

fn write_key(tag: u32, wire_type: WireType, out: &mut Vec<u8>) {
    write_varint(u64::from(tag << 3 | wire_type as u32), out);
}

fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= ONE_BYTE {
        out.push(number as u8 | ONE_BYTE as u8);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use prost::encoding::{decode_key, decode_varint};

    use super::*;

    #[test]
    fn lengths_and_numbers_of_any_size_are_read_back() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 3_000_000] {
            let mut out = vec![7];
            write_part(500, &mut out, |out| out.resize(out.len() + length, 9));
            let mut left = &out[1..];
            assert_eq!(decode_key(&mut left).unwrap(), (500, WireType::LengthDelimited));
            assert_eq!(decode_varint(&mut left).unwrap(), length as u64);
            assert_eq!(left, vec![9; length]);
        }
        for number in [1, 127, 128, 1 << 35, i64::MAX, -1, i64::MIN] {
            let mut out = Vec::new();
            write_number(15, number, &mut out);
            let mut left = &out[..];
            assert_eq!(decode_key(&mut left).unwrap(), (15, WireType::Varint));
            assert_eq!((decode_varint(&mut left).unwrap().cast_signed(), left), (number, &[][..]));
        }
    }
}
