//! A copy of a database that a server may be using.
//!
//! SQLite's backup interface copies the pages inside one read transaction, so the copy is of one moment, and
//! commits of the server do not restart it. The server is not blocked: its commits stay in the log until the
//! pages are copied. The copy is then checked without the database. (`VACUUM INTO` would do the same, but
//! reports no progress.)

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connect::connect;
use super::content::{check, check_pages};
use super::error::{io, shown, sqlite};
use super::lock::refuse_other_name;
use super::log::{VERSIONS_OFFSET, WITHOUT_LOG};
use super::names::{JOURNAL_SUFFIX, LOCK_SUFFIX, LOG_SUFFIX, SUFFIXES, beside, free_name};
use super::schema::{SCHEMA_VERSION, is_ours, migrate};
use super::verify::Source;
use crate::platform::files::FileExt;
use crate::private_file::{AtomicFile, Identity, NameState, in_real_folder};
use crate::store::StoreError;
use crate::store::check::{Report, Step, Verified};

/// Pages copied between two progress reports: a few milliseconds.
const PAGES_PER_STEP: i32 = 1024;

/// Copies the database to a file, which gets its name once the copy has been checked as
/// [`verify`](super::verify()) does and is on disk.
///
/// # Errors
/// If the database cannot be read or is damaged, or the copy cannot be made under this name. An existing
/// file of that name is then unchanged.
pub fn back_up(
    database: &Path,
    copy: &Path,
    replace: bool,
    report: &mut dyn FnMut(Step, u64, u64),
) -> Result<Verified, StoreError> {
    back_up_from(&mut Source::open(database, SCHEMA_VERSION..=SCHEMA_VERSION)?, copy, replace, report)
}

/// Copies an open database as [`back_up`] does.
pub(super) fn back_up_from(
    source: &mut Source,
    copy: &Path,
    replace: bool,
    report: Report<'_>,
) -> Result<Verified, StoreError> {
    check_place(&source.path, copy, replace)?;
    let unfinished = begin(copy)?;
    let verified = copy_into(source, &unfinished, copy, report)?;
    unfinished.finish_over(|head| replace && is_ours(head)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists { path: shown(copy) },
        _ => io("escrever", copy)(error),
    })?;
    Ok(verified)
}

/// Begins a file that will have this name.
pub(super) fn begin(copy: &Path) -> Result<AtomicFile, StoreError> {
    // SQLite opens nothing through a link, not even through one to a folder.
    in_real_folder(copy).and_then(|copy| AtomicFile::begin(&copy)).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => {
            StoreError::NoCopy { path: shown(copy), reason: "outra cópia para lá está em andamento" }
        }
        _ => io("criar", copy)(error),
    })
}

/// Keeps a copy of a database beside it before the database is migrated from schema `version`. Returns the
/// name of the copy, such as `hortifruti.db.esquema-6.2026-11-29T183015`, which it gets once its pages are checked;
/// the ledger of an earlier schema is checked by the migration, which reads all of it.
pub(super) fn keep_copy(
    connection: &Connection,
    database: &Path,
    version: i32,
) -> Result<PathBuf, StoreError> {
    let copy = free_name(database, &format!(".esquema-{version}"))?;
    let failed = |error: StoreError| StoreError::NoCopyKept {
        path: shown(database),
        copy: shown(&copy),
        reason: match error {
            StoreError::Failed { reason, .. } => reason,
            other => other.to_string(),
        },
    };
    let keep = || {
        let unfinished = begin(&copy)?;
        let mut target = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let copied = connection
            .unchecked_transaction()
            .and_then(|moment| copy_pages(&moment, &mut target, &mut |_, _, _| {}));
        copied.map_err(sqlite("copiar", &copy))?;
        drop(target);
        unfinished.file().write_all_at(&WITHOUT_LOG, VERSIONS_OFFSET).map_err(io("escrever", &copy))?;
        check_pages(&connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_ONLY)?, &copy)?;
        unfinished.finish(false).map_err(io("escrever", &copy))
    };
    keep().map_err(failed)?;
    Ok(copy)
}

