//! Reads the tables of the index of request ids.

use std::ops::Range;

use rusqlite::Connection;

use crate::store::request_ids::{IdTables, Malformed, OnFound, StoredRun};
use crate::store::sqlite::error::bad_value;

/// The tables of one database.
pub(super) struct SqliteTables<'c>(pub(super) &'c Connection);

impl From<Malformed> for rusqlite::Error {
    fn from(Malformed(what): Malformed) -> Self {
        bad_value(0, what)
    }
}

impl IdTables for SqliteTables<'_> {
    type Error = rusqlite::Error;

    fn runs(
        &mut self,
        from: usize,
        each: &mut dyn FnMut(&StoredRun<'_>) -> Result<(), Malformed>,
    ) -> rusqlite::Result<()> {
        let runs =
            "SELECT number, filter, group_filter FROM request_round WHERE number >= ?1 ORDER BY number";
        let mut runs = self.0.prepare(runs)?;
        let mut runs = runs.query([from as i64])?;
        while let Some(run) = runs.next()? {
            each(&StoredRun {
                number: run.get(0)?,
                filter: run.get_ref(1)?.as_blob()?,
                group_filter: run.get_ref(2)?.as_blob_or_null()?,
            })?;
        }
        Ok(())
    }

    fn chunks(
        &mut self,
        runs: Range<usize>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> rusqlite::Result<()> {
        let mut chunks =
            self.0.prepare("SELECT entries FROM request_chunk WHERE round >= ?1 AND round < ?2")?;
        let mut chunks = chunks.query([runs.start as i64, runs.end as i64])?;
        while let Some(chunk) = chunks.next()? {
            each(chunk.get_ref(0)?.as_blob()?)?;
        }
        Ok(())
    }

    fn chunks_with(&mut self, wanted: &[(usize, i64)], each: &mut OnFound<'_>) -> rusqlite::Result<()> {
        // Downwards, as long as the previous chunk may end with the same hash.
        let mut chunks = self.0.prepare_cached(
            "SELECT first_hash, entries FROM request_chunk WHERE round = ?1 AND first_hash <= ?2
             ORDER BY first_hash DESC",
        )?;
        for (index, (run, hash)) in wanted.iter().enumerate() {
            let mut chunks = chunks.query([*run as i64, *hash])?;
            while let Some(chunk) = chunks.next()? {
                each(index, chunk.get_ref(1)?.as_blob()?)?;
                if chunk.get::<_, i64>(0)? < *hash {
                    break;
                }
            }
        }
        Ok(())
    }

    fn ids_after(&mut self, through: i64, each: &mut dyn FnMut(&str, i64)) -> rusqlite::Result<()> {
        let mut ids = self.0.prepare(
            "SELECT request_id, sequence FROM movement WHERE sequence > ?1 AND request_id IS NOT NULL
             UNION ALL SELECT request_id, 0 FROM request WHERE after_sequence >= ?1",
        )?;
        let mut ids = ids.query([through])?;
        while let Some(row) = ids.next()? {
            each(row.get_ref(0)?.as_str()?, row.get(1)?);
        }
        Ok(())
    }
}
