//! An entry of the index, in memory and in its stored form.

use rusqlite::Row;

use crate::store::sqlite::error::bad_value;

/// The hash of an id, and its place: a sequence number of the ledger, or [`ELSEWHERE`](super::ELSEWHERE).
pub(super) type Entry = (i64, i64);

/// Bytes of an entry: the hash and the place, least significant byte first.
pub(super) const ENTRY_BYTES: usize = 16;

/// The entries of a chunk.
pub(super) fn entries<'r>(row: &'r Row<'_>, index: usize) -> rusqlite::Result<&'r [[u8; ENTRY_BYTES]]> {
    let (entries, rest) = row.get_ref(index)?.as_blob()?.as_chunks();
    if !rest.is_empty() {
        return Err(bad_value(index, "not entries of the index of request ids"));
    }
    Ok(entries)
}

/// The hash (`index` 0) or the place (`index` 1) of an entry.
pub(super) fn half(entry: &[u8; ENTRY_BYTES], index: usize) -> i64 {
    i64::from_le_bytes(entry.as_chunks().0[index])
}
