//! What the writer reads: the catalog at the start, and what was done before.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use super::checkpoint::Checkpoint;
use super::rows::{SELECT_MOVEMENTS, read_import, read_last_time, read_movement, read_product};
use crate::catalog::{BatchRecord, Movement, Product, RequestId};
use crate::store::{Recorded, RecordedById};

impl SqliteStore {
    pub(super) fn read_movements(
        &self,
        first_sequence: i64,
        count: usize,
    ) -> rusqlite::Result<Vec<Movement>> {
        let mut statement = self.connection.prepare_cached(SELECT_MOVEMENTS)?;
        statement.query_map([first_sequence, count as i64], read_movement)?.collect()
    }

    pub(super) fn read_recorded(&self, request_ids: &[&RequestId]) -> rusqlite::Result<RecordedById> {
        let mut recorded = RecordedById::default();
        // One for all that is read, so that the lock is taken once.
        let _moment = self.connection.unchecked_transaction()?;
        self.request_ids.places(&self.connection, request_ids, |request_id, place| {
            let found = match place {
                Some(sequence) => self.read_movement_of(request_id, sequence)?.map(Recorded::Movement),
                None => read_batch_or_import(&self.connection, request_id)?,
            };
            if let Some(found) = found {
                recorded.insert(request_id.clone(), found);
            }
            Ok(())
        })?;
        Ok(recorded)
    }

    /// The movement with this sequence number, if it has this request id.
    pub(super) fn read_movement_of(
        &self,
        request_id: &RequestId,
        sequence: i64,
    ) -> rusqlite::Result<Option<Movement>> {
        let movement = self.read_movements(sequence, 1)?.pop();
        Ok(movement.filter(|movement| {
            movement.sequence == sequence && movement.request_id.as_ref() == Some(request_id)
        }))
    }
}

/// The products as they stand, the balances carried forward, and when the last movement was recorded.
pub(super) fn read_catalog(
    connection: &Connection,
) -> rusqlite::Result<(Vec<Product>, Checkpoint, Option<SystemTime>)> {
    let checkpoint = Checkpoint::read(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, name, unit, price_centavos, coalesce(stock_thousandths, 0)
         FROM product_terms LEFT JOIN balance_forward ON product_id = id ORDER BY id",
    )?;
    let products = statement.query_map([], |row| {
        let mut product = read_product(row)?;
        product.stock = checkpoint.balance(product.id).unwrap_or(product.stock);
        Ok(product)
    })?;
    let products = products.collect::<rusqlite::Result<_>>()?;
    Ok((products, checkpoint, read_last_time(connection)?))
}

pub(super) fn read_batch_or_import(
    connection: &Connection,
    request_id: &RequestId,
) -> rusqlite::Result<Option<Recorded>> {
    let mut batch = connection
        .prepare_cached("SELECT digest, first_sequence FROM batch_request WHERE request_id = ?1")?;
    let batch = batch.query_row([request_id.as_str()], |row| {
        Ok(BatchRecord {
            request_id: request_id.clone(),
            digest: row.get::<_, i64>(0)?.cast_unsigned(),
            first_sequence: row.get(1)?,
        })
    });
    if let Some(batch) = batch.optional()? {
        return Ok(Some(Recorded::Batch(batch)));
    }
    let mut import = connection.prepare_cached(
        "SELECT digest, created_count, updated_count, unchanged_count
         FROM import_request WHERE request_id = ?1",
    )?;
    let import = import.query_row([request_id.as_str()], |row| read_import(row, request_id.clone()));
    Ok(import.optional()?.map(Recorded::Import))
}
