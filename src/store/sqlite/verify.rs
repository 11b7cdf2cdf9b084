//! Verifies a database: runs SQLite's own check, and that of every store. Nothing is changed, and a server may use
//! the database during the check.

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction};

use super::connect::{connect, connect_alone};
use super::content::check;
use super::error::{io, sqlite};
use super::lock::{read_note, refuse_other_name};
use super::log_check::check_log;
use super::log_place::has_log;
use super::names::{JOURNAL_SUFFIX, LOCK_SUFFIX, beside, exists, place};
use super::schema::{SCHEMA_VERSION, check_header};
use crate::private_file;
use crate::store::StoreError;
use crate::store::check::{Step, Verified};

/// Checks one moment of a database or of a copy of one. Calls `report` with the progress of each step.
///
/// # Errors
/// If the database cannot be read, is not of this program, or is damaged. The error names the place.
pub fn verify(path: &Path, report: &mut dyn FnMut(Step, u64, u64)) -> Result<Verified, StoreError> {
    let mut source = Source::open(path, SCHEMA_VERSION..=SCHEMA_VERSION)?;
    let moment = source.moment()?;
    check(&moment, path, report)
}

/// A database that is only read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    connection: Connection,
    /// Keeps a server from starting where SQLite could not see that it writes.
    _lock: Option<File>,
}

impl Source {
    /// Opens an existing database of one of these schema versions.
    pub(super) fn open(path: &Path, versions: RangeInclusive<i32>) -> Result<Self, StoreError> {
        let path = place(path)?;
        if !exists(&path)? {
            return Err(io("abrir", &path)(std::io::ErrorKind::NotFound.into()));
        }
        // A running server has checked the log and is writing it. Without one, the log is checked before
        // SQLite opens it and drops its invalid part. The lock keeps a server from starting in between.
        let lock = private_file::share_lock(&beside(&path, LOCK_SUFFIX));
        let is_served = matches!(lock, Ok(None));
        let lock = lock.ok().flatten();
        if !is_served {
            refuse_other_name(&path)?;
            check_log(&path, &lock.as_ref().map(read_note).unwrap_or_default())?;
        }
        let has_more = is_served || has_log(&path) || beside(&path, JOURNAL_SUFFIX).exists();
        if has_more {
            let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            check_header(&connection, &path, versions)?;
            return Ok(Self { path, connection, _lock: None });
        }
        // SQLite makes an empty log to read a database that was stopped cleanly, and removes it only if it may write.
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match check_header(&connection, &path, versions.clone()) {
            // Nor can it make one in a folder that only allows reading, where none is needed.
            Err(StoreError::Failed { .. }) => {
                let connection = connect_alone(&path)?;
                check_header(&connection, &path, versions)?;
                Ok(Self { path, connection, _lock: lock })
            }
            checked => checked.map(|()| Self { path, connection, _lock: None }),
        }
    }

    /// The version of the database's schema.
    pub(super) fn version(&self) -> Result<i32, StoreError> {
        let version = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.map_err(sqlite("ler", &self.path))
    }

    /// A read transaction, which sees one moment of the database even if a server writes.
    pub(super) fn moment(&mut self) -> Result<Transaction<'_>, StoreError> {
        let failed = sqlite("ler", &self.path);
        let moment = self.connection.transaction().map_err(&failed)?;
        // SQLite fixes the moment at the first read.
        moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(&failed)?;
        Ok(moment)
    }
}
