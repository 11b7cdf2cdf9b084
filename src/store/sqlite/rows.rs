//! Writes and reads the rows of a database.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rusqlite::types::Null;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};

use super::details::{Authors, author_id, write_details};
use super::error::bad_value;
use crate::catalog::{
    Cost, Document, Flags, Kind, Movement, Name, Price, Product, ProductId, Quantity, RequestId,
    RequestIdError, RequestRecord, StockCost, Transaction, Undo, Unit,
};

/// Movements that one statement writes: starting a statement costs as much as a row, and within a statement
/// SQLite appends each row after the previous one. Longer statements gain nothing more.
pub(super) const MOVEMENTS_AT_ONCE: usize = 16;

/// The rows of the ledger from a sequence number on, in the columns that [`read_movement`] reads. The limit
/// -1 means all rows.
pub(super) const SELECT_MOVEMENTS: &str =
    "SELECT sequence, product_id, kind, delta_thousandths, balance_thousandths, price_centavos,
            recorded_at_micros, request_id, previous, cost_centavos, author_id
     FROM movement WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2";

/// The statements that write one movement, [`MOVEMENTS_AT_ONCE`] without request ids, and
/// [`MOVEMENTS_AT_ONCE`] with one each.
static INSERT_MOVEMENT: LazyLock<String> = LazyLock::new(|| insert_movements(1, SHARED));
static INSERT_MOVEMENTS: LazyLock<String> = LazyLock::new(|| insert_movements(MOVEMENTS_AT_ONCE, SHARED));
static INSERT_MOVEMENTS_WITH_IDS: LazyLock<String> =
    LazyLock::new(|| insert_movements(MOVEMENTS_AT_ONCE, OWN));

/// The parameter of the request id: one for all rows (`NULL`), or one for each row.
const SHARED: &str = "?4";
const OWN: &str = "?";

/// Whether one statement can write both movements: the parameters that all its rows share are equal.
fn is_alike(first: &Movement, second: &Movement) -> bool {
    let shared = |movement: &Movement| (movement.kind, movement.recorded_at, movement.request_id.is_some());
    shared(first) == shared(second) && first.author == second.author
}

/// Builds the statement that writes `count` movements. `OR FAIL` saves the undo of a single statement,
/// because an error rolls the transaction back anyway. SQLite chooses the row numbers, each the last plus one
/// (<https://sqlite.org/autoinc.html>), as the ledger does: for a given number it would search the table from
/// its root, a quarter of the time of a change.
fn insert_movements(count: usize, request_id: &str) -> String {
    let row = format!("(?1, ?2, ?3, {request_id}, ?, ?, ?, ?, ?, ?)");
    let rows = vec![row; count].join(", ");
    format!(
        "INSERT OR FAIL INTO movement (kind, recorded_at_micros, author_id, request_id, product_id,
                                       delta_thousandths, balance_thousandths, price_centavos, previous,
                                       cost_centavos)
         VALUES {rows}"
    )
}

/// Writes movements that are alike, exactly as many as the statement has rows.
fn write_movements(
    insert: &mut Statement<'_>,
    author: Option<i64>,
    movements: &[Movement],
) -> rusqlite::Result<()> {
    let first = &movements[0];
    insert.raw_bind_parameter(1, first.kind.word())?;
    insert.raw_bind_parameter(2, to_micros(first.recorded_at))?;
    insert.raw_bind_parameter(3, author)?;
    let mut index = 4;
    if first.request_id.is_none() {
        insert.raw_bind_parameter(index, Null)?;
        index += 1;
    }
    for movement in movements {
        if let Some(request_id) = &movement.request_id {
            insert.raw_bind_parameter(index, request_id.as_str())?;
            index += 1;
        }
        for value in [
            movement.product.number(),
            movement.delta.thousandths(),
            movement.balance.thousandths(),
            movement.price.centavos(),
        ] {
            insert.raw_bind_parameter(index, value)?;
            index += 1;
        }
        insert.raw_bind_parameter(index, (movement.previous != 0).then_some(movement.previous))?;
        insert.raw_bind_parameter(index + 1, movement.cost.map(Cost::centavos))?;
        index += 2;
    }
    insert.raw_execute().map(drop)
}

