//! Protobuf written by hand, without a message in between.

use prost::encoding::{WireType, encode_key, encode_varint};

/// Writes a message inside another.
pub(super) fn write_part(tag: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    let start = out.len();
    write(out);
    let end = out.len();
    encode_varint((end - start) as u64, out);
    // The length stands before the message that it is the length of.
    let length_bytes = out.len() - end;
    out[start..].rotate_right(length_bytes);
}

pub(super) fn write_text(tag: u32, text: &str, out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Writes an integer of an optional field, in which zero and absence differ.
pub(super) fn write_optional(tag: u32, number: Option<i64>, out: &mut Vec<u8>) {
    if let Some(number) = number {
        encode_key(tag, WireType::Varint, out);
        encode_varint(number.cast_unsigned(), out);
    }
}

/// Writes an integer or an enumerator; a zero is not written.
pub(super) fn write_number(tag: u32, number: i64, out: &mut Vec<u8>) {
    if number != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(number.cast_unsigned(), out);
    }
}
