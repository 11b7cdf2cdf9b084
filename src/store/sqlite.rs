//! The embedded store: one SQLite file, in WAL mode with `synchronous=FULL`, so that a commit returns once
//! the change is on disk.

mod backup;
mod base;
mod checkpoint;
mod commit;
mod connect;
mod content;
mod details;
mod error;
mod files;
mod ledger;
mod load;
mod lock;
mod log;
mod log_check;
mod log_place;
mod long_log;
mod moment;
mod moving;
mod names;
mod open;
mod proof;
mod read;
mod recover;
mod request_ids;
mod restore;
mod rotation;
mod rows;
mod schema;
mod terms;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Ledger, LedgerRow, RecordedById, Settled, Store, StoreError, Wait};
use crate::catalog::{Catalog, Movement, RequestId, Transaction};
use crate::platform::files::FileExt;
use crate::private_file::AtomicFile;
use checkpoint::Checkpoint;
use connect::{BUSY_TIMEOUT, connect};
use error::{corrupt, io, shown, sqlite};
use files::Files;
use ledger::SqliteLedger;
use load::read_catalog;
use lock::Lock;
use names::LOG_SUFFIX;
use request_ids::RequestIds;
use schema::check_keys;

pub use backup::back_up;
pub(crate) use moving::{SqliteSource, SqliteTarget};
pub use names::has_file;
pub use restore::{Restored, restore};
pub use rotation::{Dated, back_up_dated};
pub use schema::SCHEMA_VERSION;
pub use verify::verify;

/// A catalog in a SQLite file, or in memory.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Whether the database has no tables yet.
    is_new: bool,
    /// The file of a new database, until the database is created.
    unfinished: Option<AtomicFile>,
    files: Files,
    checkpoint: Checkpoint,
    request_ids: RequestIds,
    /// The readers. Their connections are closed before `connection`.
    ledger: Arc<SqliteLedger>,
    /// Whether the connection failed at a step that wrote nothing. The connection may still hold a lock,
    /// so it is replaced before the next use.
    is_suspect: bool,
    /// Whether the readers that keep a log too long have been reported.
    has_warned_of_readers: bool,
    /// The lock on the database, held as long as the store is open, so that no second server opens the
    /// same file. The lock is dropped after the connection. A database in memory has none.
    lock: Option<Lock>,
}

impl SqliteStore {
    fn new(
        connection: Connection,
        path: PathBuf,
        unfinished: Option<AtomicFile>,
        lock: Option<Lock>,
        memory: Option<String>,
    ) -> Self {
        let is_new = unfinished.is_some() || lock.is_none();
        let (checkpoint, request_ids) = (Checkpoint::new(), RequestIds::new());
        let ledger = Arc::new(SqliteLedger::new(&path, memory));
        Self {
            connection,
            path,
            is_new,
            unfinished,
            files: Files::default(),
            checkpoint,
            request_ids,
            ledger,
            is_suspect: false,
            has_warned_of_readers: false,
            lock,
        }
    }

    fn failed(&self, action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
        sqlite(action, &self.path)
    }
}

