//! The embedded store: one SQLite file, in WAL mode with `synchronous=FULL`, so that a
//! commit returns once the change is on disk.

mod backup;
mod base;
mod files;
mod forward;
mod lock;
mod log;
mod log_place;
mod long_log;
mod request_ids;
mod restore;
mod rows;
mod schema;
mod verify;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, TransactionBehavior, ffi, params,
};

use super::{Recorded, RecordedById, Store, StoreError};
use crate::catalog::{BatchRecord, Catalog, Changes, Movement, Product, RequestId};
use crate::private_file::{self, Unfinished};
use files::{Files, INDEX_SUFFIX, LOG_SUFFIX, beside, check_log, exists, place, refuse_strangers};
use forward::Forwarding;
use lock::Lock;
use request_ids::RequestIds;
use rows::{SELECT_MOVEMENTS, read_import, read_last_time, read_movement, read_product, write};
use schema::{APPLICATION_ID, SCHEMA_VERSION, check_header, check_keys, migrate};

pub use backup::back_up;
pub use files::has_file;
pub use restore::{Restored, restore};
pub use verify::{Step, Verified, verify};

/// How long to wait for another program that reads or backs up the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest database that is looked through whole at each start, in bytes: in some tens of
/// milliseconds. Of a larger one, all but the [`LONG_TABLES`] is, so that the start does not
/// last longer as the ledger grows; `hortifruti verify` looks through the rest.
const CHECKED_BYTES_MAX: u64 = if cfg!(test) { 64 * 1024 } else { 16 * 1024 * 1024 };

/// The tables that grow with every change.
const LONG_TABLES: [&str; 2] = ["movement", "request_chunk"];

/// Prepared statements kept: there are fewer than this many.
const STATEMENT_CACHE: usize = 16;

