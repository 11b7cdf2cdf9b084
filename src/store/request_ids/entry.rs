//! An entry of the index, in memory and in its stored form.

use super::tables::Malformed;

/// The hash of an id, and its place: a sequence number of the ledger, or [`ELSEWHERE`](super::ELSEWHERE).
pub(in crate::store) type Entry = (i64, i64);

/// Bytes of an entry: the hash and the place, least significant byte first.
pub(in crate::store) const ENTRY_BYTES: usize = 16;

/// The entries of a chunk in its stored form.
pub(super) fn entries(chunk: &[u8]) -> Result<&[[u8; ENTRY_BYTES]], Malformed> {
    let (entries, rest) = chunk.as_chunks();
    if rest.is_empty() { Ok(entries) } else { Err(Malformed("not entries of the index of request ids")) }
}

/// The hash (`index` 0) or the place (`index` 1) of an entry.
pub(super) fn half(entry: &[u8; ENTRY_BYTES], index: usize) -> i64 {
    i64::from_le_bytes(entry.as_chunks().0[index])
}

/// Writes entries in their stored form after `bytes`.
pub(in crate::store) fn write_entries(entries: &[Entry], bytes: &mut Vec<u8>) {
    for (hash, place) in entries {
        bytes.extend_from_slice(&hash.to_le_bytes());
        bytes.extend_from_slice(&place.to_le_bytes());
    }
}
