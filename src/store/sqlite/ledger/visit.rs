//! How the rows of a period are read for totals: one after the other by their numbers, beside the links of
//! the same range. To look up the links of each row would take longer than the rows.

use rusqlite::{Connection, Row};

use crate::catalog::{Cost, Details, Document, Kind, Movement, Price, Quantity};
use crate::store::sqlite::details::{Authors, details_between};
use crate::store::sqlite::error::bad_value;
use crate::store::sqlite::rows::{from_micros, read_id, read_quantity};
use crate::store::{LedgerRange, LedgerRow};

/// Most numbers of a range that one transaction looks at: some milliseconds, for which the log is held up.
pub(super) const VISITED_MAX: i64 = 16_384;

/// The movements of a range in the columns that [`read_for_totals`] reads: of all kinds, or of one.
const SELECT_RANGE: &str =
    "SELECT sequence, product_id, delta_thousandths, price_centavos, recorded_at_micros, cost_centavos,
            author_id, kind
     FROM movement WHERE sequence >= ?1 AND sequence <= ?2 ORDER BY sequence";
const SELECT_RANGE_OF_KIND: &str =
    "SELECT sequence, product_id, delta_thousandths, price_centavos, recorded_at_micros, cost_centavos,
            author_id
     FROM movement WHERE sequence >= ?1 AND sequence <= ?2 AND kind = ?3 ORDER BY sequence";

/// The movements of a range that do not count: those that were undone, and those that undo.
const SELECT_LEFT_OUT: &str = "SELECT undone AS sequence FROM undo
     WHERE undone >= ?1 AND undone <= ?2 AND by_sequence <= ?3
     UNION ALL SELECT by_sequence FROM undo WHERE by_sequence >= ?1 AND by_sequence <= ?2
     ORDER BY sequence";

/// The documents that begin in a range, and the last one before it.
const SELECT_DOCUMENTS: &str = "SELECT first_sequence, count FROM document
     WHERE first_sequence <= ?2
       AND first_sequence >= coalesce((SELECT max(first_sequence) FROM document WHERE first_sequence <= ?1), ?1)
     ORDER BY first_sequence";

/// Calls with rows of a range, and returns where to go on.
pub(super) fn visit(
    connection: &Connection,
    range: &LedgerRange,
    visit: &mut dyn FnMut(&LedgerRow),
) -> rusqlite::Result<Option<i64>> {
    let LedgerRange { from, to, through, kind } = *range;
    let end = to.min(through).min(from.saturating_add(VISITED_MAX - 1));
    let left_out: Vec<i64> = connection
        .prepare_cached(SELECT_LEFT_OUT)?
        .query_map([from, end, through], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let documents: Vec<Document> = connection
        .prepare_cached(SELECT_DOCUMENTS)?
        .query_map([from, end], |row| Ok(Document { first_sequence: row.get(0)?, count: row.get(1)? }))?
        .collect::<rusqlite::Result<_>>()?;
    let mut left_out = left_out.into_iter().peekable();
    let mut documents = documents.into_iter().peekable();
    let mut document = Document::of_one(0);
    let mut each = |movement: Movement| {
        let sequence = movement.sequence;
        while left_out.next_if(|other| *other < sequence).is_some() {}
        if left_out.next_if_eq(&sequence).is_some() {
            return;
        }
        while let Some(next) = documents.next_if(|next| next.first_sequence <= sequence) {
            document = next;
        }
        let document = if sequence < document.first_sequence + document.count {
            document
        } else {
            Document::of_one(sequence)
        };
        visit(&LedgerRow { movement, document, undoes: 0, undone_by: 0 });
    };
    let mut authors = Authors::new(connection);
    let mut details = details_between(connection, from, end)?;
    let mut statement =
        connection.prepare_cached(if kind.is_some() { SELECT_RANGE_OF_KIND } else { SELECT_RANGE })?;
    let mut rows = match kind {
        Some(kind) => statement.query((from, end, kind.word()))?,
        None => statement.query([from, end])?,
    };
    while let Some(row) = rows.next()? {
        let mut movement = read_for_totals(row, kind, &mut authors)?;
        movement.details = details.remove(&movement.sequence).and_then(Details::boxed);
        each(movement);
    }
    Ok((end < to.min(through)).then_some(end + 1))
}

/// Reads a movement without what no total needs: each column of a million rows takes its time.
fn read_for_totals(
    row: &Row<'_>,
    kind: Option<Kind>,
    authors: &mut Authors<'_>,
) -> rusqlite::Result<Movement> {
    let stored = || {
        let word = row.get_ref(7)?.as_str()?;
        Kind::from_stored(word).ok_or_else(|| bad_value(7, format!("unknown kind {word:?}")))
    };
    Ok(Movement {
        sequence: row.get(0)?,
        product: read_id(row, 1)?,
        kind: kind.map_or_else(stored, Ok)?,
        delta: read_quantity(row, 2)?,
        balance: Quantity::ZERO,
        price: Price::from_centavos(row.get(3)?).map_err(|error| bad_value(3, error))?,
        recorded_at: from_micros(row.get(4)?),
        previous: 0,
        request_id: None,
        cost: row.get::<_, Option<i64>>(5)?.map(Cost::from_centavos),
        author: authors.read(row, 6)?,
        details: None,
    })
}
