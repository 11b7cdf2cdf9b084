//! Sorted runs of request ids, as they are stored.

use std::ops::Range;

use rusqlite::{Connection, params};

use super::entry::{ENTRY_BYTES, Entry, entries, half};
use super::groups::Group;

/// Ids in a row of a run: with its header, such a row fills a page of 4096 bytes and needs
/// no second one (<https://sqlite.org/fileformat2.html>, at most 4061 bytes stay in a leaf).
const CHUNK_ENTRIES: usize = 248;

/// Transactions that store a run, each some of it: 256 KiB of a full one, about a millisecond. By
/// then they have brought fewer ids than the run has, so that the runs keep up.
const PIECES: usize = 16;

/// Ids that are stored together.
pub(super) struct Run {
    /// By their hash.
    pub(super) entries: Vec<Entry>,
    /// The group of the run, with this run in it.
    pub(super) group: Group,
    /// Up to this movement, ids are in this run and those before it.
    pub(super) through: i64,
}

impl Run {
    /// Sorts these entries, and adds them to their group.
    pub(super) fn of(mut entries: Vec<Entry>, mut group: Group, through: i64) -> Self {
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        group.add_run(entries.iter().map(|(hash, _)| *hash));
        Self { entries, group, through }
    }

    /// The entries that one transaction stores, from this one on.
    pub(super) fn piece(&self, from: usize) -> Range<usize> {
        let chunks = self.entries.len().div_ceil(CHUNK_ENTRIES).div_ceil(PIECES);
        from..self.entries.len().min(from + chunks * CHUNK_ENTRIES)
    }

    /// Writes some entries inside a transaction. With the last ones, the run is there.
    pub(super) fn write(&self, connection: &Connection, piece: &Range<usize>) -> rusqlite::Result<()> {
        let number = self.group.last_run();
        if piece.start == 0 {
            // What a kill left of a run that was to have this number: some milliseconds.
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

/// Notes, inside a transaction, up to which movement ids are in runs.
pub(super) fn write_through(connection: &Connection, through: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE request_index SET through = ?1", [through]).map(drop)
}

/// The places that a stored run has for a hash.
pub(super) fn stored_places(connection: &Connection, run: usize, hash: i64) -> rusqlite::Result<Vec<i64>> {
    let mut places = Vec::new();
    // Downwards, for as long as the chunk before may end with the same hash.
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
