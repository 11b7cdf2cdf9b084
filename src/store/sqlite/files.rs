//! The files of an open database, and the checks before each transaction that no other program has removed,
//! replaced, cut or rewritten one of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::base::{Base, Stamp, Whose};
use super::connect::BUSY_TIMEOUT;
use super::error::{io, shown, sqlite};
use super::lock::Lock;
use super::names::{INDEX_SUFFIX, LOCK_SUFFIX, LOG_SUFFIX, beside};
use crate::private_file::FileStat;
use crate::store::StoreError;

/// The files that SQLite has open, and the lock file. SQLite goes on writing to a file that was removed or
/// cut, so this program must check. A database in memory has no files.
#[derive(Default)]
pub(super) struct Files {
    files: Vec<OpenFile>,
    base: Option<Base>,
    /// How long to wait for another program that copies the log.
    patience: Duration,
}

/// A file of the database, in the state after the last transaction.
struct OpenFile {
    /// The end of the file's name, after the database's.
    suffix: &'static str,
    path: PathBuf,
    found: FileStat,
}

impl OpenFile {
    /// The error for a file whose name another file has, or none.
    fn gone(&self) -> StoreError {
        let path = shown(&self.path);
        match self.suffix {
            LOCK_SUFFIX => StoreError::Unlocked { path },
            _ => StoreError::Moved { path },
        }
    }
}

impl Files {
    /// The files of a database that is open and has a log.
    pub(super) fn look(database: &Path, lock: &Lock) -> Result<Self, StoreError> {
        // The index comes first, because SQLite reads it during the checks of the other files.
        let suffixes = [INDEX_SUFFIX, "", LOG_SUFFIX, LOCK_SUFFIX];
        let files = suffixes.into_iter().map(|suffix| {
            let path = beside(database, suffix);
            let found = FileStat::at(&path).map_err(io("ler", &path))?;
            Ok(OpenFile { suffix, path, found })
        });
        let files = files.collect::<Result<_, StoreError>>()?;
        let base = Base::look(database, lock).map_err(io("ler", database))?;
        Ok(Self { files, base: Some(base), patience: BUSY_TIMEOUT })
    }

    /// Checks all files. Without this check SQLite's writes could go into a file without a name, or behind
    /// a hole, or mix with another program's.
    ///
    /// # Errors
    /// If a file was removed, replaced, cut or rewritten.
    pub(super) fn check(&mut self, connection: &Connection, lock: Option<&Lock>) -> Result<(), StoreError> {
        let Self { files, base, patience } = self;
        for file in files {
            let path = || shown(&file.path);
            let (found, stamp) = match file.suffix {
                // The database file's times are read, too. That makes no commit slower (see
                // `FileStat::at`), because a commit does not write this file.
                "" => FileStat::with_times(&file.path)
                    .ok()
                    .map(|(found, times)| (found, Some(Stamp { times, bytes: found.bytes }))),
                _ => FileStat::at(&file.path).ok().map(|found| (found, None)),
            }
            .filter(|(found, _)| found.identity == file.found.identity)
            .ok_or_else(|| file.gone())?;
            if found.bytes < file.found.bytes && is_cut(connection, base, file.suffix, found.bytes) {
                return Err(StoreError::Cut { path: path() });
            }
            if let (Some(stamp), Some(base)) = (stamp, base.as_mut()) {
                match base.whose(stamp, lock.and_then(Lock::database), *patience) {
                    Whose::Ours => {}
                    Whose::BeingCopied => return Err(StoreError::Busy { path: path() }),
                    Whose::Dated | Whose::Foreign => return Err(StoreError::Rewritten { path: path() }),
                }
            }
            file.found = found;
        }
        Ok(())
    }

    /// Checks the files other than the database itself.
    ///
    /// # Errors
    /// If a file was removed, replaced or cut.
    pub(super) fn check_others(&self) -> Result<(), StoreError> {
        for file in self.files.iter().filter(|file| !file.suffix.is_empty()) {
            let found = FileStat::at(&file.path).ok().filter(|found| found.identity == file.found.identity);
            let found = found.ok_or_else(|| file.gone())?;
            if found.bytes < file.found.bytes && file.suffix != LOCK_SUFFIX {
                return Err(StoreError::Cut { path: shown(&file.path) });
            }
        }
        Ok(())
    }

