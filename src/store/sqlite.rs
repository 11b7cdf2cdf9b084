//! The embedded store: one SQLite file, in WAL mode with `synchronous=FULL`, so that a
//! commit returns once the change is on disk.

mod backup;
mod forward;
mod log;
mod request_ids;
mod verify;

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::types::Null;
use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, Row, Statement, Transaction,
    TransactionBehavior, params,
};

use super::{Recorded, RecordedById, Store, StoreError};
use crate::catalog::{
    BatchRecord, Catalog, Changes, ImportCounts, ImportRecord, Kind, Movement, Name, Price, Product,
    ProductId, Quantity, RequestId, RequestIdError, Shown, Unit,
};
use crate::private_file::{self, Found, Unfinished};
use forward::Forwarding;
use log::beside;
use request_ids::{RequestIds, Round};

pub use backup::back_up;
pub use verify::{Step, Verified, verify};

/// Tells our databases from others: the letters `HFRT`.
const APPLICATION_ID: i32 = 0x4846_5254;

/// The version that [`MIGRATIONS`] lead to. A database of a later version is refused.
const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

/// How long to wait for another program that reads or backs up the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest database that is looked through whole at each start, in bytes: in some tens of
/// milliseconds. Of a larger one, all but the [`LONG_TABLES`] is, so that the start does not
/// last longer as the ledger grows; `hortifruti verify` looks through the rest.
const CHECKED_BYTES_MAX: u64 = if cfg!(test) { 64 * 1024 } else { 16 * 1024 * 1024 };

/// The tables that grow with every change.
const LONG_TABLES: [&str; 2] = ["movement", "request_chunk"];

/// What the names of SQLite's other files have after the database's: the log, its index, and
/// the journal of a database that has no log.
const LOG_SUFFIX: &str = "-wal";
const INDEX_SUFFIX: &str = "-shm";
const JOURNAL_SUFFIX: &str = "-journal";

/// Those of all files of SQLite, the database itself included.
const SUFFIXES: [&str; 4] = ["", LOG_SUFFIX, INDEX_SUFFIX, JOURNAL_SUFFIX];

/// That of the lock file, which is ours.
const LOCK_SUFFIX: &str = ".lock";

/// Prepared statements kept: there are fewer than this many in this file.
const STATEMENT_CACHE: usize = 16;

/// Movements that one statement writes: to begin and end a statement costs as much as a row, and
/// within one SQLite goes on where the row before ended. With more the gain is no greater.
const MOVEMENTS_AT_ONCE: usize = 16;

/// The rows of the ledger from a sequence number on, as [`read_movement`] reads them; so many of
/// them, or all with -1.
const SELECT_MOVEMENTS: &str =
    "SELECT sequence, product_id, kind, delta_thousandths, balance_thousandths, price_centavos,
            recorded_at_micros, request_id
     FROM movement WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2";

/// The statements that write one movement, so many without request ids, and so many that have
/// one each.
static INSERT_MOVEMENT: LazyLock<String> = LazyLock::new(|| insert_movements(1, SHARED));
static INSERT_MOVEMENTS: LazyLock<String> = LazyLock::new(|| insert_movements(MOVEMENTS_AT_ONCE, SHARED));
static INSERT_MOVEMENTS_WITH_IDS: LazyLock<String> =
    LazyLock::new(|| insert_movements(MOVEMENTS_AT_ONCE, OWN));

/// The parameter of the request id: one for all rows, or another for each.
const SHARED: &str = "?3";
const OWN: &str = "?";