/// Writes the rows of `transaction`, which follow the movement `last_sequence`, inside an open transaction of
/// the database.
pub(super) fn write(
    connection: &Connection,
    transaction: &Transaction,
    last_sequence: i64,
) -> rusqlite::Result<()> {
    let mut one = connection.prepare_cached(&INSERT_MOVEMENT)?;
    for alike in transaction.movements.chunk_by(is_alike) {
        let author = alike[0].author.as_ref().map(|author| author_id(connection, author)).transpose()?;
        let (whole, rest) = alike.as_chunks::<MOVEMENTS_AT_ONCE>();
        if let Some([first, ..]) = whole.first() {
            let has_ids = first.request_id.is_some();
            let many = if has_ids { &INSERT_MOVEMENTS_WITH_IDS } else { &INSERT_MOVEMENTS };
            let mut many = connection.prepare_cached(many)?;
            whole.iter().try_for_each(|movements| write_movements(&mut many, author, movements))?;
        }
        rest.chunks(1).try_for_each(|movement| write_movements(&mut one, author, movement))?;
    }
    if let Some(last) = transaction.movements.last()
        && last.sequence != connection.last_insert_rowid()
    {
        return Err(bad_value(0, "outro programa gravou ou apagou movimentos"));
    }
    write_details(connection, &transaction.movements)?;
    let last_sequence = transaction.movements.last().map_or(last_sequence, |movement| movement.sequence);
    for Document { first_sequence, count } in &transaction.documents {
        connection
            .prepare_cached("INSERT INTO document (first_sequence, count) VALUES (?1, ?2)")?
            .execute([first_sequence, count])?;
    }
    for Undo { undone, by } in &transaction.undos {
        connection
            .prepare_cached("INSERT INTO undo (undone, by_sequence) VALUES (?1, ?2)")?
            .execute([undone, by])?;
    }
    for record in &transaction.requests {
        write_request(connection, record, last_sequence)?;
    }
    Ok(())
}

/// Writes a request with an id. The last movement of its transaction is `after_sequence`.
pub(super) fn write_request(
    connection: &Connection,
    record: &RequestRecord,
    after_sequence: i64,
) -> rusqlite::Result<()> {
    let mut request = connection.prepare_cached(
        "INSERT INTO request (request_id, digest, result, after_sequence) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let RequestRecord { request_id, digest, result } = record;
    request.execute(params![request_id.as_str(), digest.cast_signed(), result, after_sequence]).map(drop)
}

/// The request with this id in the table of requests.
pub(super) fn read_request(
    connection: &Connection,
    request_id: &RequestId,
) -> rusqlite::Result<Option<RequestRecord>> {
    let mut request =
        connection.prepare_cached("SELECT digest, result FROM request WHERE request_id = ?1")?;
    let request = request.query_row([request_id.as_str()], |row| {
        let digest = row.get::<_, i64>(0)?.cast_unsigned();
        Ok(RequestRecord { request_id: request_id.clone(), digest, result: row.get(1)? })
    });
    request.optional()
}

pub(super) fn read_product(row: &Row<'_>) -> rusqlite::Result<Product> {
    let (name, unit): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Product {
        id: read_id(row, 0)?,
        name: Name::parse(&name).map_err(|error| bad_value(1, error))?,
        unit: Unit::from_label(&unit).map_err(|error| bad_value(2, error))?,
        price: Price::from_centavos(row.get(3)?).map_err(|error| bad_value(3, error))?,
        stock: read_quantity(row, 4)?,
        last_movement: row.get(5)?,
        // The flags are read together with the terms.
        flags: Flags::default(),
        stock_cost: read_stock_cost(row, 6, read_quantity(row, 4)?)?,
    })
}

/// Reads a movement without its details.
pub(super) fn read_movement(row: &Row<'_>, authors: &mut Authors<'_>) -> rusqlite::Result<Movement> {
    let kind = row.get_ref(2)?.as_str()?;
    let request_id: Option<String> = row.get(7)?;
    Ok(Movement {
        sequence: row.get(0)?,
        product: read_id(row, 1)?,
        kind: Kind::from_stored(kind).ok_or_else(|| bad_value(2, format!("unknown kind {kind:?}")))?,
        delta: read_quantity(row, 3)?,
        balance: read_quantity(row, 4)?,
        price: Price::from_centavos(row.get(5)?).map_err(|error| bad_value(5, error))?,
        recorded_at: from_micros(row.get(6)?),
        request_id: request_id
            .map(|id| id.parse())
            .transpose()
            .map_err(|error: RequestIdError| bad_value(7, error))?,
        previous: row.get::<_, Option<i64>>(8)?.unwrap_or(0),
        cost: row.get::<_, Option<i64>>(9)?.map(Cost::from_centavos),
        author: authors.read(row, 10)?,
        details: None,
    })
}

/// The time at which the last movement was recorded.
pub(super) fn read_last_time(connection: &Connection) -> rusqlite::Result<Option<SystemTime>> {
    let last = "SELECT recorded_at_micros FROM movement ORDER BY sequence DESC LIMIT 1";
    connection.query_row(last, [], |row| row.get(0).map(from_micros)).optional()
}

pub(super) fn read_id(row: &Row<'_>, index: usize) -> rusqlite::Result<ProductId> {
    ProductId::from_number(row.get(index)?).ok_or_else(|| bad_value(index, "not a product id"))
}

pub(super) fn read_quantity(row: &Row<'_>, index: usize) -> rusqlite::Result<Quantity> {
    Quantity::from_thousandths(row.get(index)?).map_err(|error| bad_value(index, error))
}

/// The cost of this stock in this column.
pub(super) fn read_stock_cost(row: &Row<'_>, index: usize, stock: Quantity) -> rusqlite::Result<StockCost> {
    StockCost::of_stored(stock, row.get(index)?).ok_or_else(|| bad_value(index, "not the cost of a stock"))
}

/// Microseconds since 1970; 0 for earlier times.
pub(super) fn to_micros(time: SystemTime) -> i64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn from_micros(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros.max(0).cast_unsigned())
}
