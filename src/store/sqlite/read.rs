//! What the writer reads: the catalog at the start, and what was done before.

use std::time::SystemTime;

use rusqlite::Connection;

use super::SqliteStore;
use super::checkpoint::Checkpoint;
use super::rows::{SELECT_MOVEMENTS, read_last_time, read_movement, read_product, read_request};
use crate::catalog::{Balance, Movement, Product, RequestId};
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
                None => read_request(&self.connection, request_id)?.map(Recorded::Request),
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
        "SELECT id, name, unit, price_centavos, coalesce(stock_thousandths, 0),
                coalesce(last_sequence, 0)
         FROM product_terms LEFT JOIN balance_forward ON product_id = id ORDER BY id",
    )?;
    let products = statement.query_map([], |row| {
        let mut product = read_product(row)?;
        if let Some(balance) = checkpoint.balance(product.id) {
            Balance { stock: product.stock, last_movement: product.last_movement } = balance;
        }
        Ok(product)
    })?;
    let products = products.collect::<rusqlite::Result<_>>()?;
    Ok((products, checkpoint, read_last_time(connection)?))
}
