//! The migration to schema 7: each movement gets the number of its product's previous movement, movements of
//! one request become a document, and all requests with an id move to one table.
//!
//! The migration takes time in proportion to the length of the ledger. The table of movements is written
//! again from its first row to its last, which fills its pages; updating each row in place would split them.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, Row, params};

use crate::catalog::{Digest, Kind, Quantity};
use crate::store::sqlite::error::bad_value;
use crate::store::sqlite::rows::{read_id, read_quantity};

/// Movements between two log messages about the progress: some seconds.
const REPORTED_EVERY: i64 = 1_000_000;

/// Most changes in one batch, in all versions before this schema.
const BATCH_MAX: i64 = 1000;

/// The first byte of a result: the operation that wrote it (see `inventory::results`).
const IMPORT: u8 = 1;
const BATCH: u8 = 2;

/// Creates the new tables, and the one that will replace `movement`.
const CREATE: &str = "
    CREATE TABLE document (
        first_sequence  INTEGER PRIMARY KEY,
        count           INTEGER NOT NULL CHECK (count > 1)
    ) STRICT;

    CREATE TABLE undo (
        undone       INTEGER PRIMARY KEY,
        by_sequence  INTEGER NOT NULL UNIQUE CHECK (by_sequence > undone)
    ) STRICT;

    CREATE TABLE request (
        request_id      TEXT PRIMARY KEY,
        digest          INTEGER NOT NULL,
        result          BLOB NOT NULL,
        after_sequence  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX request_by_sequence ON request (after_sequence);

    CREATE TABLE linked_movement (
        sequence             INTEGER PRIMARY KEY,
        product_id           INTEGER NOT NULL REFERENCES product_terms (id),
        kind                 TEXT NOT NULL,
        delta_thousandths    INTEGER NOT NULL,
        balance_thousandths  INTEGER NOT NULL CHECK (balance_thousandths >= 0),
        price_centavos       INTEGER NOT NULL,
        recorded_at_micros   INTEGER NOT NULL,
        request_id           TEXT,
        previous             INTEGER CHECK (previous < sequence)
    ) STRICT;

    ALTER TABLE balance_forward ADD COLUMN last_sequence INTEGER NOT NULL DEFAULT 0;
";

/// Replaces the table of movements by the new one. The view of schema 3 is dropped and created again,
/// because SQLite renames no table that a view uses.
const REPLACE: &str = "
    DROP VIEW product;
    DROP TABLE batch_request;
    DROP TABLE import_request;
    DROP TABLE movement;
    ALTER TABLE linked_movement RENAME TO movement;

    CREATE VIEW product AS
    WITH moved AS (
        SELECT product_id, balance_thousandths, max(sequence) FROM movement
        WHERE sequence > (SELECT sequence FROM forwarded) GROUP BY product_id
    )
    SELECT id, name, key, unit, price_centavos,
           coalesce(moved.balance_thousandths, stock_thousandths) AS stock_thousandths
    FROM product_terms
    LEFT JOIN balance_forward ON balance_forward.product_id = id
    LEFT JOIN moved ON moved.product_id = id;
";

/// Migrates a database from schema 6 to schema 7.
pub(super) fn link(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(CREATE)?;
    let last_of_each = copy_movements(connection)?;
    let mut note =
        connection.prepare("UPDATE balance_forward SET last_sequence = ?2 WHERE product_id = ?1")?;
    for (index, last) in last_of_each.iter().enumerate() {
        note.execute([index as i64 + 1, *last])?;
    }
    let batches = copy_batches(connection)?;
    copy_imports(connection)?;
    if batches.unknown > 0 {
        tracing::info!(
            batches = batches.unknown,
            "it is not known where these batches of an earlier version end, so their movements are undone one by one"
        );
    }
    connection.execute_batch(REPLACE)
}

/// Writes each movement again, with the number of its product's previous movement. Returns the last movement
/// of each product, by index.
fn copy_movements(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let count: i64 =
        connection.query_row("SELECT coalesce(max(sequence), 0) FROM movement", [], |row| row.get(0))?;
    let mut last_of_each: Vec<i64> = Vec::new();
    let mut insert =
        connection.prepare("INSERT INTO linked_movement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut movements = connection.prepare(
        "SELECT sequence, product_id, kind, delta_thousandths, balance_thousandths, price_centavos,
                recorded_at_micros, request_id
         FROM movement ORDER BY sequence",
    )?;
    let mut movements = movements.query([])?;
    while let Some(row) = movements.next()? {
        let (sequence, product) = (row.get::<_, i64>(0)?, read_id(row, 1)?.index());
        if product >= last_of_each.len() {
            last_of_each.resize(product + 1, 0);
        }
        let previous = std::mem::replace(&mut last_of_each[product], sequence);
        for column in 0..8 {
            insert.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(row.get_ref(column)?))?;
        }
        insert.raw_bind_parameter(9, (previous != 0).then_some(previous))?;
        insert.raw_execute()?;
        if sequence % REPORTED_EVERY == 0 {
            tracing::info!(movements = sequence, of = count, "the database is being updated");
        }
    }
    Ok(last_of_each)
}