/// A catalog in a SQLite file, or in memory.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Whether there are no tables yet.
    is_new: bool,
    /// A new database, until it is created.
    unfinished: Option<Unfinished>,
    files: Files,
    forwarding: Forwarding,
    request_ids: RequestIds,
    /// The connection failed at something that wrote nothing. It may still hold a lock that the
    /// system did not let it release, so another takes its place before it is used again.
    is_suspect: bool,
    /// Whether the readers that keep a log too long have been reported.
    has_told_readers: bool,
    /// The lock on the database, held as long as the store is open, so that no second server opens the
    /// same file. Dropped after the connection. A database in memory has none.
    lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens the database. Where there is none, [`Store::create`] makes it, under another
    /// name until it is whole.
    ///
    /// `port` is the port of this server; a second server that is refused names it.
    ///
    /// # Errors
    /// Where another server has it, it is not ours, it is damaged, or it cannot be opened.
    pub fn open(path: &Path, port: u16) -> Result<Self, StoreError> {
        let path = place(path)?;
        let mut lock = Lock::name(&path, port)?;
        if !exists(&path)? {
            refuse_strangers(&path)?;
            let unfinished = Unfinished::begin(&path).map_err(io("criar", &path))?;
            let connection = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            return Ok(Self::new(connection, path, Some(unfinished), Some(lock)));
        }
        private_file::remove_unfinished(&path).map_err(io("limpar o resto de", &path))?;
        lock.file(&path)?;
        check_log(&path, lock.note())?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let has_log = log_place::has_log(&path);
        let mut this = Self::new(connection, path, None, Some(lock));
        // Until it is known to be ours and whole, nothing is copied into it, not even at the
        // end of a start that is refused.
        this.keep_log(has_log).map_err(this.failed("preparar"))?;
        this.check()?;
        this.keep_log(false).map_err(this.failed("preparar"))?;
        this.prepare()?;
        Ok(this)
    }

    /// A database that is gone when the store is dropped.
    ///
    /// # Errors
    /// Only where there is no memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory().map_err(sqlite("abrir", &path))?;
        Ok(Self::new(connection, path, None, None))
    }

    fn new(
        connection: Connection,
        path: PathBuf,
        unfinished: Option<Unfinished>,
        lock: Option<Lock>,
    ) -> Self {
        let is_new = unfinished.is_some() || lock.is_none();
        let (forwarding, request_ids) = (Forwarding::new(), RequestIds::new());
        Self {
            connection,
            path,
            is_new,
            unfinished,
            files: Files::default(),
            forwarding,
            request_ids,
            is_suspect: false,
            has_told_readers: false,
            lock,
        }
    }

    /// Whether closing the last connection leaves the log as it is. SQLite would copy it into
    /// the database.
    fn keep_log(&self, keep: bool) -> rusqlite::Result<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
    }

    /// Looks at what the file is before anything in it is changed.
    fn check(&self) -> Result<(), StoreError> {
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

    fn check_all(&self) -> rusqlite::Result<String> {
        self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    }

    fn check_short_tables(&self) -> rusqlite::Result<String> {
        let mut tables = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN (?1, ?2) ORDER BY rowid",
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

    /// Makes a database of ours, of any version, ready for changes.
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.configure().map_err(self.failed("preparar"))?;
        self.migrate().map_err(self.failed("atualizar"))?;
        if let Some(lock) = &self.lock {
            // The migration has begun a transaction, so they are all there.
            self.files = Files::look(&self.path, lock)?;
            lock.note_log();
        }
        Ok(())
    }

    fn configure(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // A longer log is cut to this length, once SQLite begins it again.
        connection.pragma_update(None, "journal_size_limit", long_log::KEPT_BYTES_MAX.cast_signed())?;
        // The log is copied by `Files::committed`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // The catalog gives every movement its product. To have SQLite look that up again
        // reads a page of the products for each row of the ledger: a quarter of the speed
        // with a million of them.
        connection.pragma_update(None, "foreign_keys", "OFF")
    }

    /// Opens the file anew.
    fn reconnect(&mut self) -> Result<(), StoreError> {
        self.check_files()?;
        // Closing would checkpoint, and so sync pages again whose first sync failed.
        let _ = self.keep_log(true);
        self.connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let configured = self.configure().map_err(self.failed("preparar"));
        // Where that failed the index is perhaps too short, but nobody cut it.
        self.files.note_length(INDEX_SUFFIX);
        configured?;
        self.is_suspect = false;
        Ok(())
    }

    /// Makes sure of a connection that nothing has failed on.
    fn be_sure(&mut self) -> Result<(), StoreError> {
        if self.is_ready() { Ok(()) } else { self.reconnect() }
    }

    fn create_with(&mut self, opening: &Changes) -> rusqlite::Result<()> {
        if self.unfinished.is_some() {
            // The file is synced when it is whole; until then it may be lost.
            self.connection.pragma_update(None, "journal_mode", "MEMORY")?;
            self.connection.pragma_update(None, "synchronous", "OFF")?;
        }
        let transaction = self.connection.transaction()?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        migrate(&transaction)?;
        write(&transaction, opening, 0)?;
        transaction.commit()?;
        self.request_ids = RequestIds::read(&self.connection)?;
        Ok(())
    }

    fn migrate(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migrate(&transaction)?;
        transaction.commit()
    }

    /// Refuses the database if one of its files is not as it was left.
    fn check_files(&mut self) -> Result<(), StoreError> {
        self.files.check(&self.connection, self.lock.as_ref())
    }

    /// Refuses the database if it is not as it was left, or its log was cut. If the log was moved, or
    /// the index is wrong, SQLite still has what it needs.
    fn check_database(&mut self) -> Result<(), StoreError> {
        let log = beside(&self.path, LOG_SUFFIX);
        match self.check_files() {
            Err(error) if error.is_of(&self.path) => Err(error),
            Err(error @ StoreError::Cut { .. }) if error.is_of(&log) => Err(error),
            _ => Ok(()),
        }
    }

    /// One transaction, with what it brings forward and what it stores of the index of ids.
    fn commit_with(&mut self, changes: &Changes, step: forward::Step) -> Result<(), StoreError> {
        self.be_sure()?;
        self.check_files()?;
        let Self { connection, path, files, forwarding, request_ids, is_suspect, lock, .. } = self;
        let failed = sqlite("gravar", path);
        // Where the lock is not got, nothing was written, and the error says so.
        execute(connection, "BEGIN IMMEDIATE").map_err(|error| {
            *is_suspect = true;
            failed(error)
        })?;
        write(connection, changes, forwarding.last_sequence())
            .and_then(|()| step.write(connection))
            .and_then(|()| request_ids.write(connection))
            .and_then(|()| execute(connection, "COMMIT"))
            .map_err(|error| {
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                failed(error)
            })?;
        forwarding.stored(changes, &step);
        request_ids.stored(changes);
        files.committed(connection, lock.as_ref());
        Ok(())
    }

    /// Copies the log into the database and empties it, unless somebody reads it; waits for nobody.
    fn shorten_log(&mut self) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::ZERO)?;
        let done = self.files.empty_log(&self.connection, self.lock.as_ref()).map(drop);
        self.has_told_readers &= self.is_log_too_long();
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        done.inspect_err(|_| self.is_suspect = true)
    }

    fn is_log_too_long(&self) -> bool {
        self.files.bytes(LOG_SUFFIX) > long_log::WARNED_BYTES
    }

    /// Shortens a log that has become too long. If that cannot be done, says why, once.
    fn look_at_log(&mut self) {
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

    fn read_movements(&self, first_sequence: i64, count: usize) -> rusqlite::Result<Vec<Movement>> {
        let mut statement = self.connection.prepare_cached(SELECT_MOVEMENTS)?;
        statement.query_map([first_sequence, count as i64], read_movement)?.collect()
    }

    /// Whether these changes are stored. They are one transaction, so one row tells.
    fn holds(&self, changes: &Changes) -> rusqlite::Result<bool> {
        let connection = &self.connection;
        if let Some(movement) = changes.movements.last() {
            return Ok(self.forwarding.last_sequence() == movement.sequence);
        }
        if let Some(import) = changes.imports.last() {
            return connection.query_row(
                "SELECT count(*) FROM import_request WHERE request_id = ?1",
                [import.request_id.as_str()],
                |row| row.get(0),
            );
        }
        let Some(product) = changes.listed.last() else { return Ok(true) };
        connection.query_row(
            "SELECT count(*) FROM product_terms WHERE id = ?1 AND price_centavos = ?2 AND unit = ?3",
            params![product.id.number(), product.price.centavos(), product.unit.as_str()],
            |row| row.get(0),
        )
    }

    /// Refuses to go on where the ledger ends neither before these changes nor with them: then
    /// another program wrote in it, and the catalog is not what is stored.
    fn check_ledger_end(&self, changes: &Changes) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (changes.movements.first(), changes.movements.last()) else {
            return Ok(());
        };
        let end = self.forwarding.last_sequence();
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

    fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        self.files.set_patience(timeout);
        self.connection.busy_timeout(timeout).map_err(self.failed("gravar"))
    }

    fn failed(&self, action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
        sqlite(action, &self.path)
    }

    fn read_recorded(&self, request_ids: &[&RequestId]) -> rusqlite::Result<RecordedById> {
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
    fn read_movement_of(&self, request_id: &RequestId, sequence: i64) -> rusqlite::Result<Option<Movement>> {
        let movement = self.read_movements(sequence, 1)?.pop();
        Ok(movement.filter(|movement| {
            movement.sequence == sequence && movement.request_id.as_ref() == Some(request_id)
        }))
    }
}