/// The steps from nothing to the current schema; a database of version N has had the first
/// N. A step that was released is never changed.
const MIGRATIONS: [&str; 4] = [
    "
    CREATE TABLE product (
        id                 INTEGER PRIMARY KEY,
        name               TEXT NOT NULL,
        key                TEXT NOT NULL UNIQUE,
        unit               TEXT NOT NULL,
        price_centavos     INTEGER NOT NULL CHECK (price_centavos >= 0),
        stock_thousandths  INTEGER NOT NULL CHECK (stock_thousandths >= 0)
    ) STRICT;

    CREATE TABLE movement (
        sequence             INTEGER PRIMARY KEY,
        product_id           INTEGER NOT NULL REFERENCES product (id),
        kind                 TEXT NOT NULL,
        delta_thousandths    INTEGER NOT NULL,
        balance_thousandths  INTEGER NOT NULL CHECK (balance_thousandths >= 0),
        price_centavos       INTEGER NOT NULL,
        recorded_at_micros   INTEGER NOT NULL,
        request_id           TEXT
    ) STRICT;

    CREATE UNIQUE INDEX movement_by_request_id ON movement (request_id)
        WHERE request_id IS NOT NULL;

    CREATE TABLE import_request (
        request_id       TEXT PRIMARY KEY,
        digest           INTEGER NOT NULL,
        created_count    INTEGER NOT NULL,
        updated_count    INTEGER NOT NULL,
        unchanged_count  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
    "
    CREATE TABLE batch_request (
        request_id      TEXT PRIMARY KEY,
        digest          INTEGER NOT NULL,
        first_sequence  INTEGER NOT NULL REFERENCES movement (sequence)
    ) STRICT, WITHOUT ROWID;
    ",
    // The view shows other programs each product with its stock at any moment; of the rows
    // of a group, a bare column comes from the one with the maximum
    // (https://sqlite.org/lang_select.html#bareagg).
    "
    ALTER TABLE product RENAME TO product_terms;

    CREATE TABLE balance_forward (
        product_id         INTEGER PRIMARY KEY REFERENCES product_terms (id),
        stock_thousandths  INTEGER NOT NULL CHECK (stock_thousandths >= 0)
    ) STRICT;
    INSERT INTO balance_forward SELECT id, stock_thousandths FROM product_terms;
    ALTER TABLE product_terms DROP COLUMN stock_thousandths;

    CREATE TABLE forwarded (sequence INTEGER NOT NULL) STRICT;
    INSERT INTO forwarded SELECT coalesce(max(sequence), 0) FROM movement;

    CREATE VIEW product AS
    WITH moved AS (
        SELECT product_id, balance_thousandths, max(sequence) FROM movement
        WHERE sequence > (SELECT sequence FROM forwarded) GROUP BY product_id
    )
    SELECT id, name, key, unit, price_centavos,
           coalesce(moved.balance_thousandths, stock_thousandths) AS stock_thousandths
    FROM product_terms
    LEFT JOIN balance_forward ON balance_forward.product_id = id
    LEFT JOIN moved ON moved.product_id = id;
    ",
    // The index of request ids (`request_ids`). An import makes no movement where it only
    // changes terms, so it is kept after which one it came.
    "
    DROP INDEX movement_by_request_id;
    CREATE INDEX batch_request_by_sequence ON batch_request (first_sequence);
    ALTER TABLE import_request ADD COLUMN after_sequence INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE request_index (seed BLOB NOT NULL, through INTEGER NOT NULL) STRICT;
    INSERT INTO request_index VALUES (randomblob(16), 0);

    CREATE TABLE request_round (number INTEGER PRIMARY KEY, filter BLOB NOT NULL) STRICT;

    CREATE TABLE request_chunk (
        round       INTEGER NOT NULL REFERENCES request_round (number),
        first_hash  INTEGER NOT NULL,
        entries     BLOB NOT NULL
    ) STRICT;
    CREATE INDEX request_chunk_by_hash ON request_chunk (round, first_hash);
    ",
];

/// A catalog in a SQLite file, or in memory.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Whether there are no tables yet.
    is_new: bool,
    /// A new database, until it is created.
    unfinished: Option<Unfinished>,
    /// The files that SQLite has open. It goes on writing to them after they are removed or
    /// cut.
    files: Vec<OpenFile>,
    forwarding: Forwarding,
    request_ids: RequestIds,
    /// The connection failed at something that wrote nothing. It may still hold a lock that the
    /// system did not let it release, so another takes its place before it is used again.
    is_suspect: bool,
    /// Held as long as the store is open, so that no second server opens the same file.
    /// There is none for a database in memory.
    lock: Option<File>,
}

/// A file of the database, as the last transaction left it.
struct OpenFile {
    /// What its name has after the database's.
    suffix: &'static str,
    path: PathBuf,
    found: Found,
}

