//! Restores a copy: the copy takes the place of a database, which is kept beside it under a dated name.
//!
//! The order of the steps is such that a kill between any two leaves either the old or the new database
//! complete under the name, and removes no file of the old one. First the new database is made under a
//! temporary name and checked; then the log of the old database is played into it; then the two exchange
//! their names in one step.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use super::backup::{begin, copy_into};
use super::connect::connect;
use super::error::{io, shown, sqlite};
use super::lock::Lock;
use super::log_check::check_log;
use super::names::{SUFFIXES, beside, free_name, place};
use super::schema::{SCHEMA_VERSION, check_header};
use super::verify::Source;
use crate::platform::files;
use crate::private_file::Identity;
use crate::store::StoreError;
use crate::store::check::{Step, Verified};

/// The result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The content of the restored database.
    pub verified: Verified,
    /// The schema of the copy, if it was migrated from an earlier one.
    pub earlier_schema: Option<i32>,
    /// The files of the replaced database: the database first, then its log if the log could not be played
    /// into it.
    pub kept: Vec<PathBuf>,
}

/// Checks a copy as [`verify`](super::verify()) does, and replaces a database with it, or creates one.
///
/// # Errors
/// If a server has the database open, the copy is damaged, or a file cannot be written. The database is then
/// unchanged.
pub fn restore(
    copy: &Path,
    database: &Path,
    report: &mut dyn FnMut(Step, u64, u64),
) -> Result<Restored, StoreError> {
    let path = place(database)?;
    refuse_own_file(copy, &path)?;
    // Opened before the lock file is made: a name that is no copy leaves nothing behind.
    let mut source = Source::open(copy, 1..=SCHEMA_VERSION)?;
    let mut lock = Lock::name(&path, 0)?;
    let is_there = path.try_exists().map_err(io("abrir", &path))?;
    if is_there {
        lock.file(&path)?;
    }
    let unfinished = begin(&path)?;
    let earlier_schema = Some(source.version()?).filter(|version| *version < SCHEMA_VERSION);
    let verified = copy_into(&mut source, &unfinished, copy, report)?;
    drop(source);
    if is_there {
        keep_owner(&path, unfinished.file()).map_err(io("dar o dono a", unfinished.temporary()))?;
        play_log(&path, &lock)?;
    }
    let name = free_name(&path, "")?;
    let log = KeptLog::begin(&path, &name)?;
    lock.let_replace();
    let finished = if is_there { unfinished.finish_keeping(&name) } else { unfinished.finish(false) };
    if let Err(error) = finished {
        log.undo();
        return Err(io("restaurar", &path)(error));
    }
    let mut kept = log.finish().map_err(|(left, error)| StoreError::Failed {
        action: "terminar de restaurar",
        path: shown(&path),
        reason: format!(
            "a cópia está no lugar, mas {} sobrou ({error}). Apague-o antes de iniciar o servidor",
            shown(&left)
        ),
    })?;
    if is_there {
        kept.insert(0, name);
    }
    Ok(Restored { verified, earlier_schema, kept })
}

/// Refuses a copy that is the database itself, or a file of it.
fn refuse_own_file(copy: &Path, database: &Path) -> Result<(), StoreError> {
    let Ok(identity) = Identity::of(copy) else { return Ok(()) };
    let is_own = |suffix: &str| Identity::of(&beside(database, suffix)).is_ok_and(|own| own == identity);
    match SUFFIXES.into_iter().any(is_own) {
        true => Err(StoreError::OwnCopy { path: shown(copy) }),
        false => Ok(()),
    }
}

/// Gives the new file the old one's owner, so that a server of another user can still open it.
fn keep_owner(old: &Path, new: &File) -> io::Result<()> {
    let old = fs::metadata(old)?;
    match files::give_owner(new, &old) {
        // A group that may not be given costs nothing: nobody but the owner can read the file.
        Err(_) if files::have_same_owner(&old, &new.metadata()?) => Ok(()),
        given => given,
    }
}

/// Copies the log of the old database into it, as the start of a server would, so that the database is
/// complete without a log. A damaged or foreign database is left unchanged, with its log.
///
/// # Errors
/// If another program has the database open.
fn play_log(database: &Path, lock: &Lock) -> Result<(), StoreError> {
    let play = || {
        check_log(database, lock.note())?;
        let connection = connect(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        check_header(&connection, database, 1..=SCHEMA_VERSION)?;
        lock.erase_note().map_err(io("travar", database))?;
        // The database is left in the mode without a log, like a backup, and needs no other file.
        let mode: String = connection
            .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
            .map_err(sqlite("sincronizar", database))?;
        if mode == "delete" { Ok(()) } else { Err(StoreError::Busy { path: shown(database) }) }
    };
    match play() {
        Err(error @ StoreError::Busy { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// The log and other files of SQLite beside the old database, which are renamed together with it.
struct KeptLog {
    /// Each file's old name, its new name, and whether the file already has both.
    files: Vec<(PathBuf, PathBuf, bool)>,
}

impl KeptLog {
    /// Gives each file its new name before the database gets its own, so that the old database is never
    /// without its log.
    fn begin(database: &Path, name: &Path) -> Result<Self, StoreError> {
        let mut files = Vec::new();
        for suffix in SUFFIXES.into_iter().filter(|suffix| !suffix.is_empty()) {
            let (old, new) = (beside(database, suffix), beside(name, suffix));
            if old.try_exists().map_err(io("abrir", &old))? {
                // On a file system without links, as on most memory sticks, the file is renamed afterwards.
                let is_linked = fs::hard_link(&old, &new).is_ok();
                files.push((old, new, is_linked));
            }
        }
        Ok(Self { files })
    }

    fn undo(self) {
        for (_, new, _) in self.files.into_iter().filter(|(_, _, is_linked)| *is_linked) {
            let _ = files::remove(&new);
        }
    }

    /// Removes the old names. Returns the new ones, or the old name that could not be removed.
    fn finish(self) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
        let files = self.files.into_iter().map(|(old, new, is_linked)| {
            let moved = if is_linked { files::remove(&old) } else { files::rename(&old, &new) };
            moved.map(|()| new).map_err(|error| (old, error))
        });
        files.collect()
    }
}