/// Copies one moment of a database to a new file, migrates the file to the current schema, and checks it.
/// Errors call the copy `name`.
pub(super) fn copy_into(
    source: &mut Source,
    unfinished: &AtomicFile,
    name: &Path,
    report: Report<'_>,
) -> Result<Verified, StoreError> {
    let mut target = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = source.version()?;
    // The read transaction ends with the copying, because the log of the database grows until then.
    copy_pages(&*source.moment()?, &mut target, report).map_err(sqlite("copiar", name))?;
    drop(target);
    // The copy has no log. The header says so, in case the copy later replaces a database with a log.
    unfinished.file().write_all_at(&WITHOUT_LOG, VERSIONS_OFFSET).map_err(io("escrever", name))?;
    if version < SCHEMA_VERSION {
        let mut target = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        update(&mut target).map_err(sqlite("atualizar", name))?;
    }
    let target = connect(unfinished.temporary(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check(&target, name, report)
}

/// Refuses a name under which a copy would destroy a file, or would be read together with another
/// database's log.
fn check_place(database: &Path, copy: &Path, replace: bool) -> Result<(), StoreError> {
    let refused = |reason| Err(StoreError::NoCopy { path: shown(copy), reason });
    let there = match fs::symlink_metadata(copy) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(io("criar", copy)(error)),
    };
    match there {
        Some(there) if there.is_dir() => return refused("é uma pasta"),
        Some(there) if !there.is_file() => return refused("não é um arquivo comum"),
        _ => {}
    }
    let mut own = SUFFIXES.iter().chain([&LOCK_SUFFIX]);
    let identity = Identity::of(copy).ok();
    if own.any(|suffix| identity.is_some() && Identity::of(&beside(database, suffix)).ok() == identity) {
        return refused("é o próprio banco de dados, ou um arquivo dele");
    }
    // A database with a log may be in use, and the log would be played into the copy.
    if [LOG_SUFFIX, JOURNAL_SUFFIX].iter().any(|suffix| fs::symlink_metadata(beside(copy, suffix)).is_ok()) {
        return refused("há um registro (-wal) ao lado, como o de um banco de dados em uso");
    }
    if there.is_none() {
        return Ok(());
    }
    if NameState::at(copy, is_ours).map_err(io("ler", copy))? != NameState::Ours {
        return refused(
            "é outro arquivo, e só um banco de dados do hortifruti pode ser substituído por uma cópia",
        );
    }
    if !replace {
        return Err(StoreError::Exists { path: shown(copy) });
    }
    refuse_other_name(copy)
}

/// Lets SQLite write without journal and syncs: the file is synced once it is complete, and may be lost until
/// then.
fn skip_syncs(target: &Connection) -> rusqlite::Result<()> {
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")
}

fn update(target: &mut Connection) -> rusqlite::Result<()> {
    skip_syncs(target)?;
    let transaction = target.transaction()?;
    migrate(&transaction)?;
    transaction.commit()
}

fn copy_pages(moment: &Connection, target: &mut Connection, report: Report<'_>) -> rusqlite::Result<()> {
    skip_syncs(target)?;
    let copying = Backup::new(moment, target)?;
    loop {
        let result = copying.step(PAGES_PER_STEP)?;
        let progress = copying.progress();
        let total = u64::from(progress.pagecount.unsigned_abs());
        report(Step::Copy, total - u64::from(progress.remaining.unsigned_abs()), total);
        match result {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Busy or locked: short, because the moment is held and nobody else uses the copy.
            _ => std::thread::sleep(std::time::Duration::from_millis(10)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::Transaction;
    use crate::store::Store;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn the_log_is_held_up_until_the_pages_are_copied_and_not_while_they_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        SqliteStore::open(&path, 8082).unwrap().create(&Transaction::default()).unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        other.execute_batch("CREATE TABLE other (a); INSERT INTO other VALUES (1)").unwrap();
        let mut held = Vec::new();
        back_up(&path, &folder.path().join("copia.db"), false, &mut |step, _, _| {
            other.execute_batch("UPDATE other SET a = a + 1").unwrap();
            let is_held: bool =
                other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
            held.push((step, is_held));
        })
        .unwrap();
        held.dedup();
        assert_eq!(held, [(Step::Copy, true), (Step::Pages, false)]);
    }
}