impl SqliteStore {
    /// Opens the database. Where there is none, [`Store::create`] makes it, under another
    /// name until it is whole.
    ///
    /// `server` tells a second server who has it, such as `processo 7, porta 8082`.
    ///
    /// # Errors
    /// Where another server has it, it is not ours, it is damaged, or it cannot be opened.
    pub fn open(path: &Path, server: &str) -> Result<Self, StoreError> {
        let path = place(path)?;
        let lock = Some(lock(&path, server)?);
        if !exists(&path)? {
            let unfinished = Unfinished::begin(&path).map_err(io("criar", &path))?;
            let connection = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            return Ok(Self::new(connection, path, Some(unfinished), lock));
        }
        private_file::remove_unfinished(&path).map_err(io("limpar o resto de", &path))?;
        check_log(&path)?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let has_log = fs::metadata(beside(&path, LOG_SUFFIX)).is_ok_and(|log| log.len() > 0);
        let mut this = Self::new(connection, path, None, lock);
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
        lock: Option<File>,
    ) -> Self {
        let is_new = unfinished.is_some() || lock.is_none();
        let (forwarding, request_ids) = (Forwarding::new(), RequestIds::new());
        Self {
            connection,
            path,
            is_new,
            unfinished,
            files: Vec::new(),
            forwarding,
            request_ids,
            is_suspect: false,
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
        if self.lock.is_some() {
            // The migration has begun a transaction, so they are all there. The index comes first:
            // to look whether another is whole, SQLite reads it.
            self.files = [INDEX_SUFFIX, "", LOG_SUFFIX, LOCK_SUFFIX]
                .into_iter()
                .map(|suffix| {
                    let path = beside(&self.path, suffix);
                    let found = Found::at(&path).map_err(io("ler", &path))?;
                    Ok(OpenFile { suffix, path, found })
                })
                .collect::<Result<_, StoreError>>()?;
        }
        Ok(())
    }

    /// Refuses where a file has been removed, replaced or cut: what SQLite writes would go into
    /// one that nobody finds again, or after a hole, or another program would write beside it.
    fn check_files(&mut self) -> Result<(), StoreError> {
        for file in &mut self.files {
            let found = Found::at(&file.path).ok();
            let found = found.filter(|found| found.identity == file.found.identity);
            let path = || shown(&file.path);
            let Some(found) = found else {
                return Err(match file.suffix {
                    LOCK_SUFFIX => StoreError::Unlocked { path: path() },
                    _ => StoreError::Moved { path: path() },
                });
            };
            if found.bytes < file.found.bytes && is_cut(&self.connection, file.suffix, found.bytes) {
                return Err(StoreError::Cut { path: path() });
            }
            file.found = found;
        }
        Ok(())
    }

    /// Refuses where the index has been cut. SQLite has it mapped, and the system ends (SIGBUS)
    /// whoever reads behind the end of a mapped file.
    fn check_index(&self) -> Result<(), StoreError> {
        let index = self.files.iter().find(|file| file.suffix == INDEX_SUFFIX);
        match index {
            Some(OpenFile { path, found, .. })
                if Found::at(path).is_ok_and(|now| now.bytes < found.bytes) =>
            {
                Err(StoreError::Cut { path: shown(path) })
            }
            _ => Ok(()),
        }
    }

    fn configure(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
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
        self.configure().map_err(self.failed("preparar"))?;
        self.is_suspect = false;
        Ok(())
    }

    /// Makes sure of a connection that nothing has failed on.
    fn be_sure(&mut self) -> Result<(), StoreError> {
        // What is in memory is gone with its connection.
        if self.is_suspect && self.lock.is_some() { self.reconnect() } else { Ok(()) }
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

    /// One transaction, with what it brings forward and what it stores of the index of ids.
    fn commit_with(
        &mut self,
        changes: &Changes,
        step: forward::Step,
        round: Option<Round>,
    ) -> Result<(), StoreError> {
        self.be_sure()?;
        self.check_files()?;
        let Self { connection, path, files, forwarding, request_ids, is_suspect, .. } = self;
        let failed = sqlite("gravar", path);
        // Where the lock is not got, nothing was written, and the error says so.
        execute(connection, "BEGIN IMMEDIATE").map_err(|error| {
            *is_suspect = true;
            failed(error)
        })?;
        write(connection, changes, forwarding.last_sequence())
            .and_then(|()| step.write(connection))
            .and_then(|()| round.as_ref().map_or(Ok(()), |round| round.write(connection)))
            .and_then(|()| execute(connection, "COMMIT"))
            .map_err(|error| {
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                failed(error)
            })?;
        forwarding.stored(changes, &step);
        request_ids.stored(changes, round);
        note_log(files);
        Ok(())
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

/// The products as they stand, and what is known of their balances.
fn read_catalog(connection: &Connection) -> rusqlite::Result<(Vec<Product>, Forwarding)> {
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
    Ok((products, forwarding))
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
        let (products, forwarding) = read_catalog(&self.connection).map_err(self.failed("ler"))?;
        self.forwarding = forwarding;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        Catalog::load(products, self.forwarding.last_sequence())
            .map(Some)
            .map_err(|reason| corrupt(&self.path, reason))
    }

    fn create(&mut self, opening: &Changes) -> Result<(), StoreError> {
        self.create_with(opening).map_err(self.failed("criar"))?;
        if let Some(unfinished) = self.unfinished.take() {
            // As if SQLite had begun a log, which it would by a transaction of its own.
            unfinished
                .file()
                .write_all_at(&log::WITH_LOG, log::VERSIONS_OFFSET)
                .map_err(io("criar", &self.path))?;
            unfinished.finish(false).map_err(io("criar", &self.path))?;
            self.connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        }
        self.prepare()?;
        self.forwarding.stored(opening, &self.forwarding.step(opening));
        self.is_new = false;
        Ok(())
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
        self.check_index()?;
        self.be_sure()?;
        self.read_recorded(request_ids).map_err(|error| {
            self.is_suspect = true;
            self.failed("consultar")(error)
        })
    }

    fn movements(&mut self, first_sequence: i64, count: usize) -> Result<Vec<Movement>, StoreError> {
        self.read_movements(first_sequence, count).map_err(self.failed("consultar"))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let step = self.forwarding.step(changes);
        let round = self.request_ids.round(self.forwarding.last_sequence());
        self.commit_with(changes, step, round)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let Some(step) = self.forwarding.last_step() else { return Ok(()) };
        let round = self.request_ids.last_round(self.forwarding.last_sequence());
        self.commit_with(&Changes::default(), step, round)
    }

    fn reopen(&mut self, in_doubt: &Changes) -> Result<bool, StoreError> {
        // What is in memory would be gone with the connection, and there is no disk to doubt.
        if self.lock.is_some() {
            self.reconnect()?;
            // Copies what the log shows into the database, and syncs that: what is read below
            // is then on disk, whatever became of the log's own pages.
            let is_busy: bool = self
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(self.failed("sincronizar"))?;
            if is_busy {
                return Err(StoreError::Busy { path: shown(&self.path) });
            }
            note_log(&mut self.files);
        }
        self.forwarding = Forwarding::read(&self.connection).map_err(self.failed("ler"))?;
        self.request_ids = RequestIds::read(&self.connection).map_err(self.failed("ler"))?;
        self.check_ledger_end(in_doubt)?;
        self.holds(in_doubt).map_err(self.failed("conferir"))
    }
}

impl Drop for SqliteStore {
    /// Closing the database reads its index. Where that was cut, the database is left open
    /// for the end of the process to close.
    fn drop(&mut self) {
        if self.check_index().is_err()
            && let Ok(other) = Connection::open_in_memory()
        {
            std::mem::forget(std::mem::replace(&mut self.connection, other));
        }
    }
}

/// Keeps how long the log has become.
fn note_log(files: &mut [OpenFile]) {
    if let Some(log) = files.iter_mut().find(|file| file.suffix == LOG_SUFFIX) {
        log.found.bytes = Found::at(&log.path).map_or(log.found.bytes, |now| now.bytes);
    }
}

/// Whether a file that has become so short lacks what was committed. Another program may have
/// copied all of the log and emptied it, or packed the database.
fn is_cut(connection: &Connection, suffix: &str, bytes: u64) -> bool {
    let is_whole = match suffix {
        "" => connection.query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0).map(|needed: i64| bytes.cast_signed() >= needed),
        ),
        // Copies what has not been copied yet, and fails where it is not there.
        LOG_SUFFIX => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
        }),
        // The index only grows. The lock is not read.
        _ => Ok(suffix == LOCK_SUFFIX),
    };
    !is_whole.unwrap_or(false)
}

