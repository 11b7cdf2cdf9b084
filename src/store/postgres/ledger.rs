//! The ledger for readers, on connections of their own.
//!
//! No row that a reader looks at is ever changed, so that a read needs no transaction: it names the last movement
//! that it may see, which is the last one that the inventory has published. A read is one statement, or a few that
//! are sent together, because each journey to the engine takes as long as hundreds of rows.

mod connections;
mod purchases;
mod rows;
mod segment;
mod visit;

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use super::ends::confirmed;
use super::error::{Failure, bad_value};
use super::migrate::SCHEMA_VERSION;
use super::rows::{kind_number, product_number, read_product_id};
use super::session::Session;
use crate::catalog::{ProductChange, TermsField};
use crate::store::{
    ChangesQuery, Extent, Ledger, LedgerPage, LedgerQuery, LedgerRange, LedgerRow, StoreError,
};
use rows::{Walk, complete, missing, segments, walk};
use visit::Visited;

pub(super) use connections::PostgresLedger;
pub(super) use rows::{each, movements, movements_back, rows};
pub(super) use segment::{Columns, Segment};

/// Most rows that are read for one page, in a millisecond or two. If a filter matches few of them, the page is
/// short.
const LOOKED_AT_MAX: i64 = 1024;

/// Most movements of one product that are read for one page.
const STEPS_MAX: usize = 256;

/// The latest time that is looked for: far after any movement, and one that the engine can represent.
const LATEST: Duration = Duration::from_secs(253_402_300_800);

/// The first movement that was recorded at a time or later, by halving: `low` and `high` are its least and its
/// highest possible number.
const SEARCH_TIME: &str = "WITH RECURSIVE search (low, high) AS (
         SELECT 1::int8, $2::int8 + 1
         UNION ALL
         SELECT CASE WHEN recorded_at < $3 THEN last + 1 ELSE low END,
                CASE WHEN recorded_at < $3 THEN high ELSE greatest(first, low) END
         FROM search, LATERAL (SELECT low + (high - low) / 2) AS half (middle), LATERAL (
             SELECT first, last, recorded_at FROM journal WHERE shop = $1 AND first <= middle
             ORDER BY first DESC LIMIT 1
         ) AS found
         WHERE low < high AND last >= middle
     )
     SELECT low, high FROM search ORDER BY high - low LIMIT 1";

const SELECT_UNDONE: &str = "SELECT by_sequence, undone FROM undo
     WHERE shop = $1 AND by_sequence >= $2 AND by_sequence <= $3 ORDER BY by_sequence LIMIT $4";

/// The columns that [`read_change`] reads.
pub(super) const CHANGE_COLUMNS: &str = "number, product, field, old_value, new_value, recorded_at,
    (SELECT name FROM author WHERE author.shop = $1 AND author.id = author), author";

impl Ledger for PostgresLedger {
    fn row(&self, sequence: i64, through: i64) -> Result<Option<LedgerRow>, StoreError> {
        if sequence > through || sequence < 1 {
            return Ok(None);
        }
        let row = self.read(async |session, shop| Ok(rows(session, shop, sequence, 1).await?.pop()))?;
        Ok(row.filter(|row| row.movement.sequence == sequence).map(|row| seen_through(row, through)))
    }

    fn page(&self, query: &LedgerQuery) -> Result<LedgerPage, StoreError> {
        let mut page = self.read(async |session, shop| match query.of_one_product {
            true => page_back(session, shop, query).await,
            false => page(session, shop, query).await,
        })?;
        page.rows = page.rows.into_iter().map(|row| seen_through(row, query.through)).collect();
        Ok(page)
    }

    fn first_since(&self, time: SystemTime, through: i64) -> Result<i64, StoreError> {
        let time = time.min(SystemTime::UNIX_EPOCH + LATEST).max(SystemTime::UNIX_EPOCH);
        self.read(async |session, shop| {
            let found = session.query_one(SEARCH_TIME, &[&shop, &through, &time]).await?;
            let (low, high): (i64, i64) = (found.try_get(0)?, found.try_get(1)?);
            // The search stops early at a movement that is not there.
            if low < high { Err(missing(low + (high - low) / 2)) } else { Ok(low.min(through + 1)) }
        })
    }

    fn visit(
        &self,
        range: &LedgerRange,
        visit: &mut dyn FnMut(&LedgerRow),
    ) -> Result<Option<i64>, StoreError> {
        let visited = self.read(async |session, shop| Visited::read(session, shop, range).await)?;
        visited.visit(visit).map_err(|failure| self.failed(failure))
    }

