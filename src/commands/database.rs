//! The database in the options of `serve`, `backup`, `restore`, `verify` and `move`: a file, or an address of
//! PostgreSQL.

use std::path::Path;

use anyhow::bail;

#[cfg(feature = "postgres")]
use crate::store::postgres;
use crate::store::{Source, Step, Store, Target, Verified, is_url, move_shop as move_store, sqlite};

/// The name of the database if no other is given.
pub(super) const DATA_DEFAULT: &str = "hortifruti.db";

/// The name of a database in memory.
pub(super) const IN_MEMORY: &str = ":memory:";

/// Opens the store of a server on this port. Clients find the server at `own_address`.
///
/// # Errors
/// If the store cannot be opened.
#[cfg_attr(
    not(feature = "postgres"),
    expect(unused_variables, reason = "only a store that servers share needs it")
)]
pub(super) fn open(data: &Path, port: u16, own_address: &str) -> anyhow::Result<Box<dyn Store>> {
    if data == Path::new(IN_MEMORY) {
        return Ok(Box::new(sqlite::SqliteStore::in_memory()?));
    }
    match url(data)? {
        #[cfg(feature = "postgres")]
        Some(url) => Ok(Box::new(postgres::PostgresStore::open_at(url, own_address)?)),
        _ => Ok(Box::new(sqlite::SqliteStore::open(data, port)?)),
    }
}

/// Checks a database.
///
/// # Errors
/// If the database cannot be read, is not of this program, or contradicts itself.
pub(super) fn verify(data: &Path, report: &mut dyn FnMut(Step, u64, u64)) -> anyhow::Result<Verified> {
    match url(data)? {
        #[cfg(feature = "postgres")]
        Some(url) => Ok(postgres::verify(url, report)?),
        _ => Ok(sqlite::verify(data, report)?),
    }
}

/// Checks that a database to copy is a file.
///
/// # Errors
/// If the database is one of PostgreSQL.
pub(super) fn check_is_file(data: &Path) -> anyhow::Result<()> {
    if data.to_str().is_some_and(is_url) {
        bail!(
            "--data é um endereço do PostgreSQL, que faz e restaura as cópias ele mesmo (pg_basebackup, pgbackrest). \
             Nada foi feito; para levar a loja a um arquivo, ou de um, use `hortifruti move`"
        );
    }
    Ok(())
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
    match url(data)? {
        #[cfg(feature = "postgres")]
        Some(url) => Ok(Box::new(postgres::PostgresSource::open(url)?)),
        _ => Ok(Box::new(sqlite::SqliteSource::open(data)?)),
    }
}

fn target(data: &Path) -> anyhow::Result<Box<dyn Target>> {
    match url(data)? {
        #[cfg(feature = "postgres")]
        Some(url) => Ok(Box::new(postgres::PostgresTarget::begin(url)?)),
        _ => Ok(Box::new(sqlite::SqliteTarget::begin(data)?)),
    }
}

/// The address of PostgreSQL, if a database is one.
///
/// # Errors
/// If this build has no PostgreSQL: a file of that name would surprise.
fn url(data: &Path) -> anyhow::Result<Option<&str>> {
    let url = data.to_str().filter(|data| is_url(data));
    if url.is_some() && !cfg!(feature = "postgres") {
        bail!(
            "este programa foi compilado sem PostgreSQL. Nada foi alterado; use um que o tenha, ou indique um arquivo"
        );
    }
    Ok(url)
}