/// Takes the schema from the version that the database has to the current one.
fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in MIGRATIONS.iter().skip(version as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
}

/// Whether one statement may write both: they share what it has once.
fn is_alike(first: &Movement, second: &Movement) -> bool {
    let shared = |movement: &Movement| (movement.kind, movement.recorded_at, movement.request_id.is_some());
    shared(first) == shared(second)
}

/// Runs a statement that is prepared only once: `rusqlite`'s transactions prepare theirs anew each
/// time.
fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// The statement that writes so many movements. Where it fails the transaction is rolled back, so
/// it needs not be undone by itself. SQLite numbers the rows as the ledger does, each one more than
/// the last (<https://sqlite.org/autoinc.html>): for a number that it is given, it would look for
/// the row's place from the root of the table, a quarter of the time of a change.
fn insert_movements(count: usize, request_id: &str) -> String {
    let row = format!("(?1, ?2, {request_id}, ?, ?, ?, ?)");
    let rows = vec![row; count].join(", ");
    format!(
        "INSERT OR FAIL INTO movement (kind, recorded_at_micros, request_id, product_id,
                                       delta_thousandths, balance_thousandths, price_centavos)
         VALUES {rows}"
    )
}

/// Writes movements that are alike, as many as the statement takes.
fn write_movements(insert: &mut Statement<'_>, movements: &[Movement]) -> rusqlite::Result<()> {
    let first = &movements[0];
    insert.raw_bind_parameter(1, first.kind.word())?;
    insert.raw_bind_parameter(2, to_micros(first.recorded_at))?;
    let mut index = 3;
    if first.request_id.is_none() {
        insert.raw_bind_parameter(index, Null)?;
        index += 1;
    }
    for movement in movements {
        if let Some(request_id) = &movement.request_id {
            insert.raw_bind_parameter(index, request_id.as_str())?;
            index += 1;
        }
        for value in [
            movement.product.number(),
            movement.delta.thousandths(),
            movement.balance.thousandths(),
            movement.price.centavos(),
        ] {
            insert.raw_bind_parameter(index, value)?;
            index += 1;
        }
    }
    insert.raw_execute().map(drop)
}