/// The count of batches whose length is not known.
#[derive(Default)]
struct Batches {
    unknown: usize,
}

/// Copies the batches that have a request id, and makes a document of each that has several movements.
fn copy_batches(connection: &Connection) -> rusqlite::Result<Batches> {
    let mut batches = Batches::default();
    let mut document = connection.prepare("INSERT INTO document VALUES (?1, ?2)")?;
    let mut requests = connection
        .prepare("SELECT request_id, digest, first_sequence FROM batch_request ORDER BY first_sequence")?;
    let mut requests = requests.query([])?;
    while let Some(row) = requests.next()? {
        let (digest, first_sequence): (i64, i64) = (row.get(1)?, row.get(2)?);
        write_request(connection, row, result(BATCH, &[first_sequence]), first_sequence)?;
        match extent(connection, digest.cast_unsigned(), first_sequence)? {
            Some(1) => {}
            Some(count) => drop(document.execute([first_sequence, count])?),
            None => batches.unknown += 1,
        }
    }
    Ok(batches)
}

/// The count of a batch's movements, if the digest of the first movements equals the batch's. The digest is of
/// the changes in the order of the request, and the ledger has that order if all of them add or all take away.
fn extent(connection: &Connection, digest: u64, first_sequence: i64) -> rusqlite::Result<Option<i64>> {
    let mut movements = connection.prepare_cached(
        "SELECT product_id, delta_thousandths, kind FROM movement
         WHERE sequence >= ?1 AND sequence < ?2 ORDER BY sequence",
    )?;
    let mut movements = movements.query([first_sequence, first_sequence + BATCH_MAX])?;
    let (mut found, mut count) = (Digest::unnamed(), 0);
    while let Some(row) = movements.next()? {
        let kind: String = row.get(2)?;
        let kind = Kind::from_stored(&kind).ok_or_else(|| bad_value(2, format!("unknown kind {kind:?}")))?;
        let delta: Quantity = read_quantity(row, 1)?;
        found.feed_change(read_id(row, 0)?, delta, kind);
        count += 1;
        if found.value() == digest {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

fn copy_imports(connection: &Connection) -> rusqlite::Result<()> {
    let mut requests = connection.prepare(
        "SELECT request_id, digest, created_count, updated_count, unchanged_count, after_sequence
         FROM import_request",
    )?;
    let mut requests = requests.query([])?;
    while let Some(row) = requests.next()? {
        let counts = [row.get(2)?, row.get(3)?, row.get(4)?];
        write_request(connection, row, result(IMPORT, &counts), row.get(5)?)?;
    }
    Ok(())
}

fn write_request(
    connection: &Connection,
    row: &Row<'_>,
    result: Vec<u8>,
    after_sequence: i64,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached("INSERT INTO request VALUES (?1, ?2, ?3, ?4)")?;
    let (request_id, digest): (String, i64) = (row.get(0)?, row.get(1)?);
    insert.execute(params![request_id, digest, result, after_sequence]).map(drop)
}

/// A stored result: the operation and some numbers, least significant byte first.
fn result(operation: u8, numbers: &[i64]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
    [operation].into_iter().chain(numbers).collect()
}
