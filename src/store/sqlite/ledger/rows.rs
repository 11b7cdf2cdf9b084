//! Reads rows of the ledger: by sequence number, and from a movement of a product back to the previous one.

use rusqlite::{Connection, OptionalExtension};

use crate::catalog::{Document, Movement};
use crate::store::LedgerRow;
use crate::store::sqlite::details::{Authors, with_details};
use crate::store::sqlite::rows::{SELECT_MOVEMENTS, read_movement};

/// Reads up to `count` rows, from `first_sequence` on.
pub(in crate::store::sqlite) fn rows(
    connection: &Connection,
    first_sequence: i64,
    count: usize,
) -> rusqlite::Result<Vec<LedgerRow>> {
    let mut statement = connection.prepare_cached(SELECT_MOVEMENTS)?;
    let mut authors = Authors::new(connection);
    let movements =
        statement.query_map([first_sequence, count as i64], |row| read_movement(row, &mut authors))?;
    movements.map(|movement| complete(connection, movement?)).collect()
}

/// Reads movements of one product without their details, newest first and `count_max` at most: from the
/// product's movement `last` back to the first one that is not after `after`.
pub(in crate::store::sqlite) fn movements_back(
    connection: &Connection,
    last: i64,
    after: i64,
    count_max: usize,
) -> rusqlite::Result<Vec<Movement>> {
    let mut movements: Vec<Movement> = Vec::new();
    let mut next = last;
    let mut authors = Authors::new(connection);
    while next > 0 && movements.len() < count_max {
        let mut statement = connection.prepare_cached(SELECT_MOVEMENTS)?;
        let movement = statement.query_row([next, 1], |row| read_movement(row, &mut authors))?;
        next = if movement.sequence > after { movement.previous } else { 0 };
        movements.push(movement);
    }
    Ok(movements)
}

/// Adds to a movement its details, its document and its links to undos.
pub(in crate::store::sqlite) fn complete(
    connection: &Connection,
    movement: Movement,
) -> rusqlite::Result<LedgerRow> {
    let movement = with_details(connection, movement)?;
    let sequence = movement.sequence;
    let number = |statement| -> rusqlite::Result<i64> {
        let found = connection.prepare_cached(statement)?.query_row([sequence], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(0))
    };
    let mut document = connection.prepare_cached(
        "SELECT first_sequence, count FROM document WHERE first_sequence <= ?1 ORDER BY first_sequence DESC LIMIT 1",
    )?;
    let document = document
        .query_row([sequence], |row| Ok(Document { first_sequence: row.get(0)?, count: row.get(1)? }))
        .optional()?
        .filter(|document| sequence < document.first_sequence + document.count)
        .unwrap_or(Document::of_one(sequence));
    Ok(LedgerRow {
        movement,
        document,
        undoes: number("SELECT undone FROM undo WHERE by_sequence = ?1")?,
        undone_by: number("SELECT by_sequence FROM undo WHERE undone = ?1")?,
    })
}