/// The products as they stand, the balances carried forward, and when the last movement was recorded.
fn read_catalog(connection: &Connection) -> rusqlite::Result<(Vec<Product>, Forwarding, Option<SystemTime>)> {
    let forwarding = Forwarding::read(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, name, unit, price_centavos, coalesce(stock_thousandths, 0)
         FROM product_terms LEFT JOIN balance_forward ON product_id = id ORDER BY id",
    )?;
    let products = statement.query_map([], |row| {
        let mut product = read_product(row)?;
        product.stock = forwarding.balance(product.id).unwrap_or(product.stock);
        Ok(product)
    })?;
    let products = products.collect::<rusqlite::Result<_>>()?;
    Ok((products, forwarding, read_last_time(connection)?))
}

fn read_batch_or_import(
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

impl Store for SqliteStore {
    fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
        if self.is_new {
            return Ok(None);
        }
        let (products, forwarding, last_recorded_at) =
            read_catalog(&self.connection).map_err(self.failed("ler"))?;
        self.forwarding = forwarding;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        let corrupt = |reason| corrupt(&self.path, reason);
        let catalog =
            Catalog::load(products, self.forwarding.last_sequence(), last_recorded_at).map_err(corrupt)?;
        if !catalog.look_alikes().is_empty() {
            check_keys(&self.connection, &catalog).map_err(self.failed("ler"))?.map_err(corrupt)?;
        }
        Ok(Some(catalog))
    }

    fn create(&mut self, opening: &Changes) -> Result<(), StoreError> {
        self.create_with(opening).map_err(self.failed("criar"))?;
        if let Some(unfinished) = self.unfinished.take() {
            // As if SQLite had begun a log, which it would by a transaction of its own.
            unfinished
                .file()
                .write_all_at(&log::WITH_LOG, log::VERSIONS_OFFSET)
                .map_err(io("criar", &self.path))?;
            if let Some(lock) = &mut self.lock {
                let file = unfinished.file().try_clone().map_err(io("travar", &self.path))?;
                lock.open_file(file, &self.path)?;
            }
            unfinished.finish(false).map_err(io("criar", &self.path))?;
            self.connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        }
        self.prepare()?;
        self.forwarding.stored(opening, &self.forwarding.step(opening));
        self.is_new = false;
        Ok(())
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
        self.files.check_index()?;
        self.be_sure()?;
        self.read_recorded(request_ids).map_err(|error| {
            self.is_suspect = true;
            self.failed("consultar")(error)
        })
    }

    fn movements(&mut self, first_sequence: i64, count: usize) -> Result<Vec<Movement>, StoreError> {
        self.read_movements(first_sequence, count).map_err(self.failed("consultar"))
    }

    fn is_ready(&self) -> bool {
        // What is in memory would be gone with its connection.
        !self.is_suspect || self.lock.is_none()
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let step = self.forwarding.step(changes);
        self.request_ids.prepare(self.forwarding.last_sequence());
        self.commit_with(changes, step)?;
        self.look_at_log();
        Ok(())
    }

    fn commit_at_once(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::ZERO)?;
        let done = self.commit(changes);
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        done
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        // If something happened to a file, the next change says so.
        if self.files.bytes(LOG_SUFFIX) > long_log::KEPT_BYTES_MAX && self.check_files().is_ok() {
            self.shorten_log()?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.check_database()?;
        if let Some(step) = self.forwarding.last_step() {
            self.request_ids.prepare_last(self.forwarding.last_sequence());
            if let Err(error) = self.commit_with(&Changes::default(), step) {
                tracing::warn!(%error, "the next start reads more of the ledger");
            }
        }
        // The log is copied here because nobody compares what SQLite copies when the database is closed.
        let _ = self.files.copy_log(&self.connection, self.lock.as_ref());
        // SQLite removes the log's name and leaves its content. If the log has a second name (`cp -al`), a
        // start under that name would play it into the database, over all that came later.
        let _ = self.shorten_log();
        self.check_database()
    }

    fn reopen(&mut self, in_doubt: &Changes) -> Result<bool, StoreError> {
        // What is in memory would be gone with the connection, and there is no disk to doubt.
        if self.lock.is_some() {
            self.reconnect()?;
            // Copies what the log shows into the database, and syncs that: what is read below
            // is then on disk, whatever became of the log's own pages.
            let is_busy = self.files.empty_log(&self.connection, self.lock.as_ref())?;
            if is_busy {
                return Err(StoreError::Busy { path: shown(&self.path) });
            }
        }
        self.forwarding = Forwarding::read(&self.connection).map_err(self.failed("ler"))?;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        self.check_ledger_end(in_doubt)?;
        self.holds(in_doubt).map_err(self.failed("conferir"))
    }
}

