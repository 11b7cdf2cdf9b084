//! One transaction: the rows of the changes, and what is stored with them.

use std::time::Duration;

use rusqlite::Connection;

use super::connect::BUSY_TIMEOUT;
use super::error::sqlite;
use super::names::{INDEX_SUFFIX, LOG_SUFFIX, beside};
use super::rows::write;
use super::{SqliteStore, checkpoint, long_log};
use crate::catalog::Transaction;
use crate::store::StoreError;

impl SqliteStore {
    /// Refuses the database if one of its files is not as it was left.
    pub(super) fn check_files(&mut self) -> Result<(), StoreError> {
        self.files.check(&self.connection, self.lock.as_ref())
    }

    /// Refuses the database if it is not as it was left, or its log was cut. If the log was moved, or
    /// the index is wrong, SQLite still has what it needs.
    pub(super) fn check_database(&mut self) -> Result<(), StoreError> {
        let log = beside(&self.path, LOG_SUFFIX);
        match self.check_files() {
            Err(error) if error.is_of(&self.path) => Err(error),
            Err(error @ StoreError::Cut { .. }) if error.is_of(&log) => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes one transaction, with a step of the checkpoint and a piece of the index of request ids.
    pub(super) fn commit_with(
        &mut self,
        changes: &Transaction,
        step: checkpoint::Step,
    ) -> Result<(), StoreError> {
        self.be_sure()?;
        self.check_files()?;
        let Self { connection, path, files, checkpoint, request_ids, is_suspect, lock, .. } = self;
        let failed = sqlite("gravar", path);
        // If the lock is not got, nothing was written, and the error says so.
        execute(connection, "BEGIN IMMEDIATE").map_err(|error| {
            *is_suspect = true;
            failed(error)
        })?;
        write(connection, changes, checkpoint.last_sequence())
            .and_then(|()| step.write(connection))
            .and_then(|()| request_ids.write(connection))
            .and_then(|()| execute(connection, "COMMIT"))
            .map_err(|error| {
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                failed(error)
            })?;
        checkpoint.stored(changes, &step);
        request_ids.stored(changes);
        files.committed(connection, lock.as_ref());
        Ok(())
    }

    /// Copies the log into the database and empties it, unless somebody reads it; waits for nobody.
    pub(super) fn shorten_log(&mut self) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::ZERO)?;
        let done = self.files.empty_log(&self.connection, self.lock.as_ref()).map(drop);
        self.has_told_readers &= self.is_log_too_long();
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        done.inspect_err(|_| self.is_suspect = true)
    }

    pub(super) fn is_log_too_long(&self) -> bool {
        self.files.bytes(LOG_SUFFIX) > long_log::WARNED_BYTES
    }

    /// Shortens a log that has become too long. If that cannot be done, says why, once.
    pub(super) fn look_at_log(&mut self) {
        if !self.is_log_too_long() {
            self.has_told_readers = false;
            return;
        }
        if self.has_told_readers {
            return;
        }
        let shortened = self.shorten_log();
        self.has_told_readers = self.is_log_too_long();
        if let Err(error) = shortened {
            tracing::warn!(%error, "the log of the database grows and cannot be emptied");
        } else if self.has_told_readers {
            tracing::warn!(
                bytes = self.files.bytes(LOG_SUFFIX),
                processes = long_log::readers(&beside(&self.path, INDEX_SUFFIX)),
                "the log of the database grows and cannot be emptied, because another program reads the \
                 database; end what that program does"
            );
        }
    }

    pub(super) fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        self.files.set_patience(timeout);
        self.connection.busy_timeout(timeout).map_err(self.failed("gravar"))
    }
}

/// Runs a statement that is prepared only once. `rusqlite`'s transactions prepare theirs anew, a
/// twenty-fifth of the time of a transaction with one change.
pub(super) fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