/// Writes the rows of the changes inside a transaction, after the movement `last_sequence`.
fn write(connection: &Connection, changes: &Changes, last_sequence: i64) -> rusqlite::Result<()> {
    for listed in &changes.listed {
        let mut product = connection.prepare_cached(
            "INSERT INTO product_terms (id, name, key, unit, price_centavos) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET unit = ?4, price_centavos = ?5",
        )?;
        product.execute(params![
            listed.id.number(),
            listed.name.as_str(),
            listed.name.key().as_str(),
            listed.unit.as_str(),
            listed.price.centavos(),
        ])?;
    }
    let mut one = connection.prepare_cached(&INSERT_MOVEMENT)?;
    for alike in changes.movements.chunk_by(is_alike) {
        let (whole, rest) = alike.as_chunks::<MOVEMENTS_AT_ONCE>();
        if let Some([first, ..]) = whole.first() {
            let has_ids = first.request_id.is_some();
            let many = if has_ids { &INSERT_MOVEMENTS_WITH_IDS } else { &INSERT_MOVEMENTS };
            let mut many = connection.prepare_cached(many)?;
            whole.iter().try_for_each(|movements| write_movements(&mut many, movements))?;
        }
        rest.chunks(1).try_for_each(|movement| write_movements(&mut one, movement))?;
    }
    if let Some(last) = changes.movements.last()
        && last.sequence != connection.last_insert_rowid()
    {
        return Err(bad_value(0, "outro programa gravou ou apagou movimentos"));
    }
    let last_sequence = changes.movements.last().map_or(last_sequence, |movement| movement.sequence);
    for record in &changes.imports {
        let ImportCounts { created, updated, unchanged } = record.counts;
        let mut import = connection.prepare_cached(
            "INSERT INTO import_request
                 (request_id, digest, created_count, updated_count, unchanged_count, after_sequence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        import.execute(params![
            record.request_id.as_str(),
            record.digest.cast_signed(),
            created as i64,
            updated as i64,
            unchanged as i64,
            last_sequence,
        ])?;
    }
    for record in &changes.batches {
        let mut batch = connection.prepare_cached(
            "INSERT INTO batch_request (request_id, digest, first_sequence) VALUES (?1, ?2, ?3)",
        )?;
        batch.execute(params![
            record.request_id.as_str(),
            record.digest.cast_signed(),
            record.first_sequence
        ])?;
    }
    Ok(())
}

fn read_product(row: &Row<'_>) -> rusqlite::Result<Product> {
    let (name, unit): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Product {
        id: read_id(row, 0)?,
        name: Name::parse(&name).map_err(|error| bad_value(1, error))?,
        unit: Unit::parse(&unit).map_err(|error| bad_value(2, error))?,
        price: Price::from_centavos(row.get(3)?).map_err(|error| bad_value(3, error))?,
        stock: read_quantity(row, 4)?,
    })
}

fn read_movement(row: &Row<'_>) -> rusqlite::Result<Movement> {
    let kind: String = row.get(2)?;
    let request_id: Option<String> = row.get(7)?;
    Ok(Movement {
        sequence: row.get(0)?,
        product: read_id(row, 1)?,
        kind: Kind::from_stored(&kind).ok_or_else(|| bad_value(2, format!("unknown kind {kind:?}")))?,
        delta: read_quantity(row, 3)?,
        balance: read_quantity(row, 4)?,
        price: Price::from_centavos(row.get(5)?).map_err(|error| bad_value(5, error))?,
        recorded_at: from_micros(row.get(6)?),
        request_id: request_id
            .map(|id| id.parse())
            .transpose()
            .map_err(|error: RequestIdError| bad_value(7, error))?,
    })
}

fn read_import(row: &Row<'_>, request_id: RequestId) -> rusqlite::Result<ImportRecord> {
    let count = |index| -> rusqlite::Result<usize> {
        usize::try_from(row.get::<_, i64>(index)?).map_err(|error| bad_value(index, error))
    };
    Ok(ImportRecord {
        request_id,
        digest: row.get::<_, i64>(0)?.cast_unsigned(),
        counts: ImportCounts { created: count(1)?, updated: count(2)?, unchanged: count(3)? },
    })
}

fn read_id(row: &Row<'_>, index: usize) -> rusqlite::Result<ProductId> {
    ProductId::from_number(row.get(index)?).ok_or_else(|| bad_value(index, "not a product id"))
}

fn read_quantity(row: &Row<'_>, index: usize) -> rusqlite::Result<Quantity> {
    Quantity::from_thousandths(row.get(index)?).map_err(|error| bad_value(index, error))
}

/// A stored value that this program would never have stored.
fn bad_value(index: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Null, error.into())
}