impl Store for SqliteStore {
    fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
        if self.is_new {
            return Ok(None);
        }
        let (catalog, checkpoint) = read_catalog(&self.connection).map_err(self.failed("ler"))?;
        self.checkpoint = checkpoint;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        let corrupt = |reason| corrupt(&self.path, reason);
        let catalog = catalog.map_err(corrupt)?;
        if !catalog.look_alikes().is_empty() {
            check_keys(&self.connection, &catalog).map_err(self.failed("ler"))?.map_err(corrupt)?;
        }
        Ok(Some(catalog))
    }

    fn create(&mut self, opening: &Transaction) -> Result<(), StoreError> {
        self.create_with(opening).map_err(self.failed("criar"))?;
        if let Some(unfinished) = self.unfinished.take() {
            // Marks the database as one with a log. SQLite would do so in a transaction of its own.
            unfinished
                .file()
                .write_all_at(&log::WITH_LOG, log::VERSIONS_OFFSET)
                .map_err(io("criar", &self.path))?;
            if let Some(lock) = &mut self.lock {
                let file = unfinished.file().try_clone().map_err(io("travar", &self.path))?;
                lock.open_file(file, unfinished.temporary(), &self.path)?;
            }
            // Not every system renames a file that SQLite has open.
            self.connection = Connection::open_in_memory().map_err(self.failed("criar"))?;
            unfinished.finish(false).map_err(io("criar", &self.path))?;
            self.connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        }
        self.prepare()?;
        self.checkpoint.stored(opening, &self.checkpoint.step(opening));
        self.is_new = false;
        Ok(())
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
        self.files.check_index()?;
        self.ensure_ready()?;
        self.read_recorded(request_ids).map_err(|error| {
            self.is_suspect = true;
            self.failed("consultar")(error)
        })
    }

    fn rows(&mut self, first_sequence: i64, count: usize) -> Result<Vec<LedgerRow>, StoreError> {
        self.files.check_index()?;
        self.ensure_ready()?;
        ledger::rows::rows(&self.connection, first_sequence, count).map_err(self.failed("consultar"))
    }

    fn movements_back(
        &mut self,
        last: i64,
        after: i64,
        count_max: usize,
    ) -> Result<Vec<Movement>, StoreError> {
        self.files.check_index()?;
        self.ensure_ready()?;
        ledger::rows::movements_back(&self.connection, last, after, count_max)
            .map_err(self.failed("consultar"))
    }

    fn is_ready(&self) -> bool {
        // A database in memory cannot be opened again: it would be gone with its connection.
        !self.is_suspect || self.lock.is_none()
    }

    fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError> {
        if wait == Wait::Never {
            self.set_busy_timeout(Duration::ZERO)?;
            let done = self.commit(changes, Wait::ForOthers);
            self.set_busy_timeout(BUSY_TIMEOUT)?;
            return done;
        }
        let step = self.checkpoint.step(changes);
        self.request_ids.prepare(self.checkpoint.last_sequence());
        self.commit_with(changes, step)?;
        self.look_at_log();
        Ok(())
    }

    fn prove(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        self.prove_content(catalog)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.ensure_ready()?;
        self.check_files()?;
        self.set_busy_timeout(Duration::ZERO)?;
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").map_err(self.failed("gravar"));
        self.is_suspect |= begun.is_err();
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        begun
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        // If a file was changed, the next commit reports it.
        if self.files.bytes(LOG_SUFFIX) > long_log::KEPT_BYTES_MAX && self.check_files().is_ok() {
            self.shorten_log()?;
        }
        Ok(())
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as Arc<dyn Ledger>
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.ledger.close();
        self.check_database()?;
        if let Some(step) = self.checkpoint.last_step() {
            self.request_ids.prepare_last(self.checkpoint.last_sequence());
            if let Err(error) = self.commit_with(&Transaction::default(), step) {
                tracing::warn!(%error, "the next start reads more of the ledger");
            }
        }
        // The log is copied here, because the copy that SQLite makes on closing is not compared.
        let _ = self.files.copy_log(&self.connection, self.lock.as_ref());
        // SQLite removes only the log's name on closing. If the log has a second name (`cp -al`), a start
        // under that name would play its content into the database, over all later changes.
        let _ = self.shorten_log();
        self.check_database()
    }

    fn settle(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError> {
        // A database in memory cannot be opened again, and has no disk that could have failed.
        if self.lock.is_some() {
            self.reconnect()?;
            // Copies the log into the database and syncs it, so that everything that is read below is on
            // disk, even if the sync of the log's own pages failed.
            let is_busy = self.files.empty_log(&self.connection, self.lock.as_ref())?;
            if is_busy {
                return Err(StoreError::Busy { path: shown(&self.path) });
            }
        }
        self.checkpoint = Checkpoint::read(&self.connection).map_err(self.failed("ler"))?;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        let Some(in_doubt) = in_doubt else { return Ok(Settled::NotStored) };
        self.check_ledger_end(in_doubt)?;
        let is_stored = self.holds(in_doubt).map_err(self.failed("conferir"))?;
        Ok(if is_stored { Settled::Stored } else { Settled::NotStored })
    }
}

impl Drop for SqliteStore {
    /// Closes the database. Closing reads the index of the log; if the index was cut, the database is left
    /// open until the process ends. If the database was rewritten or moved, its log stays.
    fn drop(&mut self) {
        self.ledger.close();
        if self.files.check_index().is_err() {
            if let Ok(other) = Connection::open_in_memory() {
                std::mem::forget(std::mem::replace(&mut self.connection, other));
            }
            return;
        }
        match self.check_files() {
            Err(StoreError::Rewritten { .. } | StoreError::Cut { .. }) => {
                let _ = self.keep_log(true);
            }
            // Another file has the database's name now, and the log does not belong to it.
            Err(error @ StoreError::Moved { .. }) if error.is_of(&self.path) => {
                let _ = self.keep_log(true);
            }
            _ => self.files.forget(),
        }
    }
}

#[cfg(test)]
mod tests;
