//! Connections to a database file.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::sqlite;
use crate::store::StoreError;

/// How long to wait for another program that reads or backs up the file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens an existing file. One thread at a time may use the connection.
pub(super) fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let failed = sqlite("abrir", path);
    let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(&failed)?;
    // Without this, SQLite plans a query again when the value of a `LIMIT` or a small value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    Ok(connection)
}

/// Opens a database file for reading and ignores its log. Nobody may write the file until it is closed.
pub(super) fn connect_alone(path: &Path) -> Result<Connection, StoreError> {
    connect(&alone(path), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// The URI by which SQLite opens a file without its log (<https://sqlite.org/uri.html>).
fn alone(path: &Path) -> PathBuf {
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'?' | b'#' | b'%' => uri.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            _ => uri.push(*byte),
        }
    }
    uri.extend_from_slice(b"?immutable=1");
    OsString::from_vec(uri).into()
}
