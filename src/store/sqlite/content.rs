//! Checks the content of a database: runs SQLite's own check of the pages, and that of every store.

use std::path::Path;

use rusqlite::Connection;

use super::error::{corrupt, sqlite};
use super::moment::SqliteMoment;
use crate::store::StoreError;
use crate::store::check::{self, Report, Step, Verified};

/// Checks the database in a read transaction.
pub(super) fn check(moment: &Connection, path: &Path, report: Report<'_>) -> Result<Verified, StoreError> {
    report(Step::Pages, 0, 1);
    check_pages(moment, path)?;
    let content = SqliteMoment::new(moment, path).and_then(|mut content| check::check(&mut content, report));
    content.map_err(|fault| fault.into_error(|reason| corrupt(path, reason)))
}

/// Runs SQLite's own check of every page.
pub(super) fn check_pages(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let said = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    match said.map_err(sqlite("conferir", path))?.as_str() {
        "ok" => Ok(()),
        said => Err(corrupt(path, said.to_owned())),
    }
}