/// Microseconds since 1970; a clock set before that gives 0.
fn to_micros(time: SystemTime) -> i64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

fn from_micros(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros.max(0).cast_unsigned())
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

/// The one path of a database, however it was written, so that two servers meet at one lock.
///
/// A link, a folder or a device is refused, and so are they where SQLite has its own files.
fn place(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory.into()).map_err(io("abrir", path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = folder.canonicalize().map_err(io("abrir", path))?.join(name);
    for suffix in SUFFIXES {
        let path = beside(&place, suffix);
        let reason = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => continue,
            Ok(found) if found.is_symlink() => "é um link simbólico, que não se segue",
            Ok(found) if found.is_dir() => "é uma pasta",
            Ok(_) => "não é um arquivo comum",
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io("abrir", &path)(error)),
        };
        return Err(not_ours(&path, reason));
    }
    Ok(place)
}

/// Whether the database is there. One that is gone is not a new one where its log is there.
fn exists(path: &Path) -> Result<bool, StoreError> {
    let found = |path: &Path| path.try_exists().map_err(io("abrir", path));
    if found(path)? {
        return Ok(true);
    }
    for suffix in [LOG_SUFFIX, JOURNAL_SUFFIX] {
        if found(&beside(path, suffix))? {
            return Err(StoreError::Log {
                path: shown(path),
                suffix,
                reason: "está lá, e o banco de dados não",
            });
        }
    }
    Ok(false)
}

