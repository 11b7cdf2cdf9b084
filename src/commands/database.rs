//! The database in the options of `serve`, `backup`, `restore`, `verify` and `move`: a file, or an address of
//! PostgreSQL.

use std::path::Path;

#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{Source, Step, Target, Verified, move_shop as move_store, sqlite};

/// The name of the database if no other is given.
pub(super) const DATA_DEFAULT: &str = "hortifruti.db";

/// Checks a database.
///
/// # Errors
/// If the database cannot be read, is not of this program, or contradicts itself.
pub(super) fn verify(data: &Path, report: &mut dyn FnMut(Step, u64, u64)) -> anyhow::Result<Verified> {
    #[cfg(feature = "postgres")]
    if let Some(url) = url(data) {
        return Ok(postgres::verify(url, report)?);
    }
    Ok(sqlite::verify(data, report)?)
}

/// Moves a shop from one database to another.
///
/// # Errors
/// If the shop cannot be read, a server uses it, or the other database cannot be written or has the shop already.
pub(super) fn move_shop(
    from: &Path,
    to: &Path,
    report: &mut dyn FnMut(Step, u64, u64),
) -> anyhow::Result<Verified> {
    let mut from = source(from)?;
    Ok(move_store(&mut *from, target(to)?, report)?)
}

fn source(data: &Path) -> anyhow::Result<Box<dyn Source>> {
    #[cfg(feature = "postgres")]
    if let Some(url) = url(data) {
        return Ok(Box::new(postgres::PostgresSource::open(url)?));
    }
    Ok(Box::new(sqlite::SqliteSource::open(data)?))
}

fn target(data: &Path) -> anyhow::Result<Box<dyn Target>> {
    #[cfg(feature = "postgres")]
    if let Some(url) = url(data) {
        return Ok(Box::new(postgres::PostgresTarget::begin(url)?));
    }
    Ok(Box::new(sqlite::SqliteTarget::begin(data)?))
}

/// The address of PostgreSQL, if a database is one.
#[cfg(feature = "postgres")]
fn url(data: &Path) -> Option<&str> {
    data.to_str().filter(|data| postgres::is_url(data))
}
