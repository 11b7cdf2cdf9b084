//! The path of a database's log, noted in an extended attribute of the database file.
//!
//! SQLite looks for the log beside the name by which it opens a database. After a kill the last changes are
//! only in the log. A server that then opened the file by another name (a hard link, or the database moved
//! without its log) would find a valid database without those changes.

use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::shown;
use super::names::{LOG_SUFFIX, beside};
use crate::store::StoreError;

/// The extended attribute that holds the note: the inode, a space, and the path of the database.
#[cfg(target_os = "linux")]
const ATTRIBUTE: &str = "user.hortifruti.database";

/// Longest note, in bytes: an inode and the longest path of Linux (`PATH_MAX`).
#[cfg(target_os = "linux")]
const NOTE_BYTES_MAX: usize = 4096 + 32;

/// Notes that the log of this file is beside this name. A file system without extended attributes refuses,
/// and the database is then not protected in this way.
pub(super) fn note(file: &File, database: &Path) {
    let Ok(found) = file.metadata() else { return };
    let mut note = format!("{} ", found.ino()).into_bytes();
    note.extend_from_slice(database.as_os_str().as_bytes());
    if let Err(error) = write(file, &note) {
        tracing::debug!(%error, "the place of the log is not noted on the database");
    }
}

/// Removes the note if the log beside this name is empty or gone.
pub(super) fn forget(file: &File, database: &Path) {
    if !has_log(database) && noted(file).is_some_and(|noted| noted == database) {
        remove(file);
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
    let is_of_another = match (fs::symlink_metadata(&noted), file.metadata()) {
        (Ok(named), Ok(found)) => (named.dev(), named.ino()) != (found.dev(), found.ino()),
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
    let note = read(file)?;
    let space = note.iter().position(|byte| *byte == b' ')?;
    let inode: u64 = str::from_utf8(&note[..space]).ok()?.parse().ok()?;
    let path = PathBuf::from(std::ffi::OsString::from_vec(note[space + 1..].to_vec()));
    (file.metadata().ok()?.ino() == inode).then_some(path)
}

#[cfg(target_os = "linux")]
fn write(file: &File, note: &[u8]) -> std::io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, ATTRIBUTE, note, rustix::fs::XattrFlags::empty())?)
}

#[cfg(target_os = "linux")]
fn read(file: &File) -> Option<Vec<u8>> {
    let mut note = vec![0; NOTE_BYTES_MAX];
    let length = rustix::fs::fgetxattr(file, ATTRIBUTE, &mut note).ok()?;
    note.truncate(length);
    Some(note)
}

#[cfg(target_os = "linux")]
fn remove(file: &File) {
    let _ = rustix::fs::fremovexattr(file, ATTRIBUTE);
}

#[cfg(not(target_os = "linux"))]
fn write(_: &File, _: &[u8]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn read(_: &File) -> Option<Vec<u8>> {
    None
}

#[cfg(not(target_os = "linux"))]
fn remove(_: &File) {}