/// Refuses a log from which answered changes are missing. Nobody may have the database open.
fn check_log(path: &Path) -> Result<(), StoreError> {
    match log::fault(path).map_err(io("ler o registro de", path))? {
        Some(reason) => Err(StoreError::Log { path: shown(path), suffix: LOG_SUFFIX, reason }),
        None => Ok(()),
    }
}

/// Refuses a database that is not ours, or of none of these versions.
fn check_header(
    connection: &Connection,
    path: &Path,
    versions: std::ops::RangeInclusive<i32>,
) -> Result<(), StoreError> {
    let header = || -> rusqlite::Result<(i32, i32, i64)> {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((pragma("application_id")?, pragma("user_version")?, tables))
    };
    let reason = match header() {
        Ok((0, 0, 0)) => "está vazio; se era para ser um novo, apague-o antes".to_owned(),
        Ok((APPLICATION_ID, version, _)) if versions.contains(&version) => return Ok(()),
        Ok((APPLICATION_ID, version, _)) if version > SCHEMA_VERSION => format!(
            "foi criado por uma versão mais nova (esquema {version}; esta versão conhece o {SCHEMA_VERSION})"
        ),
        Ok((APPLICATION_ID, version, _)) => format!(
            "é de uma versão anterior (esquema {version}); inicie um servidor com ele, que o atualiza"
        ),
        Ok(_) => "é um banco SQLite de outro programa".to_owned(),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            "não é um arquivo SQLite".to_owned()
        }
        Err(error) => return Err(sqlite("ler", path)(error)),
    };
    Err(not_ours(path, reason))
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
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "o arquivo ou a pasta só permite leitura. Confira as permissões"
        }
        Some(ErrorCode::SystemIoFailure) => {
            return format!("o disco falhou ou está cheio ({error}). Confira-o e tente de novo");
        }
        _ => return error.to_string(),
    };
    what.to_owned()
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

