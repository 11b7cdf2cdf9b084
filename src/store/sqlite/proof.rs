//! Whether a database file whose times were changed has the content that this server left.
//!
//! A `touch`, a `chmod` or a hard link changes the times of a file and not its content; so does a program
//! that puts other content there and the old time back. The times alone cannot tell these apart, so the
//! content is read. This lasts as long as `hortifruti verify`, during which changes wait.

use std::fs::File;
use std::path::Path;

use rusqlite::OpenFlags;

use super::SqliteStore;
use super::base::{Stamp, ledger_end};
use super::connect::{connect, connect_alone};
use super::error::{shown, sqlite};
use super::load::read_catalog;
use super::lock::Lock;
use super::log::{self, Index};
use super::names::{LOG_SUFFIX, beside};
use super::verify::{check, check_pages};
use crate::catalog::Catalog;
use crate::store::StoreError;

impl SqliteStore {
    /// Takes the times of the database file for ours if the rest is as it was left.
    ///
    /// # Errors
    /// If a file is not the one that was left, or the content is not, or cannot be read. No transaction has
    /// begun then ([`StoreError::why_not_begun`]).
    pub(super) fn prove_content(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        let rewritten = StoreError::Rewritten { path: shown(&self.path) };
        let Some((stamp, index)) = self.dated()? else { return Ok(()) };
        let Some(file) = self.lock.as_ref().and_then(Lock::database) else { return Err(rewritten) };
        let Some(base) = self.files.base() else { return Err(rewritten) };
        tracing::info!("the times of the database file were changed; its content is read");
        let found = is_as_left(&self.path, file, (&index, base.file_end()), catalog);
        // What was read counts only if nothing was moved or written meanwhile.
        if self.dated()? != Some((stamp, index)) {
            return Err(rewritten);
        }
        let Some(base) = self.files.base() else { return Err(rewritten) };
        match found {
            Ok(()) => {
                base.accept(stamp);
                tracing::warn!(
                    database = %self.path.display(),
                    "another program changed the times of the database file, but its content is as this \
                     server left it, which goes on"
                );
                return Ok(());
            }
            Err(error @ (StoreError::Corrupt { .. } | StoreError::Rewritten { .. })) => {
                base.refute(stamp);
                tracing::error!(%error, "the content of the database file is not as this server left it");
            }
            Err(error) => tracing::warn!(%error, "the content of the database file could not be read"),
        }
        Err(rewritten)
    }

    /// The stamp of the database file and the index of its log, if only the times of the file are not as they
    /// were left; `None` if they are.
    ///
    /// # Errors
    /// If more is not as it was left.
    fn dated(&mut self) -> Result<Option<(Stamp, Index)>, StoreError> {
        let rewritten = match self.check_files() {
            Ok(()) => return Ok(None),
            Err(error) => error,
        };
        self.files.check_others()?;
        let file = self.lock.as_ref().and_then(Lock::database);
        let dated = self.files.base().zip(file).and_then(|(base, file)| base.dated(file));
        dated.map(Some).ok_or(rewritten)
    }
}

/// # Errors
/// If the file, or what SQLite reads of it and its log, is not what was left.
fn is_as_left(
    path: &Path,
    file: &File,
    (index, file_end): (&Index, Option<i64>),
    catalog: &Catalog,
) -> Result<(), StoreError> {
    let rewritten = || StoreError::Rewritten { path: shown(path) };
    // SQLite reads pages from the log that it takes to be copied, and will not copy again.
    if !log::has_copied(file, &beside(path, LOG_SUFFIX), index, u32::MAX).unwrap_or(false) {
        return Err(rewritten());
    }
    // SQLite reads a page from the log alone if there is a later one, so an older file may look the same.
    check_pages(&connect_alone(path)?, path)?;
    if file_end.is_none() || ledger_end(path) != file_end {
        return Err(rewritten());
    }
    let mut fresh = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let moment = fresh.transaction().map_err(sqlite("ler", path))?;
    check(&moment, path, &mut |_, _, _| {})?;
    let (products, checkpoint, last_recorded_at) = read_catalog(&moment).map_err(sqlite("ler", path))?;
    let is_same = checkpoint.last_sequence() == catalog.last_sequence()
        && last_recorded_at == catalog.last_recorded_at()
        && products.iter().eq(catalog.products().iter());
    if is_same { Ok(()) } else { Err(rewritten()) }
}
