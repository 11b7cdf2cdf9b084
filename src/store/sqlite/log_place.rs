//! The path of a database's log, noted in an extended attribute of the database file.
//!
//! SQLite looks for the log beside the name by which it opens a database. After a kill the last changes are
//! only in the log. A server that then opened the file by another name (a hard link, or the database moved
//! without its log) would find a valid database without those changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::shown;
use super::names::{LOG_SUFFIX, beside};
use crate::platform::files;
use crate::private_file::Identity;
use crate::store::StoreError;

/// Notes that the log of this file is beside this name. A file system without extended attributes refuses,
/// and the database is then not protected in this way.
pub(super) fn note(file: &File, database: &Path) {
    let noted = Identity::of_open(file).and_then(|found| files::set_note(file, found.inode(), database));
    if let Err(error) = noted {
        tracing::debug!(%error, "the place of the log is not noted on the database");
    }
}

/// Removes the note if the log beside this name is empty or gone.
pub(super) fn forget(file: &File, database: &Path) {
    if !has_log(database) && noted(file).is_some_and(|noted| noted == database) {
        files::remove_note(file);
    }
}

/// Checks the note of a database.
///
/// # Errors
/// If the last changes are in a log beside another name.
pub(super) fn check(file: &File, database: &Path) -> Result<(), StoreError> {
    let Some(noted) = noted(file).filter(|noted| noted != database && !has_log(database)) else {
        return Ok(());
    };
    // A log beside another database belongs to that database.
    let is_of_another = match (Identity::of(&noted), Identity::of_open(file)) {
        (Ok(named), Ok(found)) => named != found,
        _ => false,
    };
    if has_log(&noted) && !is_of_another {
        let log = shown(&beside(&noted, LOG_SUFFIX));
        return Err(StoreError::LogElsewhere { path: shown(database), log });
    }
    tracing::warn!(
        database = %database.display(),
        before = %noted.display(),
        "the database was in use by another name, not stopped cleanly, and its log is not there any more; \
         what was only in that log is lost"
    );
    Ok(())
}

/// Whether a log beside this name exists and is not empty.
pub(super) fn has_log(database: &Path) -> bool {
    fs::metadata(beside(database, LOG_SUFFIX)).is_ok_and(|log| log.len() > 0)
}

/// The database name in the note, beside which the log is. A note that was copied together with the file is
/// about the original, and is ignored.
fn noted(file: &File) -> Option<PathBuf> {
    let (inode, path) = files::note(file)?;
    (Identity::of_open(file).ok()?.inode() == inode).then_some(path)
}
