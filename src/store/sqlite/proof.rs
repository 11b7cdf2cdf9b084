//! Proves that a database file whose times have changed still has the content that this server wrote.
//!
//! A `touch`, a `chmod` or a hard link changes the times of a file and not its content. But another program
//! may also have replaced the content and set the old time again, so the whole content is read. That takes as
//! long as `hortifruti verify`, and changes wait until the end. After a kill, a start reads the content in the
//! same way, and compares it with the note that the server left.

use std::fs::File;
use std::path::Path;

use rusqlite::OpenFlags;

use super::SqliteStore;
use super::base::{Ends, Stamp};
use super::connect::{connect, connect_alone};
use super::content::{check, check_pages};
use super::error::{shown, sqlite};
use super::load::read_catalog;
use super::lock::Lock;
use super::log::{self, Index};
use super::names::{LOG_SUFFIX, beside};
use crate::catalog::Catalog;
use crate::store::StoreError;

impl SqliteStore {
    /// Accepts the new times of the database file if its content and the other files are unchanged.
    ///
    /// # Errors
    /// If a file or the content has changed, or cannot be read. The errors are of
    /// [`Consequence::NotBegun`](crate::store::Consequence::NotBegun).
    pub(super) fn prove_content(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
        let rewritten = StoreError::Rewritten { path: shown(&self.path) };
        let Some((stamp, index)) = self.dated()? else { return Ok(()) };
        let Some(file) = self.lock.as_ref().and_then(Lock::database) else { return Err(rewritten) };
        let Some(base) = self.files.base() else { return Err(rewritten) };
        tracing::info!("the times of the database file were changed; its content is read");
        let found = is_as_left(&self.path, file, (&index, base.ends()), catalog);
        // The result counts only if no file was moved or written during the check.
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

    /// The stamp of the database file and the index of its log, if only the file's times have changed; `None`
    /// if nothing has.
    ///
    /// # Errors
    /// If more than the times has changed.
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

/// Compares the database file and its log with the server's own state.
///
/// # Errors
/// If the content differs or cannot be read.
fn is_as_left(
    path: &Path,
    file: &File,
    (index, ends): (&Index, Option<Ends>),
    catalog: &Catalog,
) -> Result<(), StoreError> {
    let rewritten = || StoreError::Rewritten { path: shown(path) };
    // SQLite reads the copied frames from the log and never copies them again, so the file must have them.
    if !log::has_copied(file, &beside(path, LOG_SUFFIX), index, u32::MAX).unwrap_or(false) {
        return Err(rewritten());
    }
    // The file is also checked without its log, because the frames in the log could hide an older file.
    check_pages(&connect_alone(path)?, path)?;
    if ends.is_none() || Ends::of(path) != ends {
        return Err(rewritten());
    }
    let mut fresh = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let moment = fresh.transaction().map_err(sqlite("ler", path))?;
    check(&moment, path, &mut |_, _, _| {})?;
    let (stored, _) = read_catalog(&moment).map_err(sqlite("ler", path))?;
    let is_same = stored.is_ok_and(|stored| stored == *catalog);
    if is_same { Ok(()) } else { Err(rewritten()) }
}

/// Compares the database file itself with the note of its killed server: the last rows, and all that `verify`
/// checks. Nobody may have the database open.
///
/// # Errors
/// If the content differs or cannot be read.
pub(super) fn prove_noted(path: &Path, ends: Ends) -> Result<(), StoreError> {
    tracing::debug!("the time of the database file was changed after a kill; its content is read");
    if Ends::of(path) != Some(ends) {
        return Err(StoreError::Rewritten { path: shown(path) });
    }
    check(&connect_alone(path)?, path, &mut |_, _, _| {})?;
    tracing::warn!(
        database = %path.display(),
        "another program changed the time of the database file, but its content is as the killed server left it"
    );
    Ok(())
}
