//! The commit of one transaction: the rows of the changes, a step of the checkpoint and a piece of the index
//! of request ids.

use std::time::Duration;

use rusqlite::Connection;

use super::connect::BUSY_TIMEOUT;
use super::error::sqlite;
use super::names::{INDEX_SUFFIX, LOG_SUFFIX, beside};
use super::rows::write;
use super::terms::write_products;
use super::{SqliteStore, checkpoint, long_log};
use crate::catalog::Transaction;
use crate::store::StoreError;

impl SqliteStore {
    /// Checks the files of the database.
    ///
    /// # Errors
    /// If another program removed, replaced, cut or rewrote one of them.
    pub(super) fn check_files(&mut self) -> Result<(), StoreError> {
        self.files.check(&self.connection, self.lock.as_ref())
    }

    /// Checks the database file and the length of its log. SQLite has the files open, so it still works if
    /// the log was moved or the index was removed.
    ///
    /// # Errors
    /// If the database file was changed, or its log was cut.
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
        self.ensure_ready()?;
        self.check_files()?;
        let Self { connection, path, files, checkpoint, request_ids, is_suspect, lock, .. } = self;
        let failed = sqlite("gravar", path);
        // If the database is locked, nothing was written, and the error says so.
        execute(connection, "BEGIN IMMEDIATE").map_err(|error| {
            *is_suspect = true;
            failed(error)
        })?;
        write_products(connection, changes)
            .and_then(|()| write(connection, changes, checkpoint.last_sequence()))
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

    /// Copies the log into the database and empties it, unless a reader needs it. Waits for nobody.
    pub(super) fn shorten_log(&mut self) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::ZERO)?;
        let done = self.files.empty_log(&self.connection, self.lock.as_ref()).map(drop);
        self.has_warned_of_readers &= self.is_log_too_long();
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        done.inspect_err(|_| self.is_suspect = true)
    }

    pub(super) fn is_log_too_long(&self) -> bool {
        self.files.bytes(LOG_SUFFIX) > long_log::WARNED_BYTES
    }

    /// Shortens a log that has become too long. If that is impossible, logs the reason once.
    pub(super) fn look_at_log(&mut self) {
        if !self.is_log_too_long() {
            self.has_warned_of_readers = false;
            return;
        }
        if self.has_warned_of_readers {
            return;
        }
        let shortened = self.shorten_log();
        self.has_warned_of_readers = self.is_log_too_long();
        if let Err(error) = shortened {
            tracing::warn!(%error, "the log of the database grows and cannot be emptied");
        } else if self.has_warned_of_readers {
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

/// Runs a cached statement. `rusqlite`'s own transactions prepare theirs each time, which takes a
/// twenty-fifth of a transaction with one change.
pub(super) fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
