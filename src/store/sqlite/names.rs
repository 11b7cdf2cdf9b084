//! The names of a database's files: each has the database's name and a suffix.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::{io, not_ours, shown, sqlite};
use crate::platform::files::real_path;
use crate::private_file;
use crate::store::StoreError;

/// The end of the name of the write-ahead log.
pub(super) const LOG_SUFFIX: &str = "-wal";

/// The end of the name of the log's index.
pub(super) const INDEX_SUFFIX: &str = "-shm";

/// The end of the name of the rollback journal, which a database without a log has.
pub(super) const JOURNAL_SUFFIX: &str = "-journal";

/// The ends of the names of SQLite's files, the database itself included.
pub(super) const SUFFIXES: [&str; 4] = ["", LOG_SUFFIX, INDEX_SUFFIX, JOURNAL_SUFFIX];

/// The end of the lock file's name. SQLite does not know this file.
pub(super) const LOCK_SUFFIX: &str = ".lock";

/// The path of the file beside a database whose name is the database's with this suffix.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Whether a name is that of one of this database's files, existing or not.
pub fn has_file(database: &Path, name: &Path) -> bool {
    let (Ok(database), Ok(name)) =
        (private_file::in_real_folder(database), private_file::in_real_folder(name))
    else {
        return false;
    };
    SUFFIXES.iter().chain([&LOCK_SUFFIX]).any(|suffix| beside(&database, suffix) == name)
}

/// The canonical path of a database, so that two servers use the same lock file.
///
/// # Errors
/// If a link, a folder or a device has the name of the database or of another of SQLite's files.
pub(super) fn place(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory.into()).map_err(io("abrir", path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = real_path(folder).map_err(io("abrir", path))?.join(name);
    for suffix in SUFFIXES {
        let path = beside(&place, suffix);
        let reason = match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => continue,
            Ok(found) if found.is_symlink() => "é um link simbólico",
            Ok(found) if found.is_dir() => "é uma pasta",
            Ok(_) => "não é um arquivo comum",
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(io("abrir", &path)(error)),
        };
        return Err(not_ours(&path, reason));
    }
    Ok(place)
}

/// Whether the database exists.
///
/// # Errors
/// If there is a log or a journal without the database: then the database is not new but lost.
pub(super) fn exists(path: &Path) -> Result<bool, StoreError> {
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

/// A free name beside a database, with this label, the date and the time, such as
/// `hortifruti.db.2026-11-29T183015`.
pub(super) fn free_name(database: &Path, label: &str) -> Result<PathBuf, StoreError> {
    let now = now().map_err(sqlite("guardar", database))?;
    let mut name = beside(database, &format!("{label}.{now}"));
    for number in 2.. {
        if !is_taken(&name).map_err(io("criar", &name))? {
            break;
        }
        name = beside(database, &format!("{label}.{now}-{number}"));
    }
    Ok(name)
}

/// The time of the machine's zone, as names have it: `2026-11-29T183015`.
pub(super) fn now() -> rusqlite::Result<String> {
    let now = "SELECT strftime('%Y-%m-%dT%H%M%S', 'now', 'localtime')";
    Connection::open_in_memory()?.query_row(now, [], |row| row.get(0))
}

fn is_taken(name: &Path) -> std::io::Result<bool> {
    for suffix in SUFFIXES {
        match fs::symlink_metadata(beside(name, suffix)) {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
