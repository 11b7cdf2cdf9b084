//! The writer's reads: stored movements, and the requests stored under request ids.

use super::SqliteStore;
use super::details::{Authors, with_details};
use super::rows::{SELECT_MOVEMENTS, read_movement, read_request};
use crate::catalog::{Movement, RequestId};
use crate::store::{Recorded, RecordedById};

impl SqliteStore {
    pub(super) fn read_movements(
        &self,
        first_sequence: i64,
        count: usize,
    ) -> rusqlite::Result<Vec<Movement>> {
        let mut statement = self.connection.prepare_cached(SELECT_MOVEMENTS)?;
        let mut authors = Authors::new(&self.connection);
        let movements =
            statement.query_map([first_sequence, count as i64], |row| read_movement(row, &mut authors))?;
        movements.map(|movement| with_details(&self.connection, movement?)).collect()
    }

    pub(super) fn read_recorded(&self, request_ids: &[&RequestId]) -> rusqlite::Result<RecordedById> {
        let mut recorded = RecordedById::default();
        // One transaction for all reads, so that the lock is taken once.
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