    /// Copies the log into the database if it is long. Called after each transaction. SQLite would copy it
    /// within the transaction, without the check that the database file is still this server's.
    pub(super) fn committed(&mut self, connection: &Connection, lock: Option<&Lock>) {
        self.note_length(LOG_SUFFIX);
        if self.base.as_mut().is_some_and(Base::committed) {
            // The next transaction reports the error; no data is lost if the log is not copied.
            let _ = self.copy_log(connection, lock);
        }
    }

    /// Copies the log into the database.
    pub(super) fn copy_log(
        &mut self,
        connection: &Connection,
        lock: Option<&Lock>,
    ) -> Result<(), StoreError> {
        self.check(connection, lock)?;
        let Some(base) = &mut self.base else { return Ok(()) };
        let copied = base.copy(connection, lock.and_then(Lock::database));
        copied.map_err(sqlite("copiar o registro para", base.database()))
    }

    /// Copies the log into the database, and empties it. Returns whether other programs prevented that.
    pub(super) fn empty_log(
        &mut self,
        connection: &Connection,
        lock: Option<&Lock>,
    ) -> Result<bool, StoreError> {
        self.check(connection, lock)?;
        let Some(base) = &mut self.base else { return Ok(false) };
        let emptied = base.empty_log(connection, lock.and_then(Lock::database));
        let emptied = emptied.map_err(sqlite("copiar o registro para", base.database()));
        self.note_length(LOG_SUFFIX);
        emptied
    }

    /// The known state of the database file. A database in memory has none.
    pub(super) fn base(&mut self) -> Option<&mut Base> {
        self.base.as_mut()
    }

    /// How long to wait for another program that copies the log.
    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Erases the note about the database. Called before the last connection is closed, because closing
    /// copies the log into the database and removes it.
    pub(super) fn forget(&self) {
        if let Some(base) = &self.base {
            base.forget();
        }
    }

    /// Checks the length of the index. SQLite has it mapped into memory, and the system kills (SIGBUS) a
    /// process that reads beyond the end of a mapped file.
    ///
    /// # Errors
    /// If the index was cut.
    pub(super) fn check_index(&self) -> Result<(), StoreError> {
        let index = self.files.iter().find(|file| file.suffix == INDEX_SUFFIX);
        match index {
            Some(OpenFile { path, found, .. })
                if FileStat::at(path).is_ok_and(|now| now.bytes < found.bytes) =>
            {
                Err(StoreError::Cut { path: shown(path) })
            }
            _ => Ok(()),
        }
    }

    /// The length of a file at the last check.
    pub(super) fn bytes(&self, suffix: &str) -> u64 {
        self.files.iter().find(|file| file.suffix == suffix).map_or(0, |file| file.found.bytes)
    }

    /// Notes the present length of a file: of the log after each transaction, and of the index after a new
    /// connection, because SQLite creates it again for the first connection.
    pub(super) fn note_length(&mut self, suffix: &str) {
        if let Some(file) = self.files.iter_mut().find(|file| file.suffix == suffix) {
            file.found.bytes = FileStat::at(&file.path).map_or(file.found.bytes, |now| now.bytes);
        }
    }
}

/// Whether a file that has become shorter lacks committed data. Another program may also have copied the
/// whole log and emptied it, or vacuumed the database.
fn is_cut(connection: &Connection, base: &mut Option<Base>, suffix: &str, bytes: u64) -> bool {
    let is_whole = match suffix {
        "" => connection.query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0).map(|needed: i64| bytes.cast_signed() >= needed),
        ),
        // Copies the frames that have not been copied yet, and fails if they are missing.
        LOG_SUFFIX => {
            base.as_mut().map_or(Ok(false), |base| base.copy(connection, None).map(|()| base.is_copied()))
        }
        // An open index never shrinks. The length of the lock file does not matter.
        _ => Ok(suffix == LOCK_SUFFIX),
    };
    !is_whole.unwrap_or(false)
}
