//! The pool of the readers' connections.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::private_file::FileStat;
use crate::store::StoreError;
use crate::store::sqlite::connect::connect;
use crate::store::sqlite::error::{shown, sqlite};
use crate::store::sqlite::names::{INDEX_SUFFIX, LOG_SUFFIX, beside};

/// Most connections that read at the same time, each with a cache of some megabytes. Further readers wait,
/// for milliseconds.
const CONNECTIONS_MAX: usize = 4;

/// How long a reader waits for a free connection before it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The readers' connections to one database. The store closes them before its own connection, because the
/// last one to be closed removes the log.
pub(in crate::store::sqlite) struct SqliteLedger {
    path: PathBuf,
    /// The address of a database in memory, which has no files.
    memory: Option<String>,
    state: Mutex<State>,
    /// Notified when a connection is returned to the pool.
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    in_use: usize,
    is_closed: bool,
    /// The index of the log at the last check.
    index: Option<FileStat>,
}

impl SqliteLedger {
    pub(in crate::store::sqlite) fn new(path: &Path, memory: Option<String>) -> Self {
        Self { path: path.to_owned(), memory, state: Mutex::default(), returned: Condvar::new() }
    }

    /// The bytes of the database and of its log; 0 for a file that is not there.
    pub(super) fn file_bytes(&self) -> [u64; 2] {
        if self.memory.is_some() {
            return [0; 2];
        }
        ["", LOG_SUFFIX].map(|suffix| FileStat::at(&beside(&self.path, suffix)).map_or(0, |stat| stat.bytes))
    }

    /// Reads in one transaction.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failed = sqlite("consultar", &self.path);
        let mut lease = self.lease()?;
        let connection = match lease.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let moment = connection.unchecked_transaction().map_err(&failed)?;
        let result = read(&connection);
        // A connection that failed is not used again.
        if result.is_ok() && moment.rollback().is_ok() {
            lease.connection = Some(connection);
        }
        result.map_err(failed)
    }

    /// Refuses new readers, waits for those that read, and closes all connections.
    pub(in crate::store::sqlite) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        while state.in_use > 0 {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle.clear();
    }

    /// Closes the idle connections, so that the next reader opens a new one.
    pub(in crate::store::sqlite) fn forget_idle(&self) {
        let mut state = self.lock();
        state.idle.clear();
        state.index = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leases an idle connection, or the right to open a new one. Waits if all are in use.
    fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let is_full = |state: &mut State| state.in_use >= CONNECTIONS_MAX && !state.is_closed;
        let waited = self.returned.wait_timeout_while(self.lock(), PATIENCE, is_full);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(StoreError::Busy { path: shown(&self.path) });
        }
        if state.is_closed {
            let reason = "o servidor está parando".to_owned();
            return Err(StoreError::Failed { action: "consultar", path: shown(&self.path), reason });
        }
        self.check_index(&mut state)?;
        state.in_use += 1;
        Ok(Lease { connection: state.idle.pop(), ledger: self })
    }

    /// Checks the index of the log. SQLite has it mapped into memory, and the system kills (SIGBUS) a process
    /// that reads beyond the end of a mapped file.
    ///
    /// # Errors
    /// If the index was removed, replaced or cut.
    fn check_index(&self, state: &mut State) -> Result<(), StoreError> {
        if self.memory.is_some() {
            return Ok(());
        }
        let path = beside(&self.path, INDEX_SUFFIX);
        let Ok(found) = FileStat::at(&path) else { return Err(StoreError::Moved { path: shown(&path) }) };
        match state.index {
            Some(before) if before.identity != found.identity => {
                Err(StoreError::Moved { path: shown(&path) })
            }
            Some(before) if before.bytes > found.bytes => Err(StoreError::Cut { path: shown(&path) }),
            _ => {
                state.index = Some(found);
                Ok(())
            }
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let failed = sqlite("abrir", &self.path);
        if let Some(address) = &self.memory {
            let connection = Connection::open(address).map_err(&failed)?;
            // Without this, readers and the writer would lock each other out of a table. Readers select
            // only published rows, so they see nothing of an open transaction.
            connection.pragma_update(None, "read_uncommitted", true).map_err(&failed)?;
            return Ok(connection);
        }
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Only the writer copies the log.
        let keep_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(keep_log, true).map_err(failed)?;
        Ok(connection)
    }
}

/// A leased connection, or the right to open one, which returns to the pool when it is dropped.
struct Lease<'l> {
    connection: Option<Connection>,
    ledger: &'l SqliteLedger,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.ledger.lock();
        state.in_use -= 1;
        state.idle.extend(self.connection.take());
        self.ledger.returned.notify_all();
    }
}
