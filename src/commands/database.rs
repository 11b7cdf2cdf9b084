//! The database in the options of `serve`, `backup`, `restore`, `verify` and `move`: a file, or an address of
//! PostgreSQL.

use std::path::Path;

#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{Step, Verified, sqlite};

/// The name of the database if no other is given.
pub(super) const DATA_DEFAULT: &str = "hortifruti.db";

/// Checks a database.
///
/// # Errors
/// If the database cannot be read, is not of this program, or contradicts itself.
pub(super) fn verify(data: &Path, report: &mut dyn FnMut(Step, u64, u64)) -> anyhow::Result<Verified> {
    #[cfg(feature = "postgres")]
    if let Some(url) = data.to_str().filter(|data| postgres::is_url(data)) {
        return Ok(postgres::verify(url, report)?);
    }
    Ok(sqlite::verify(data, report)?)
}