impl Drop for SqliteStore {
    /// Closing the database reads its index. Where that was cut, the database is left open
    /// for the end of the process to close. If the database was rewritten or moved, its log stays.
    fn drop(&mut self) {
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
            // The log does not belong to the file that has the database's name now.
            Err(error @ StoreError::Moved { .. }) if error.is_of(&self.path) => {
                let _ = self.keep_log(true);
            }
            _ => self.files.forget(),
        }
    }
}

/// Runs a statement that is prepared only once. `rusqlite`'s transactions prepare theirs anew, a
/// twenty-fifth of the time of a transaction with one change.
fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// Opens a file that is there. It is used by one thread at a time.
fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let failed = sqlite("abrir", path);
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
    // Otherwise SQLite plans a query anew when a value of `LIMIT` or a small one of `=` changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    Ok(connection)
}

/// A failure of SQLite, with what was tried in which database.
fn sqlite(action: &'static str, path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match (error.sqlite_error_code(), &error) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            StoreError::Busy { path: shown(path) }
        }
        // A value that this program would never have stored.
        (_, rusqlite::Error::FromSqlConversionFailure(_, _, reason)) => corrupt(path, reason.to_string()),
        (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _)
        | (_, rusqlite::Error::InvalidColumnType(..)) => corrupt(path, error.to_string()),
        _ => StoreError::Failed { action, path: shown(path), reason: said(&error) },
    }
}

