//! Opens a database: a new one, an existing one, and one whose connection failed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags, TransactionBehavior};

use super::connect::connect;
use super::error::{corrupt, io, sqlite};
use super::files::Files;
use super::lock::Lock;
use super::log_check::{check_log, refuse_strangers};
use super::names::{INDEX_SUFFIX, exists, place};
use super::request_ids::RequestIds;
use super::rows::write;
use super::schema::{APPLICATION_ID, SCHEMA_VERSION, check_header, migrate};
use super::terms::write_products;
use super::{SqliteStore, backup, log_place, long_log};
use crate::catalog::Transaction;
use crate::private_file::AtomicFile;
use crate::store::{Store, StoreError};

/// Largest database that is checked completely at each start, in bytes; that takes some tens of milliseconds.
/// In a larger one the [`LONG_TABLES`] are skipped, so that a start does not last longer as the ledger grows;
/// `hortifruti verify` checks them.
pub(super) const CHECKED_BYTES_MAX: u64 = if cfg!(test) { 64 * 1024 } else { 16 * 1024 * 1024 };

/// The tables that grow with every change.
const LONG_TABLES: [&str; 5] = ["movement", "movement_detail", "purchase", "request_chunk", "product_change"];

/// Prepared statements kept: more than there are.
const STATEMENT_CACHE: usize = 64;

impl SqliteStore {
    /// Opens the database. If there is none, [`Store::create`] creates it, under a temporary name until it
    /// is complete.
    ///
    /// `port` is the port of this server; the error of a second server names it.
    ///
    /// # Errors
    /// If another server has the database, or the file is no database of this program, is damaged, or
    /// cannot be opened.
    pub fn open(path: &Path, port: u16) -> Result<Self, StoreError> {
        let path = place(path)?;
        let mut lock = Lock::name(&path, port)?;
        if !exists(&path)? {
            refuse_strangers(&path)?;
            let unfinished = AtomicFile::begin(&path).map_err(io("criar", &path))?;
            let connection = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            return Ok(Self::new(connection, path, Some(unfinished), Some(lock), None));
        }
        AtomicFile::remove_leftover(&path).map_err(io("limpar o resto de", &path))?;
        lock.file(&path)?;
        check_log(&path, lock.note())?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let has_log = log_place::has_log(&path);
        let mut this = Self::new(connection, path, None, Some(lock), None);
        // Until the database has been checked, nothing is copied into it, not even when a refused start
        // closes it.
        this.keep_log(has_log).map_err(this.failed("preparar"))?;
        this.check()?;
        this.keep_log(false).map_err(this.failed("preparar"))?;
        this.prepare()?;
        Ok(this)
    }

