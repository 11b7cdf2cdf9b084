//! The ledger for readers, on connections of their own.
//!
//! A read is one short transaction: a page of rows. The writer never waits for a reader, and a reader keeps
//! the log from being emptied for milliseconds at most. A reader names the last movement that it may see,
//! which is the last one that the inventory has published.

mod connections;
mod purchases;
pub(super) mod rows;
mod visit;

use std::ops::RangeInclusive;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row};

use super::details::{Authors, find_author};
use super::error::bad_value;
use super::rows::{read_movement, to_micros};
use super::schema::SCHEMA_VERSION;
use super::terms::select_changes;
use crate::catalog::{Kind, ProductChange};
use crate::store::{
    ChangesQuery, Extent, Ledger, LedgerPage, LedgerQuery, LedgerRange, LedgerRow, StoreError,
};
pub(super) use connections::SqliteLedger;

/// Most rows that are read for one page, in a millisecond or two. If a filter matches few of them, the page
/// is short.
const LOOKED_AT_MAX: usize = 1024;

/// Most movements of one product that are read for one page. Each is looked up by itself, in microseconds, so
/// that a page of a kind that the product never had takes a millisecond or two.
const STEPS_MAX: usize = 256;

/// A range of the ledger, newest first, in the columns that [`read_movement`] reads.
const SELECT_DOWNWARDS: &str =
    "SELECT sequence, product_id, kind, delta_thousandths, balance_thousandths, price_centavos,
            recorded_at_micros, request_id, previous, cost_centavos, author_id
     FROM movement WHERE sequence <= ?1 AND sequence >= ?2 ORDER BY sequence DESC LIMIT ?3";

impl Ledger for SqliteLedger {
    fn row(&self, sequence: i64, through: i64) -> Result<Option<LedgerRow>, StoreError> {
        if sequence > through {
            return Ok(None);
        }
        self.read(|connection| {
            let row = rows::rows(connection, sequence, 1)?.pop();
            Ok(row.filter(|row| row.movement.sequence == sequence).map(|row| seen_through(row, through)))
        })
    }

    fn page(&self, query: &LedgerQuery) -> Result<LedgerPage, StoreError> {
        self.read(
            |connection| {
                if query.of_one_product { page_back(connection, query) } else { page(connection, query) }
            },
        )
    }

    fn first_since(&self, time: SystemTime, through: i64) -> Result<i64, StoreError> {
        self.read(|connection| {
            let time = to_micros(time);
            let mut recorded_at =
                connection.prepare_cached("SELECT recorded_at_micros FROM movement WHERE sequence = ?1")?;
            let (mut from, mut to) = (1, through + 1);
            while from < to {
                let middle = from + (to - from) / 2;
                let at: Option<i64> = recorded_at.query_row([middle], |row| row.get(0)).optional()?;
                let at = at.ok_or_else(|| bad_value(0, format!("falta o movimento {middle}")))?;
                if at < time { from = middle + 1 } else { to = middle }
            }
            Ok(from)
        })
    }

    fn visit(
        &self,
        range: &LedgerRange,
        visit: &mut dyn FnMut(&LedgerRow),
    ) -> Result<Option<i64>, StoreError> {
        self.read(|connection| visit::visit(connection, range, visit))
    }

