//! Writes sorted runs of request ids.

use std::ops::Range;

use rusqlite::{Connection, params};

use crate::store::request_ids::{ENTRY_BYTES, Run, write_entries};

/// Ids in a row of a run (a chunk): as many as fit in one page of 4096 bytes, of which a row may take 4061
/// (<https://sqlite.org/fileformat2.html>).
const CHUNK_ENTRIES: usize = 248;

/// Transactions over which the storing of a run is spread: 256 KiB of a full run each, about a millisecond.
/// So few transactions bring fewer new ids than a run has, so the runs keep up.
const PIECES: usize = 16;

/// The entries of a run that one transaction stores, from index `from` on.
pub(super) fn piece(run: &Run, from: usize) -> Range<usize> {
    let chunks = run.entries.len().div_ceil(CHUNK_ENTRIES).div_ceil(PIECES);
    from..run.entries.len().min(from + chunks * CHUNK_ENTRIES)
}

/// Writes a piece of a run inside a transaction. With the last piece, the run becomes valid.
pub(super) fn write_piece(run: &Run, connection: &Connection, piece: &Range<usize>) -> rusqlite::Result<()> {
    let number = run.group.last_run();
    if piece.start == 0 {
        // A killed server may have left chunks of a run of this number. Deleting them takes some
        // milliseconds.
        connection.execute("DELETE FROM request_chunk WHERE round = ?1", [number])?;
    }
    let mut row = connection
        .prepare_cached("INSERT INTO request_chunk (round, first_hash, entries) VALUES (?1, ?2, ?3)")?;
    let mut bytes = Vec::with_capacity(CHUNK_ENTRIES * ENTRY_BYTES);
    for chunk in run.entries[piece.clone()].chunks(CHUNK_ENTRIES) {
        bytes.clear();
        write_entries(chunk, &mut bytes);
        row.execute(params![number, chunk[0].0, bytes])?;
    }
    if piece.end < run.entries.len() {
        return Ok(());
    }
    let insert = "INSERT INTO request_round (number, filter, group_filter) VALUES (?1, ?2, ?3)";
    connection.execute(insert, params![number, run.group.last_filter(), run.group.full_filter()])?;
    write_through(connection, run.through)
}

/// Notes inside a transaction that the runs have all ids up to this movement.
pub(super) fn write_through(connection: &Connection, through: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE request_index SET through = ?1", [through]).map(drop)
}