    /// Opens a database in memory, which is gone when the store is dropped.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = PathBuf::from(":memory:");
        // Each database has a name of its own, by which its readers open it.
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let address = format!("file:hortifruti-{number}?mode=memory&cache=shared");
        let connection = Connection::open(&address).map_err(sqlite("abrir", &path))?;
        Ok(Self::new(connection, path, None, None, Some(address)))
    }

    /// Sets whether closing the last connection keeps the log. By default SQLite copies the log into the
    /// database and removes it.
    pub(super) fn keep_log(&self, keep: bool) -> rusqlite::Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
    }

    /// Checks the file before anything in it is changed.
    ///
    /// # Errors
    /// If the file is no database of this program, is read-only, or is damaged.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        check_header(&self.connection, &self.path, 1..=SCHEMA_VERSION)?;
        let read_only = self.connection.is_readonly(MAIN_DB).map_err(self.failed("ler"))?;
        if read_only {
            return Err(io("gravar em", &self.path)(ErrorKind::PermissionDenied.into()));
        }
        let bytes = fs::metadata(&self.path).map_err(io("ler", &self.path))?.len();
        let said = if bytes <= CHECKED_BYTES_MAX { self.check_all() } else { self.check_short_tables() };
        match said.map_err(self.failed("conferir"))?.as_str() {
            "ok" => Ok(()),
            said => Err(corrupt(&self.path, said.to_owned())),
        }
    }

    pub(super) fn check_all(&self) -> rusqlite::Result<String> {
        self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    }

    pub(super) fn check_short_tables(&self) -> rusqlite::Result<String> {
        let mut tables = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (?1, ?2, ?3, ?4, ?5)
             ORDER BY rowid",
        )?;
        let mut tables = tables.query(LONG_TABLES)?;
        while let Some(table) = tables.next()? {
            let table: String = table.get(0)?;
            let said: String = self.connection.query_row(
                "SELECT quick_check FROM pragma_quick_check(?1) LIMIT 1",
                [table],
                |row| row.get(0),
            )?;
            if said != "ok" {
                return Ok(said);
            }
        }
        Ok("ok".to_owned())
    }

    /// Prepares a database of any schema for changes.
    pub(super) fn prepare(&mut self) -> Result<(), StoreError> {
        self.configure().map_err(self.failed("preparar"))?;
        self.migrate()?;
        if let Some(lock) = &self.lock {
            // The note changes a time of the file, so it is written before the times are read.
            lock.note_log();
            // The migration has begun a transaction, so all files exist.
            self.files = Files::look(&self.path, lock)?;
        }
        Ok(())
    }

    pub(super) fn configure(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // A longer log is cut to this length when SQLite starts it from its beginning again.
        connection.pragma_update(None, "journal_size_limit", long_log::KEPT_BYTES_MAX.cast_signed())?;
        // The log is copied by `Files::committed`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // The catalog has already checked the product of every movement. SQLite's check would read a page
        // of the products for each row, four times slower with a million products.
        connection.pragma_update(None, "foreign_keys", "OFF")
    }

    /// Replaces the connection by a new one.
    pub(super) fn reconnect(&mut self) -> Result<(), StoreError> {
        self.check_files()?;
        self.ledger.forget_idle();
        // On closing, SQLite would copy the log, and so sync pages again whose first sync failed.
        let _ = self.keep_log(true);
        self.connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let configured = self.configure().map_err(self.failed("preparar"));
        // If this failed, the index may be shorter, but nobody cut it.
        self.files.note_length(INDEX_SUFFIX);
        configured?;
        self.is_suspect = false;
        Ok(())
    }

    /// Replaces a connection that has failed before.
    pub(super) fn ensure_ready(&mut self) -> Result<(), StoreError> {
        if self.is_ready() { Ok(()) } else { self.reconnect() }
    }

    pub(super) fn create_with(&mut self, opening: &Transaction) -> rusqlite::Result<()> {
        if self.unfinished.is_some() {
            // The file is synced once it is complete; until then it may be lost.
            self.connection.pragma_update(None, "journal_mode", "MEMORY")?;
            self.connection.pragma_update(None, "synchronous", "OFF")?;
        }
        let transaction = self.connection.transaction()?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        migrate(&transaction)?;
        write_products(&transaction, opening)?;
        write(&transaction, opening, 0)?;
        transaction.commit()?;
        self.request_ids = RequestIds::read(&self.connection)?;
        Ok(())
    }

    /// Migrates a database of an earlier schema to the current one, and keeps a copy of it first.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let failed = sqlite("atualizar", &self.path);
        let version: i32 =
            self.connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&failed)?;
        if (1..SCHEMA_VERSION).contains(&version) {
            let copy = backup::keep_copy(&self.connection, &self.path, version)?;
            tracing::info!(
                from = version,
                to = SCHEMA_VERSION,
                copy = %copy.display(),
                "the database is of an earlier schema and is updated; a copy of it is kept"
            );
        }
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(&failed)?;
        migrate(&transaction).and_then(|()| transaction.commit()).map_err(&failed)
    }
}