/// What SQLite says, in Portuguese where it says it often, and what to do.
fn said(error: &rusqlite::Error) -> String {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "o disco está cheio. Libere espaço e tente de novo",
        Some(ErrorCode::CannotOpen) => "não pôde ser aberto. Confira a pasta e as permissões",
        // Before it reads the database, SQLite would have to undo the half-made write.
        Some(ErrorCode::ReadOnly) if is_half_written(error) => {
            "outro programa, ou uma restauração, foi interrompido enquanto gravava nele. Inicie o servidor, ou repita \
             `hortifruti restore`: cada um desfaz o que ficou pela metade"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "o arquivo ou a pasta só permite leitura. Confira as permissões"
        }
        Some(ErrorCode::SystemIoFailure) => {
            return format!(
                "o disco falhou ou está cheio, ou o arquivo chegou ao maior tamanho permitido ({error}). \
                 Confira o disco e o limite (ulimit -f), e tente de novo"
            );
        }
        _ => return error.to_string(),
    };
    what.to_owned()
}

fn is_half_written(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

fn corrupt(path: &Path, reason: String) -> StoreError {
    StoreError::Corrupt { path: shown(path), reason }
}

fn not_ours(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::NotOurs { path: shown(path), reason: reason.into() }
}

/// A failure of the file system, with what was tried on which file.
fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = shown(path);
    move |error| StoreError::Io { action, path: path.clone(), error }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::files::LOCK_SUFFIX;
    use super::rows::MOVEMENTS_AT_ONCE;
    use super::schema::MIGRATIONS;
    use super::*;
    use crate::catalog::{Adjustment, Draft, ImportCounts, ImportRecord, Kind, Quantity, original_products};

    const PORT: u16 = 8082;

    /// One change, of the cajus.
    fn sale(catalog: &Catalog, units: i32) -> Changes {
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(catalog, SystemTime::now());
        let delta = Quantity::from_units(-units);
        draft.adjust(Adjustment { product, delta, kind: Kind::Sale, request_id: None }).unwrap();
        draft.finish()
    }

    fn open_shop(store: &mut SqliteStore) -> Catalog {
        assert!(store.load().unwrap().is_none());
        let mut catalog = Catalog::default();
        let mut draft = Draft::new(&catalog, SystemTime::now());
        draft.import(&original_products()).unwrap();
        let changes = draft.finish();
        store.create(&changes).unwrap();
        catalog.apply(&changes);
        catalog
    }

    #[test]
    fn what_is_committed_is_there_after_opening_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let request_id: RequestId = "pedido-1".parse().unwrap();
        let mut store = SqliteStore::open(&path, PORT).unwrap();
        let catalog = open_shop(&mut store);
        let caju = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        let movement = draft
            .adjust(Adjustment {
                product: caju,
                delta: Quantity::from_units(-20),
                kind: Kind::Waste,
                request_id: Some(request_id.clone()),
            })
            .unwrap()
            .clone();
        let import = ImportRecord {
            request_id: "lista-1".parse().unwrap(),
            digest: u64::MAX,
            counts: ImportCounts::default(),
        };
        draft.record_import(import.clone());
        store.commit(&draft.finish()).unwrap();
        drop(store);

        let mut store = SqliteStore::open(&path, PORT).unwrap();
        let catalog = store.load().unwrap().unwrap();
        assert_eq!(catalog.find("caju").unwrap().stock, Quantity::from_units(40));
        assert_eq!(catalog.last_sequence(), 5);
        let Some(Recorded::Movement(recorded)) = store.recorded(&[&request_id]).unwrap().remove(&request_id)
        else {
            panic!("the movement is not recorded");
        };
        assert_eq!((recorded.kind, recorded.balance, recorded.sequence), (Kind::Waste, movement.balance, 5));
        let other = "outro".parse().unwrap();
        let recorded = store.recorded(&[&import.request_id, &other]).unwrap();
        assert_eq!(
            recorded.into_iter().collect::<Vec<_>>(),
            [(import.request_id.clone(), Recorded::Import(import))]
        );
    }

    /// Movements of several products and kinds: runs longer than a statement takes with request
    /// ids and without, and then one of each in turn.
    fn mixed_movements(catalog: &Catalog) -> Changes {
        let products = ["caju", "maca", "banana", "pera"].map(|key| catalog.find(key).unwrap().id);
        let mut draft = Draft::new(catalog, SystemTime::now());
        let runs = [(MOVEMENTS_AT_ONCE * 2 + 3, true), (MOVEMENTS_AT_ONCE * 2 + 3, false)];
        let turns = [(1, true), (1, false)].repeat(3);
        let has_ids = runs.into_iter().chain(turns).flat_map(|(count, has_id)| vec![has_id; count]);
        for (index, has_id) in has_ids.enumerate() {
            let adjustment = Adjustment {
                product: products[index % products.len()],
                delta: Quantity::from_units(1 + index as i32),
                kind: if index % 50 == 49 { Kind::Count } else { Kind::Purchase },
                request_id: has_id.then(|| format!("pedido-{index}").parse().unwrap()),
            };
            draft.adjust(adjustment).unwrap();
        }
        draft.finish()
    }

    #[test]
    fn movements_that_are_written_together_keep_their_own_values() {
        let mut store = SqliteStore::in_memory().unwrap();
        let catalog = open_shop(&mut store);
        let changes = mixed_movements(&catalog);
        store.commit(&changes).unwrap();
        let first = changes.movements[0].sequence;
        assert_eq!(store.movements(first, changes.movements.len() + 1).unwrap(), changes.movements);
    }

    #[test]
    fn a_database_of_an_earlier_version_is_taken_to_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let old = Connection::open(&path).unwrap();
        for step in &MIGRATIONS[..2] {
            step.run(&old).unwrap();
        }
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 2).unwrap();
        old.execute_batch(
            "INSERT INTO product VALUES (1, 'Caju', 'caju', 'un', 200, 57000), (2, 'Uva', 'uva', 'kg', 900, 0),
                                        (3, 'Uva\u{3164}', 'uva\u{3164}', 'kg', 900, 0);
             INSERT INTO movement VALUES (1, 1, 'abertura', 60000, 60000, 200, 1, NULL),
                                         (2, 2, 'abertura', 0, 0, 900, 1, NULL),
                                         (3, 1, 'venda', -3000, 57000, 200, 2, 'a'),
                                         (4, 3, 'abertura', 0, 0, 900, 2, NULL);",
        )
        .unwrap();
        drop(old);
        let mut store = SqliteStore::open(&path, PORT).unwrap();
        let catalog = store.load().unwrap().unwrap();
        assert_eq!(catalog.find("caju").unwrap().stock, Quantity::from_units(57));
        assert_eq!((catalog.find("uva").unwrap().stock, catalog.last_sequence()), (Quantity::ZERO, 4));
        // A name with which no product is created any more.
        assert_eq!(catalog.find("uva\u{3164}").unwrap().id.number(), 3);
        store.commit(&sale(&catalog, 7)).unwrap();
        // What another program sees.
        let stocks: Vec<(String, i64)> = Connection::open(&path)
            .unwrap()
            .prepare("SELECT name, stock_thousandths FROM product ORDER BY id")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(stocks, [("Caju".into(), 50_000), ("Uva".into(), 0), ("Uva\u{3164}".into(), 0)]);
    }

    /// Changes of a shop until its file is longer than is looked through at the start.
    fn long_shop(path: &Path) -> (SqliteStore, Catalog) {
        let mut store = SqliteStore::open(path, PORT).unwrap();
        let mut catalog = open_shop(&mut store);
        let product = catalog.find("caju").unwrap().id;
        for _ in 0..4 {
            let mut draft = Draft::new(&catalog, SystemTime::now());
            for _ in 0..1024 {
                let delta = Quantity::from_units(1);
                draft.adjust(Adjustment { product, delta, kind: Kind::Purchase, request_id: None }).unwrap();
            }
            let changes = draft.finish();
            store.commit(&changes).unwrap();
            catalog.apply(&changes);
        }
        (store, catalog)
    }

    #[test]
    fn after_a_clean_stop_nothing_of_the_ledger_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let (mut store, catalog) = long_shop(&path);
        store.close().unwrap();
        drop(store);
        let mut store = SqliteStore::open(&path, PORT).unwrap();
        let again = store.load().unwrap().unwrap();
        assert_eq!(again.last_sequence(), catalog.last_sequence());
        assert_eq!(again.find("caju"), catalog.find("caju"));
        for kept in ["SELECT sequence FROM forwarded", "SELECT through FROM request_index"] {
            let through: i64 = store.connection.query_row(kept, [], |row| row.get(0)).unwrap();
            assert_eq!(through, catalog.last_sequence());
        }
    }

    #[test]
    fn of_a_long_database_all_but_the_ledger_is_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let (mut store, _) = long_shop(&path);
        store.close().unwrap();
        drop(store);
        assert!(fs::metadata(&path).unwrap().len() > CHECKED_BYTES_MAX);
        let root = |name: &str| -> i64 {
            Connection::open(&path)
                .unwrap()
                .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
                .unwrap()
        };
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut whole = [0; 4096];
        for (page, is_seen) in [(root("sqlite_autoindex_product_terms_1"), true), (20, false)] {
            let at = (page as u64 - 1) * whole.len() as u64;
            file.read_exact_at(&mut whole, at).unwrap();
            file.write_all_at(&[0xa5; 4096], at).unwrap();
            let opened = SqliteStore::open(&path, PORT).and_then(|mut store| store.load());
            assert_eq!(matches!(opened, Err(StoreError::Corrupt { .. })), is_seen, "{page}: {opened:?}");
            assert!(verify(&path, &mut |_, _, _| {}).is_err() || is_seen);
            file.write_all_at(&whole, at).unwrap();
        }
        SqliteStore::open(&path, PORT).unwrap().load().unwrap();
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let schema = |path: &Path| -> (i32, Vec<String>) {
            let database = Connection::open(path).unwrap();
            let version = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            let mut tables = database.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid").unwrap();
            let tables = tables.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            (version, tables.map(|sql| sql.unwrap().unwrap_or_default()).collect())
        };
        let old = Connection::open(&path).unwrap();
        MIGRATIONS[0].run(&old).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        // In the way of the last step, after the others have been done.
        old.execute_batch("CREATE TABLE forwarded (a)").unwrap();
        drop(old);
        let before = schema(&path);
        assert!(SqliteStore::open(&path, PORT).is_err());
        assert_eq!(schema(&path), before);
        Connection::open(&path).unwrap().execute_batch("DROP TABLE forwarded").unwrap();
        let catalog = SqliteStore::open(&path, PORT).unwrap().load().unwrap().unwrap();
        assert_eq!((catalog.products().len(), schema(&path).0), (0, SCHEMA_VERSION));
    }

    #[test]
    fn after_a_failed_commit_the_file_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("loja.db"), PORT).unwrap();
        let catalog = open_shop(&mut store);
        let changes = sale(&catalog, 20);
        assert!(!store.reopen(&changes).unwrap());
        store.commit(&changes).unwrap();
        assert!(store.reopen(&changes).unwrap());
        assert_eq!(store.load().unwrap().unwrap().last_sequence(), 5);
    }

    #[test]
    fn a_database_in_memory_takes_changes_again_once_there_is_room() {
        let mut store = SqliteStore::in_memory().unwrap();
        let catalog = open_shop(&mut store);
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        for _ in 0..1000 {
            let delta = Quantity::from_units(1);
            draft.adjust(Adjustment { product, delta, kind: Kind::Purchase, request_id: None }).unwrap();
        }
        let changes = draft.finish();
        // No more than there are.
        store.connection.pragma_update(None, "max_page_count", 1).unwrap();
        store.commit(&changes).unwrap_err();
        assert!(!store.reopen(&changes).unwrap());
        store.connection.pragma_update(None, "max_page_count", 1000).unwrap();
        store.commit(&changes).unwrap();
        assert!(store.reopen(&changes).unwrap());
    }

    #[test]
    fn a_database_that_another_program_holds_is_busy_and_not_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut store = SqliteStore::open(&path, PORT).unwrap();
        let catalog = open_shop(&mut store);
        store.connection.busy_timeout(Duration::ZERO).unwrap();
        let changes = sale(&catalog, 20);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(store.commit(&changes), Err(StoreError::Busy { .. })));
        other.execute_batch("ROLLBACK").unwrap();
        store.commit(&changes).unwrap();
    }

    #[test]
    fn a_connection_that_failed_is_not_ready_until_it_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("loja.db"), PORT).unwrap();
        let catalog = open_shop(&mut store);
        store.is_suspect = true;
        assert!(!store.is_ready());
        store.commit(&sale(&catalog, 20)).unwrap();
        assert!(store.is_ready());
    }

    #[test]
    fn a_query_is_planned_once_whatever_it_is_asked_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("loja.db"), PORT).unwrap();
        open_shop(&mut store);
        // With `LIMIT`, by which SQLite plans; a bound of `sequence` alone changes no plan.
        let query = "SELECT sequence FROM movement WHERE sequence >= ?1 LIMIT ?2";
        let mut query = store.connection.prepare(query).unwrap();
        for (first, count_max, expected) in [(1, 3, 3), (4, 2, 1), (5, 1, 0)] {
            let found = query.query_map([first, count_max], |_| Ok(())).unwrap();
            assert_eq!(found.count(), expected);
        }
        assert_eq!(query.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn one_server_for_one_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let first = SqliteStore::open(&path, PORT).unwrap();
        let error = SqliteStore::open(&path, PORT + 1).err().unwrap().to_string();
        let first_is = format!("(processo {}, porta {PORT})", std::process::id());
        assert!(error.contains(&first_is), "{error}");
        drop(first);
        SqliteStore::open(&path, PORT).unwrap();
    }

    #[test]
    fn without_its_lock_file_a_server_takes_no_changes_and_a_second_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut first = SqliteStore::open(&path, PORT).unwrap();
        let catalog = open_shop(&mut first);
        fs::remove_file(beside(&path, LOCK_SUFFIX)).unwrap();
        assert!(matches!(SqliteStore::open(&path, PORT + 1), Err(StoreError::InUse { .. })));
        assert!(matches!(first.commit(&sale(&catalog, 50)), Err(StoreError::Unlocked { .. })));
    }

    #[test]
    fn where_another_program_wrote_or_deleted_movements_no_more_are_written() {
        let insert = "INSERT INTO movement SELECT max(sequence) + 1, 4, 'ajuste', -7000, 53000, 200, 1, NULL
                      FROM movement";
        let delete = "DELETE FROM movement WHERE sequence = (SELECT max(sequence) FROM movement)";
        for (of_another, told) in
            [(insert, "gravou nele o movimento 5"), (delete, "apagou dele o movimento 4")]
        {
            for changes_of in [|catalog: &Catalog| sale(catalog, 20), mixed_movements] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("loja.db");
                let mut store = SqliteStore::open(&path, PORT).unwrap();
                let catalog = open_shop(&mut store);
                let other = Connection::open(&path).unwrap();
                other.execute_batch(of_another).unwrap();
                let ledger = || -> (i64, i64) {
                    let read = "SELECT count(*), max(sequence) FROM movement";
                    other.query_row(read, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
                };
                let before = ledger();
                let changes = changes_of(&catalog);
                store.commit(&changes).unwrap_err();
                assert_eq!(ledger(), before);
                for _ in 0..2 {
                    let error = store.reopen(&changes).unwrap_err();
                    assert!(matches!(error, StoreError::Corrupt { .. }));
                    assert!(error.to_string().contains(told), "{error}");
                }
            }
        }
    }

    #[test]
    fn files_of_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("texto.db");
        std::fs::write(&text, "isto não é um banco de dados, ".repeat(100)).unwrap();
        let other = folder.path().join("outro.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let newer = folder.path().join("novo.db");
        open_shop(&mut SqliteStore::open(&newer, PORT).unwrap());
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        for path in [text, other, newer] {
            let before = std::fs::read(&path).unwrap();
            assert!(matches!(SqliteStore::open(&path, PORT), Err(StoreError::NotOurs { .. })), "{path:?}");
            assert_eq!(std::fs::read(&path).unwrap().len(), before.len());
        }
    }
}
