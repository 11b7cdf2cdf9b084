//! Finds out after a failed commit whether its changes are stored.

use rusqlite::params;

use super::SqliteStore;
use super::error::corrupt;
use crate::catalog::Transaction;
use crate::store::StoreError;

impl SqliteStore {
    /// Whether these changes are stored. They are one transaction, so looking for one row is enough.
    pub(super) fn holds(&self, transaction: &Transaction) -> rusqlite::Result<bool> {
        let connection = &self.connection;
        if let Some(movement) = transaction.movements.last() {
            return Ok(self.checkpoint.last_sequence() == movement.sequence);
        }
        if let Some(request) = transaction.requests.last() {
            return connection.query_row(
                "SELECT count(*) FROM request WHERE request_id = ?1",
                [request.request_id.as_str()],
                |row| row.get(0),
            );
        }
        if let Some(change) = transaction.changes.last() {
            let last = "SELECT coalesce(max(number), 0) = ?1 FROM product_change";
            return connection.query_row(last, [change.number], |row| row.get(0));
        }
        // The changes only clear the mark of examples that are in a price list.
        let Some(product) = transaction.products.last() else { return Ok(true) };
        connection.query_row(
            "SELECT count(*) FROM product_terms WHERE id = ?1 AND example = ?2",
            params![product.id.number(), product.flags.is_example()],
            |row| row.get(0),
        )
    }

    /// Checks that the ledger ends either just before these changes or with them.
    ///
    /// # Errors
    /// If another program wrote or deleted movements, so that the catalog differs from the store.
    pub(super) fn check_ledger_end(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (transaction.movements.first(), transaction.movements.last()) else {
            return Ok(());
        };
        let end = self.checkpoint.last_sequence();
        let stored = self.read_movements(last.sequence, 1).map_err(self.failed("conferir"))?;
        if end == first.sequence - 1 || end == last.sequence && stored.first() == Some(last) {
            return Ok(());
        }
        let reason = if end < first.sequence {
            format!("outro programa apagou dele o movimento {}", end + 1)
        } else {
            format!("outro programa gravou nele o movimento {end}")
        };
        Err(corrupt(&self.path, reason))
    }
}