    fn undone(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        self.read(async |session, shop| {
            let (first, last) = (range.start(), range.end());
            let rows = session.query(SELECT_UNDONE, &[&shop, first, last, &(count_max as i64)]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    fn ends(&self) -> Result<Option<(i64, i64)>, StoreError> {
        let ends = self.confirm(async |session, shop| confirmed(session, shop).await)?;
        Ok(Some((ends.movement, ends.change)))
    }

    fn extent(&self) -> Extent {
        let bytes = self.read(async |session, _| {
            let row = session.query_one("SELECT pg_database_size(current_database())", &[]).await?;
            Ok(row.try_get::<_, i64>(0)?)
        });
        let database_bytes = bytes.map_or(0, i64::unsigned_abs);
        Extent { schema: SCHEMA_VERSION as u32, database_bytes, log_bytes: 0 }
    }

    fn product_changes(&self, query: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError> {
        let ChangesQuery { product, lowest, before, count_max } = *query;
        let of_product = if product.is_some() { "product = $2" } else { "$2::int4 IS NULL" };
        let statement = format!(
            "SELECT {CHANGE_COLUMNS} FROM product_change
             WHERE shop = $1 AND {of_product} AND number >= $3 AND number < $4 ORDER BY number DESC LIMIT $5"
        );
        let product = product.map(product_number);
        self.read(async |session, shop| {
            let rows =
                session.query(&statement, &[&shop, &product, &lowest, &before, &(count_max as i64)]).await?;
            rows.iter().map(read_change).collect()
        })
    }
}

/// Reads a page of all products.
async fn page(session: &Session, shop: i32, query: &LedgerQuery) -> Result<LedgerPage, Failure> {
    let LedgerQuery { start, lowest, through, kind, count_max, .. } = *query;
    let start = start.min(through);
    let lowest = lowest.max(1);
    let is_filtered = kind.is_some() || query.author.is_some();
    let looked_at_max = if is_filtered { LOOKED_AT_MAX } else { count_max as i64 };
    let from = lowest.max(start.saturating_sub(looked_at_max - 1));
    if from > start {
        return Ok(LedgerPage { rows: Vec::new(), next: None });
    }
    let author = async {
        let Some(author) = &query.author else { return Ok(None) };
        let select = "SELECT id FROM author WHERE shop = $1 AND name = $2";
        let found = session.query_opt(select, &[&shop, &author.as_str()]).await?;
        found.map(|row| Ok(row.try_get::<_, i32>(0)?)).transpose()
    };
    let (segments, author) = tokio::try_join!(segments(session, shop, from..=start), author)?;
    if query.author.is_some() && author.is_none() {
        return Ok(LedgerPage { rows: Vec::new(), next: None });
    }
    let kind = kind.map(kind_number);
    let mut next = Some(from - 1).filter(|next| *next >= lowest);
    let mut wanted = Vec::new();
    for segment in segments.iter().rev() {
        for sequence in segment.sequences().rev() {
            if wanted.len() == count_max {
                next = Some(next.map_or(sequence, |next| next.max(sequence)));
                break;
            }
            let is_of_kind = kind.is_none() || segment.kind_of(sequence) == kind;
            let is_of_author = author.is_none() || segment.author_of(sequence) == author;
            if is_of_kind && is_of_author {
                wanted.push((segment, sequence));
            }
        }
    }
    Ok(LedgerPage { rows: complete(session, shop, &wanted).await?, next })
}

/// Reads a page of one product, from one of its movements back.
async fn page_back(session: &Session, shop: i32, query: &LedgerQuery) -> Result<LedgerPage, Failure> {
    let LedgerQuery { start, highest, lowest, through, kind, count_max, .. } = *query;
    let walk = Walk {
        start,
        lowest: lowest.max(1),
        after: 0,
        highest: highest.min(through),
        kind: kind.map(kind_number),
        author: query.author.as_ref().map(|author| author.as_str()),
        steps_max: STEPS_MAX,
        count_max,
    };
    let (found, next) = self::walk(session, shop, &walk).await?;
    let wanted: Vec<(&Segment, i64)> = found.iter().map(|(sequence, segment)| (segment, *sequence)).collect();
    Ok(LedgerPage { rows: complete(session, shop, &wanted).await?, next })
}

/// Reads a change of terms from the columns of [`CHANGE_COLUMNS`].
pub(super) fn read_change(row: &tokio_postgres::Row) -> Result<ProductChange, Failure> {
    let field: &str = row.try_get(2)?;
    let (name, author): (Option<&str>, Option<i32>) = (row.try_get(6)?, row.try_get(7)?);
    if let (None, Some(author)) = (name, author) {
        return Err(bad_value(format!("há uma mudança de cadastro sem o seu autor, o {author}")));
    }
    Ok(ProductChange {
        number: row.try_get(0)?,
        product: read_product_id(row.try_get(1)?)?,
        field: TermsField::by_name(field)
            .ok_or_else(|| bad_value(format!("há uma mudança do campo {field}, que não existe")))?,
        old: row.try_get(3)?,
        new: row.try_get(4)?,
        recorded_at: row.try_get(5)?,
        author: name.map(str::parse).transpose().map_err(bad_value)?,
    })
}

/// The state of a row when the movement `through` was the last.
fn seen_through(mut row: LedgerRow, through: i64) -> LedgerRow {
    if row.undone_by > through {
        row.undone_by = 0;
    }
    row
}
