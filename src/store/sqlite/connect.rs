//! Connections to a database file.

use std::fmt::Write;
use std::path::{MAIN_SEPARATOR, Path};
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
    connect(Path::new(&alone(path)), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// The URI by which SQLite opens a file without its log (<https://sqlite.org/uri.html>). Its path begins with a
/// slash also if that of the file begins with the letter of a drive, and `//` would begin the name of a machine.
fn alone(path: &Path) -> String {
    let mut name = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            byte if char::from(*byte) == MAIN_SEPARATOR => name.push('/'),
            b'/' | b'.' | b'-' | b'_' | b':' => name.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(*byte)),
            // Writing to a text never fails.
            byte => drop(write!(name, "%{byte:02X}")),
        }
    }
    let start = match path.is_absolute() {
        true if name.starts_with("//") => "//",
        true if !name.starts_with('/') => "///",
        _ => "",
    };
    format!("file:{start}{name}?immutable=1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_opened_alone_whatever_its_name_is() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["loja.db", "a b%20#.db", "maçã.db", "loja.db&mode=ro"] {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
            let tables: i32 = connect_alone(&path)
                .unwrap()
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .unwrap();
            assert_eq!(tables, 1, "{name}");
        }
    }
}
