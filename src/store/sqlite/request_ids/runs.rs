//! Sorted runs of request ids, in their stored form.

use std::ops::Range;

use rusqlite::{Connection, params};

use super::entry::{ENTRY_BYTES, Entry, entries, half};
use super::groups::Group;

/// Ids in a row of a run (a chunk): as many as fit in one page of 4096 bytes, of which a row may take 4061
/// (<https://sqlite.org/fileformat2.html>).
const CHUNK_ENTRIES: usize = 248;

/// Transactions over which the storing of a run is spread: 256 KiB of a full run each, about a millisecond.
/// So few transactions bring fewer new ids than a run has, so the runs keep up.
const PIECES: usize = 16;

/// A sorted run: ids that are stored together.
pub(super) struct Run {
    /// The entries, ordered by hash.
    pub(super) entries: Vec<Entry>,
    /// The group of the run, which includes this run.
    pub(super) group: Group,
    /// The last movement whose id, and those of all movements before it, are in this run or an earlier one.
    pub(super) through: i64,
}

impl Run {
    /// Sorts entries into a run, and adds the run to its group.
    pub(super) fn of(mut entries: Vec<Entry>, mut group: Group, through: i64) -> Self {
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        group.add_run(entries.iter().map(|(hash, _)| *hash));
        Self { entries, group, through }
    }

    /// The entries that one transaction stores, from index `from` on.
    pub(super) fn piece(&self, from: usize) -> Range<usize> {
        let chunks = self.entries.len().div_ceil(CHUNK_ENTRIES).div_ceil(PIECES);
        from..self.entries.len().min(from + chunks * CHUNK_ENTRIES)
    }

    /// Writes a piece inside a transaction. With the last piece, the run becomes valid.
    pub(super) fn write(&self, connection: &Connection, piece: &Range<usize>) -> rusqlite::Result<()> {
        let number = self.group.last_run();
        if piece.start == 0 {
            // A killed server may have left chunks of a run of this number. Deleting them takes some
            // milliseconds.
            connection.execute("DELETE FROM request_chunk WHERE round = ?1", [number])?;
        }
        let mut row = connection
            .prepare_cached("INSERT INTO request_chunk (round, first_hash, entries) VALUES (?1, ?2, ?3)")?;
        let mut bytes = Vec::with_capacity(CHUNK_ENTRIES * ENTRY_BYTES);
        for chunk in self.entries[piece.clone()].chunks(CHUNK_ENTRIES) {
            bytes.clear();
            for (hash, place) in chunk {
                bytes.extend_from_slice(&hash.to_le_bytes());
                bytes.extend_from_slice(&place.to_le_bytes());
            }
            row.execute(params![number, chunk[0].0, bytes])?;
        }
        if piece.end < self.entries.len() {
            return Ok(());
        }
        let insert = "INSERT INTO request_round (number, filter, group_filter) VALUES (?1, ?2, ?3)";
        connection.execute(insert, params![number, self.group.last_filter(), self.group.full_filter()])?;
        write_through(connection, self.through)
    }
}

/// Notes inside a transaction that the runs have all ids up to this movement.
pub(super) fn write_through(connection: &Connection, through: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE request_index SET through = ?1", [through]).map(drop)
}

/// The places that a stored run has for a hash.
pub(super) fn stored_places(connection: &Connection, run: usize, hash: i64) -> rusqlite::Result<Vec<i64>> {
    let mut places = Vec::new();
    // Downwards, as long as the previous chunk may end with the same hash.
    let mut chunks = connection.prepare_cached(
        "SELECT first_hash, entries FROM request_chunk WHERE round = ?1 AND first_hash <= ?2
         ORDER BY first_hash DESC",
    )?;
    let mut rows = chunks.query([run as i64, hash])?;
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let entries = entries(row, 1)?;
        let from = entries.partition_point(|entry| half(entry, 0) < hash);
        let same = entries[from..].iter().take_while(|entry| half(entry, 0) == hash);
        places.extend(same.map(|entry| half(entry, 1)));
        if first < hash {
            break;
        }
    }
    Ok(places)
}
