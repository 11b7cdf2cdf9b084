//! The move of a shop from a database or into a new one.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::checkpoint::Step;
use super::connect::connect;
use super::error::{corrupt, io, shown, sqlite};
use super::lock::Lock;
use super::log_check::{check_log, refuse_strangers};
use super::moment::SqliteMoment;
use super::names::{exists, place};
use super::request_ids::RequestIds;
use super::rows::{write, write_request};
use super::schema::{APPLICATION_ID, SCHEMA_VERSION, check_header, migrate, second_key};
use super::terms::{write_changes, write_product, write_terms};
use crate::catalog::{Catalog, ProductChange, ProductId, Transaction};
use crate::private_file::AtomicFile;
use crate::store::StoreError;
use crate::store::check::{Fault, KeptRequest, Moment};
use crate::store::moving::{Source, Target};

/// A database that a shop is moved from. No server can open it meanwhile.
pub(crate) struct SqliteSource {
    connection: Connection,
    path: PathBuf,
    _lock: Lock,
}

impl SqliteSource {
    /// Opens an existing database.
    ///
    /// # Errors
    /// If a server has the database open, or it is missing, damaged or of another version.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = place(path)?;
        if !exists(&path)? {
            return Err(io("abrir", &path)(ErrorKind::NotFound.into()));
        }
        let mut lock = Lock::name(&path, 0)?;
        lock.file(&path)?;
        check_log(&path, lock.note())?;
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        check_header(&connection, &path, SCHEMA_VERSION..=SCHEMA_VERSION)?;
        Ok(Self { connection, path, _lock: lock })
    }
}

impl Source for SqliteSource {
    fn moment(&mut self) -> Result<Box<dyn Moment + '_>, StoreError> {
        moment(&self.connection, &self.path)
    }

    fn corrupt(&self, reason: String) -> StoreError {
        corrupt(&self.path, reason)
    }
}

/// The locked database does not change between two reads.
fn moment<'c>(connection: &'c Connection, path: &'c Path) -> Result<Box<dyn Moment + 'c>, StoreError> {
    let moment = SqliteMoment::new(connection, path);
    Ok(Box::new(moment.map_err(|fault: Fault| fault.into_error(|reason| corrupt(path, reason)))?))
}

/// A new database that a shop is moved into. The file gets its name once it is complete.
pub(crate) struct SqliteTarget {
    connection: Connection,
    path: PathBuf,
    unfinished: AtomicFile,
    request_ids: RequestIds,
    last_sequence: i64,
    _lock: Lock,
}

impl SqliteTarget {
    /// Begins a database.
    ///
    /// # Errors
    /// If there is one of this name, or the file cannot be created.
    pub(crate) fn begin(path: &Path) -> Result<Self, StoreError> {
        let path = place(path)?;
        if exists(&path)? {
            return Err(StoreError::NoCopy { path: shown(&path), reason: "já existe" });
        }
        let lock = Lock::name(&path, 0)?;
        refuse_strangers(&path)?;
        let unfinished = AtomicFile::begin(&path).map_err(io("criar", &path))?;
        let mut connection = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let request_ids = create(&mut connection).map_err(sqlite("criar", &path))?;
        Ok(Self { connection, path, unfinished, request_ids, last_sequence: 0, _lock: lock })
    }

    fn write(
        &mut self,
        write: impl FnOnce(&Connection, &mut RequestIds, i64) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let Self { connection, path, request_ids, last_sequence, .. } = self;
        let written = connection.unchecked_transaction().and_then(|transaction| {
            write(&transaction, request_ids, *last_sequence)?;
            transaction.commit()
        });
        written.map_err(sqlite("gravar", path))
    }
}

/// Creates the tables. Nothing is synced before the file is complete, and until then it may be lost.
fn create(connection: &mut Connection) -> rusqlite::Result<RequestIds> {
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&transaction)?;
    transaction.commit()?;
    RequestIds::read(connection)
}

impl Source for SqliteTarget {
    fn moment(&mut self) -> Result<Box<dyn Moment + '_>, StoreError> {
        moment(&self.connection, &self.path)
    }

    fn corrupt(&self, reason: String) -> StoreError {
        corrupt(&self.path, reason)
    }
}

impl Target for SqliteTarget {
    fn add_products(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        let seconds: HashMap<ProductId, String> = catalog
            .look_alikes()
            .iter()
            .filter_map(|pair| {
                let second = catalog.products().get(pair.second())?;
                Some((second.id, second_key(second.name.key().as_str(), second.id.number())))
            })
            .collect();
        self.write(|connection, _, _| {
            for product in catalog.products().iter() {
                let key = product.name.key();
                write_product(
                    connection,
                    product,
                    seconds.get(&product.id).map_or(key.as_str(), String::as_str),
                )?;
                if let Some(terms) = catalog.products().terms(product) {
                    write_terms(connection, product.id, terms)?;
                }
            }
            Ok(())
        })
    }

    fn add_changes(&mut self, changes: Vec<ProductChange>) -> Result<(), StoreError> {
        self.write(|connection, _, _| write_changes(connection, &changes))
    }

    fn add_requests(&mut self, requests: Vec<KeptRequest>) -> Result<(), StoreError> {
        self.write(|connection, request_ids, _| {
            for KeptRequest { record, after_sequence } in &requests {
                write_request(connection, record, *after_sequence)?;
            }
            let requests = requests.into_iter().map(|request| request.record).collect();
            // The index gets them before any movement, because each of its runs covers all movements before its end.
            request_ids.stored(&Transaction { requests, ..Transaction::default() });
            Ok(())
        })
    }

    fn add_movements(&mut self, movements: Transaction) -> Result<(), StoreError> {
        self.write(|connection, request_ids, last_sequence| {
            request_ids.prepare(last_sequence);
            write(connection, &movements, last_sequence)?;
            request_ids.write(connection)?;
            request_ids.stored(&movements);
            Ok(())
        })?;
        self.last_sequence = movements.movements.last().map_or(self.last_sequence, |last| last.sequence);
        Ok(())
    }

    fn add_balances(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        self.write(|connection, request_ids, last_sequence| {
            Step::of_all(catalog).write(connection)?;
            request_ids.prepare_last(last_sequence);
            request_ids.write(connection)?;
            request_ids.stored(&Transaction::default());
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { connection, path, unfinished, _lock, .. } = *self;
        super::content::check_pages(&connection, &path)?;
        drop(connection);
        unfinished.finish(false).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StoreError::NoCopy { path: shown(&path), reason: "já existe" },
            _ => io("escrever", &path)(error),
        })
    }
}