/// Takes the lock file beside the database, which the system releases when the process
/// ends, however it ends. The file stays: removing it would let two servers lock two files.
fn lock(database: &Path, server: &str) -> Result<File, StoreError> {
    let path = beside(database, LOCK_SUFFIX);
    let failed = io("travar", &path);
    let mut file = private_file::open(&path).map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let by = match file.read_to_string(&mut holder) {
                Ok(length) if length > 0 => format!(" por outro servidor ({})", Shown(holder.trim_end())),
                _ => " por outro servidor".to_owned(),
            };
            return Err(StoreError::InUse { path: shown(database), by });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{server}")).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use rusqlite::StatementStatus;

    use super::*;
    use crate::catalog::{Adjustment, Draft, original_products};

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
        let mut store = SqliteStore::open(&path, "teste").unwrap();
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

        let mut store = SqliteStore::open(&path, "teste").unwrap();
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

    #[test]
    fn movements_that_are_written_together_keep_their_own_values() {
        let mut store = SqliteStore::in_memory().unwrap();
        let catalog = open_shop(&mut store);
        let products = ["caju", "maca", "banana", "pera"].map(|key| catalog.find(key).unwrap().id);
        let mut draft = Draft::new(&catalog, SystemTime::now());
        // Runs longer than a statement takes with ids and without, and then one of each in turn.
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
        let changes = draft.finish();
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
            old.execute_batch(step).unwrap();
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
        let mut store = SqliteStore::open(&path, "teste").unwrap();
        let catalog = store.load().unwrap().unwrap();
        assert_eq!(catalog.find("caju").unwrap().stock, Quantity::from_units(57));
        assert_eq!((catalog.find("uva").unwrap().stock, catalog.last_sequence()), (Quantity::ZERO, 4));
        // A name with which no product is created any more.
        assert_eq!(catalog.find("uva\u{3164}").unwrap().id.number(), 3);
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        let delta = Quantity::from_units(-7);
        draft.adjust(Adjustment { product, delta, kind: Kind::Sale, request_id: None }).unwrap();
        store.commit(&draft.finish()).unwrap();
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
        let mut store = SqliteStore::open(path, "teste").unwrap();
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
        let mut store = SqliteStore::open(&path, "teste").unwrap();
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
            let opened = SqliteStore::open(&path, "teste").and_then(|mut store| store.load());
            assert_eq!(matches!(opened, Err(StoreError::Corrupt { .. })), is_seen, "{page}: {opened:?}");
            assert!(verify(&path, &mut |_, _, _| {}).is_err() || is_seen);
            file.write_all_at(&whole, at).unwrap();
        }
        SqliteStore::open(&path, "teste").unwrap().load().unwrap();
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
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        // In the way of the last step, after the others have been done.
        old.execute_batch("CREATE TABLE forwarded (a)").unwrap();
        drop(old);
        let before = schema(&path);
        assert!(SqliteStore::open(&path, "teste").is_err());
        assert_eq!(schema(&path), before);
        Connection::open(&path).unwrap().execute_batch("DROP TABLE forwarded").unwrap();
        let catalog = SqliteStore::open(&path, "teste").unwrap().load().unwrap().unwrap();
        assert_eq!((catalog.products().len(), schema(&path).0), (0, SCHEMA_VERSION));
    }

    #[test]
    fn after_a_failed_commit_the_file_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("loja.db"), "teste").unwrap();
        let catalog = open_shop(&mut store);
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        let delta = Quantity::from_units(-20);
        draft.adjust(Adjustment { product, delta, kind: Kind::Sale, request_id: None }).unwrap();
        let changes = draft.finish();
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
        let mut store = SqliteStore::open(&path, "teste").unwrap();
        let catalog = open_shop(&mut store);
        store.connection.busy_timeout(Duration::ZERO).unwrap();
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(&catalog, SystemTime::now());
        let delta = Quantity::from_units(-20);
        draft.adjust(Adjustment { product, delta, kind: Kind::Sale, request_id: None }).unwrap();
        let changes = draft.finish();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(matches!(store.commit(&changes), Err(StoreError::Busy { .. })));
        other.execute_batch("ROLLBACK").unwrap();
        store.commit(&changes).unwrap();
    }

    #[test]
    fn a_query_is_planned_once_whatever_it_is_asked_with() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&folder.path().join("loja.db"), "teste").unwrap();
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
        let first = SqliteStore::open(&path, "processo 7, porta 8082").unwrap();
        let error = SqliteStore::open(&path, "outro").err().unwrap().to_string();
        assert!(error.contains("processo 7, porta 8082"), "{error}");
        drop(first);
        SqliteStore::open(&path, "outro").unwrap();
    }

    /// One change, of the cajus.
    fn sale(catalog: &Catalog, units: i32) -> Changes {
        let product = catalog.find("caju").unwrap().id;
        let mut draft = Draft::new(catalog, SystemTime::now());
        let delta = Quantity::from_units(-units);
        draft.adjust(Adjustment { product, delta, kind: Kind::Sale, request_id: None }).unwrap();
        draft.finish()
    }

    #[test]
    fn without_its_lock_a_server_leaves_the_database_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut first = SqliteStore::open(&path, "primeiro").unwrap();
        let catalog = open_shop(&mut first);
        fs::remove_file(beside(&path, LOCK_SUFFIX)).unwrap();
        let mut second = SqliteStore::open(&path, "segundo").unwrap();
        second.load().unwrap();
        second.commit(&sale(&catalog, 60)).unwrap();
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
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("loja.db");
            let mut store = SqliteStore::open(&path, "teste").unwrap();
            let catalog = open_shop(&mut store);
            Connection::open(&path).unwrap().execute_batch(of_another).unwrap();
            let changes = sale(&catalog, 20);
            store.commit(&changes).unwrap_err();
            for _ in 0..2 {
                let error = store.reopen(&changes).unwrap_err();
                assert!(matches!(error, StoreError::Corrupt { .. }));
                assert!(error.to_string().contains(told), "{error}");
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
        open_shop(&mut SqliteStore::open(&newer, "teste").unwrap());
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        for path in [text, other, newer] {
            let before = std::fs::read(&path).unwrap();
            assert!(matches!(SqliteStore::open(&path, "teste"), Err(StoreError::NotOurs { .. })), "{path:?}");
            assert_eq!(std::fs::read(&path).unwrap().len(), before.len());
        }
    }
}