    fn undone(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        self.read(|connection| {
            let mut undone = connection.prepare_cached(
                "SELECT by_sequence, undone FROM undo WHERE by_sequence >= ?1 AND by_sequence <= ?2
                 ORDER BY by_sequence LIMIT ?3",
            )?;
            let limits = (range.start(), range.end(), count_max as i64);
            undone.query_map(limits, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    fn extent(&self) -> Extent {
        let [database_bytes, log_bytes] = self.file_bytes();
        Extent { schema: SCHEMA_VERSION as u32, database_bytes, log_bytes }
    }

    fn product_changes(&self, query: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError> {
        self.read(|connection| select_changes(connection, query))
    }
}

/// Reads a page of all products.
fn page(connection: &Connection, query: &LedgerQuery) -> rusqlite::Result<LedgerPage> {
    let LedgerQuery { start, lowest, through, kind, count_max, .. } = *query;
    let author = match &query.author {
        None => None,
        Some(author) => match find_author(connection, author)? {
            None => return Ok(LedgerPage { rows: Vec::new(), next: None }),
            found => found,
        },
    };
    let looked_at_max = if kind.is_some() || author.is_some() { LOOKED_AT_MAX } else { count_max };
    let mut statement = connection.prepare_cached(SELECT_DOWNWARDS)?;
    let mut rows = statement.query([start.min(through), lowest, looked_at_max as i64 + 1])?;
    let mut page = LedgerPage { rows: Vec::new(), next: None };
    let mut looked_at = 0;
    let mut authors = Authors::new(connection);
    while let Some(row) = rows.next()? {
        if looked_at == looked_at_max || page.rows.len() == count_max {
            page.next = Some(row.get(0)?);
            break;
        }
        looked_at += 1;
        if is_of_kind(row, kind)? && is_of_author(row, author)? {
            let movement = read_movement(row, &mut authors)?;
            page.rows.push(seen_through(rows::complete(connection, movement)?, through));
        }
    }
    Ok(page)
}

/// Reads a page of one product, from one of its movements back.
fn page_back(connection: &Connection, query: &LedgerQuery) -> rusqlite::Result<LedgerPage> {
    let LedgerQuery { start, highest, lowest, through, kind, count_max, .. } = *query;
    let mut page = LedgerPage { rows: Vec::new(), next: Some(start).filter(|start| *start >= lowest.max(1)) };
    for _ in 0..STEPS_MAX {
        let Some(next) = page.next.filter(|_| page.rows.len() < count_max) else { break };
        let found = rows::movements_back(connection, next, next, 1)?;
        let movement =
            found.into_iter().next().ok_or_else(|| bad_value(0, format!("falta o movimento {next}")))?;
        page.next = Some(movement.previous).filter(|previous| *previous >= lowest.max(1));
        let is_within = movement.sequence <= highest.min(through);
        let is_by = query.author.is_none() || query.author == movement.author;
        if is_within && is_by && kind.is_none_or(|kind| movement.kind == kind) {
            page.rows.push(seen_through(rows::complete(connection, movement)?, through));
        }
    }
    Ok(page)
}

fn is_of_author(row: &Row<'_>, author: Option<i64>) -> rusqlite::Result<bool> {
    match author {
        None => Ok(true),
        Some(_) => Ok(row.get::<_, Option<i64>>(10)? == author),
    }
}

fn is_of_kind(row: &Row<'_>, kind: Option<Kind>) -> rusqlite::Result<bool> {
    match kind {
        None => Ok(true),
        Some(kind) => Ok(row.get_ref(2)?.as_str()? == kind.word()),
    }
}

/// The state of a row when the movement `through` was the last.
fn seen_through(mut row: LedgerRow, through: i64) -> LedgerRow {
    if row.undone_by > through {
        row.undone_by = 0;
    }
    row
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::{
        Adjustment, Catalog, Draft, Movement, Quantity, Transaction, Undoable, original_products,
    };
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Store, Wait};

    fn commit(store: &mut SqliteStore, catalog: &mut Catalog, at: u64, plan: impl FnOnce(&mut Draft<'_>)) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        let mut draft = Draft::new(catalog, now);
        plan(&mut draft);
        let transaction = draft.finish();
        store.commit(&transaction, Wait::ForOthers).unwrap();
        catalog.apply(&transaction);
    }

    /// A shop in which a batch of three was made, and two of its movements undone.
    fn fill(store: &mut SqliteStore) -> Catalog {
        let mut catalog = Catalog::default();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.import(&original_products(), None).unwrap();
        let opening = draft.finish();
        assert!(store.load().unwrap().is_none());
        store.create(&opening).unwrap();
        catalog.apply(&opening);
        let ids = ["caju", "maca", "pera"].map(|key| catalog.find(key).unwrap().id);
        let sales = ids.map(|id| Adjustment::new(id, Quantity::from_units(-1), Kind::Sale));
        let mut batch = Vec::new();
        commit(store, &mut catalog, 1000, |draft| batch = draft.adjust_all(&sales).unwrap());
        let undoable = |movement: &Movement| Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 };
        let undone: Vec<_> = batch[1..].iter().map(undoable).collect();
        commit(store, &mut catalog, 2000, |draft| {
            drop(draft.undo(undone[0].movement.sequence, &undone, None, None).unwrap())
        });
        catalog
    }

    fn query(catalog: &Catalog) -> LedgerQuery {
        let last = catalog.last_sequence();
        LedgerQuery {
            start: last,
            of_one_product: false,
            highest: last,
            lowest: 1,
            through: last,
            kind: None,
            author: None,
            count_max: 7,
        }
    }

    fn on_disk_and_in_memory(check: impl Fn(SqliteStore)) {
        let folder = tempfile::tempdir().unwrap();
        check(SqliteStore::open(&folder.path().join("loja.db"), 8082).unwrap());
        check(SqliteStore::in_memory().unwrap());
    }

    #[test]
    fn one_read_looks_at_so_many_rows_and_says_where_to_go_on() {
        on_disk_and_in_memory(|mut store| {
            let mut catalog = fill(&mut store);
            let caju = catalog.find("caju").unwrap().id;
            let delta = Quantity::from_units(1);
            let change = Adjustment::new(caju, delta, Kind::Purchase);
            for _ in 0..(visit::VISITED_MAX as usize).div_ceil(1000) {
                commit(&mut store, &mut catalog, 3000, |draft| {
                    drop(draft.adjust_all(&vec![change.clone(); 1000]).unwrap())
                });
            }
            let ledger = store.ledger();
            let last = catalog.last_sequence();
            let counts = LedgerQuery { kind: Some(Kind::Count), ..query(&catalog) };
            let looked_at = |query| {
                let page = ledger.page(&query).unwrap();
                assert_eq!(page.rows, []);
                last - page.next.unwrap()
            };
            assert_eq!(looked_at(counts.clone()), LOOKED_AT_MAX as i64);
            assert_eq!(looked_at(LedgerQuery { of_one_product: true, ..counts.clone() }), STEPS_MAX as i64);
            // A page of which every row is wanted looks at no more rows than it has room for.
            let page = ledger.page(&query(&catalog)).unwrap();
            assert_eq!((page.rows.len(), page.next), (7, Some(last - 7)));
            let mut seen = 0;
            let range = LedgerRange { from: 1, to: last, through: last, kind: None };
            let next = ledger.visit(&range, &mut |_| seen += 1).unwrap();
            // Two movements of the first ones are undone by two others.
            assert_eq!((seen, next), (visit::VISITED_MAX - 4, Some(visit::VISITED_MAX + 1)));
        });
    }

    #[test]
    fn a_closed_store_has_no_readers_and_leaves_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut store = SqliteStore::open(&path, 8082).unwrap();
        let catalog = fill(&mut store);
        let ledger = store.ledger();
        ledger.page(&query(&catalog)).unwrap();
        store.close().unwrap();
        assert!(matches!(ledger.page(&query(&catalog)), Err(StoreError::Failed { .. })));
        drop(store);
        let mut files: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["loja.db", "loja.db.lock"]);
        let mut store = SqliteStore::open(&path, 8082).unwrap();
        assert_eq!(store.load().unwrap().unwrap().find("caju"), catalog.find("caju"));
        store.commit(&Transaction::default(), Wait::ForOthers).unwrap();
    }
}
