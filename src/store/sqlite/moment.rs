//! One moment of a database, for a check or a copy of all that it holds.

use std::path::Path;

use rusqlite::{Connection, params};

use super::details::{Authors, details_between};
use super::error::sqlite;
use super::load::read_catalog;
use super::request_ids::RequestIds;
use super::rows::{SELECT_MOVEMENTS, read_id, read_movement, read_request};
use super::schema::check_keys;
use super::terms::{CHANGE_COLUMNS, read_change};
use crate::catalog::{
    Catalog, Details, Document, Movement, ProductChange, RequestId, RequestIdError, RequestRecord, Undo,
};
use crate::store::check::{Fault, KeptPurchase, KeptRequest, Moment, Place, not_indexed, stored_twice};

/// Rows that are read at a time: less than a megabyte.
const READ_AT_ONCE: i64 = 1024;

/// A read transaction of a database, for reads of all its content.
pub(super) struct SqliteMoment<'c> {
    connection: &'c Connection,
    path: &'c Path,
    index: RequestIds,
}

impl<'c> SqliteMoment<'c> {
    pub(super) fn new(connection: &'c Connection, path: &'c Path) -> Result<Self, Fault> {
        let index = RequestIds::read(connection).map_err(sqlite("conferir", path))?;
        Ok(Self { connection, path, index })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        Ok(read(self.connection).map_err(sqlite("conferir", self.path))?)
    }
}

impl Moment for SqliteMoment<'_> {
    fn catalog(&mut self) -> Result<Catalog, Fault> {
        let (catalog, _) = self.read(read_catalog)?;
        let catalog = catalog.map_err(Fault::Content)?;
        self.read(|connection| check_keys(connection, &catalog))?.map_err(Fault::Content)?;
        Ok(catalog)
    }

    fn movements(&mut self, from: i64) -> Result<Vec<Movement>, Fault> {
        let (mut movements, mut details) = self.read(|connection| {
            let mut authors = Authors::new(connection);
            let mut statement = connection.prepare_cached(SELECT_MOVEMENTS)?;
            let rows = statement.query_map([from, READ_AT_ONCE], |row| read_movement(row, &mut authors))?;
            let movements: Vec<Movement> = rows.collect::<rusqlite::Result<_>>()?;
            // Details after the last movement are read with it.
            let is_last = (movements.len() as i64) < READ_AT_ONCE;
            let end = movements.last().filter(|_| !is_last).map_or(i64::MAX, |movement| movement.sequence);
            let details = details_between(connection, from, end)?;
            Ok((movements, details))
        })?;
        for movement in &mut movements {
            movement.details = details.remove(&movement.sequence).and_then(Details::boxed);
        }
        match details.into_keys().min() {
            Some(sequence) => Err(Fault::of(format!("o movimento {sequence} tem detalhes e não existe"))),
            None => Ok(movements),
        }
    }

    fn purchases(&mut self, from: i64) -> Result<Vec<KeptPurchase>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sequence, product_id FROM purchase WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2",
            )?;
            let rows = statement.query_map([from, READ_AT_ONCE], |row| {
                Ok(KeptPurchase { sequence: row.get(0)?, product: read_id(row, 1)?, repeated: None })
            })?;
            rows.collect()
        })
    }

    fn documents(&mut self, from: i64) -> Result<Vec<Document>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT first_sequence, count FROM document WHERE first_sequence >= ?1
                 ORDER BY first_sequence LIMIT ?2",
            )?;
            let rows = statement.query_map([from, READ_AT_ONCE], |row| {
                Ok(Document { first_sequence: row.get(0)?, count: row.get(1)? })
            })?;
            rows.collect()
        })
    }

    fn undos(&mut self, from: i64) -> Result<Vec<Undo>, Fault> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT undone, by_sequence FROM undo WHERE by_sequence >= ?1 ORDER BY by_sequence LIMIT ?2",
            )?;
            let rows = statement
                .query_map([from, READ_AT_ONCE], |row| Ok(Undo { undone: row.get(0)?, by: row.get(1)? }))?;
            rows.collect()
        })
    }

    fn changes(&mut self, from: i64) -> Result<Vec<ProductChange>, Fault> {
        self.read(|connection| {
            let statement = format!(
                "SELECT {CHANGE_COLUMNS} FROM product_change WHERE number >= ?1 ORDER BY number LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&statement)?;
            let mut authors = Authors::new(connection);
            let rows = statement.query_map([from, READ_AT_ONCE], |row| read_change(row, &mut authors))?;
            rows.collect()
        })
    }

    fn requests(&mut self, after: &str) -> Result<Vec<KeptRequest>, Fault> {
        type Row = (String, i64, Vec<u8>, i64);
        let rows: Vec<Row> = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT request_id, digest, result, after_sequence FROM request WHERE request_id > ?1
                 ORDER BY request_id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![after, READ_AT_ONCE], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect()
        })?;
        let requests = rows.into_iter().map(|(id, digest, result, after_sequence)| {
            let request_id =
                RequestId::from_stored(&id).map_err(|error: RequestIdError| Fault::of(error.to_string()))?;
            let record = RequestRecord { request_id, digest: digest.cast_unsigned(), result };
            Ok(KeptRequest { record, after_sequence })
        });
        requests.collect()
    }

    fn check_places(&mut self, ids: &[(RequestId, Place)]) -> Result<(), Fault> {
        ids.iter().try_for_each(|(request_id, place)| self.check_place(request_id, *place))
    }
}

impl SqliteMoment<'_> {
    /// Checks that a retry with this id would find its place, and no second one.
    fn check_place(&self, request_id: &RequestId, place: Place) -> Result<(), Fault> {
        let (mut is_found, mut is_elsewhere) = (false, false);
        self.read(|connection| {
            self.index.places(connection, &[request_id], |_, found| {
                if found == place {
                    is_found = true;
                    return Ok(());
                }
                is_elsewhere |= match found {
                    Some(sequence) => connection
                        .prepare_cached(
                            "SELECT count(*) FROM movement WHERE sequence = ?1 AND request_id = ?2",
                        )?
                        .query_row(params![sequence, request_id.as_str()], |row| row.get(0))?,
                    None => read_request(connection, request_id)?.is_some(),
                };
                Ok(())
            })
        })?;
        match (is_found, is_elsewhere) {
            (true, false) => Ok(()),
            (false, _) => Err(not_indexed(request_id)),
            (true, true) => Err(stored_twice(request_id)),
        }
    }
}
