//! Watches whether the database file is as this server's last checkpoint left it.
//!
//! With a write-ahead log, SQLite writes the database file only when it copies the log into it (a
//! checkpoint), which this server does itself, between transactions. So if the time of the file's last
//! change is another, another program wrote the file. Either it has the database open through SQLite
//! and copied the log, which also changes the count of copied frames; or it put other content in the
//! file's place, such as `cp copy.db hortifruti.db`. The log does not belong to that content, and to
//! copy it there would mix the two.
//!
//! The lock file keeps a note of all this, for the start after a kill.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::files::{INDEX_SUFFIX, LOG_SUFFIX, beside};
use super::lock::{self, Lock};
use super::log::{Index, VERSIONS_OFFSET, WITH_LOG, has_copied};
use crate::private_file::FileStat;

/// Frames of the log from which on it is copied into the database: 4 MiB, as SQLite itself would do.
const COPIED_FRAMES: u32 = 1000;

/// The byte of the index that SQLite locks for a checkpoint
/// (<https://sqlite.org/walformat.html#how_locks_are_used>).
const COPY_LOCK_BYTE: i64 = 121;

/// Time between two looks whether another program still copies the log.
const COPYING_LOOK: Duration = Duration::from_millis(1);

/// The file that identifies this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The word in a note instead of the time of a file that another program wrote while the log was copied
/// into it.
const MIXED: &str = "mixed";

/// The database file as it was left, and what the log was then.
pub(super) struct Base {
    database: PathBuf,
    /// Opened once, and closed after the connection, because closing it gives up SQLite's locks on it.
    index_file: File,
    changed: i128,
    index: Index,
    /// Whether somebody wrote the file while the log was copied into it.
    is_mixed: bool,
    note: Option<Note>,
}

impl Base {
    /// The database file as it is now.
    ///
    /// # Errors
    /// If the file, or the index of its log, cannot be read.
    pub(super) fn look(database: &Path, lock: &Lock) -> io::Result<Self> {
        let index_file = File::open(beside(database, INDEX_SUFFIX))?;
        let index = Index::of(&index_file)?.ok_or(io::ErrorKind::InvalidData)?;
        let (changed, note) = (changed(database)?, Note::begin(database, lock));
        let this = Self { database: database.to_owned(), index_file, changed, index, is_mixed: false, note };
        this.tell();
        Ok(this)
    }

    /// Says whose the database file is. `changed` is the time of its last change, and `file` the
    /// database, opened. Waits up to `patience` for another program that is copying the log into it.
    pub(super) fn whose(&mut self, mut changed: i128, file: Option<&File>, patience: Duration) -> Whose {
        let begun = Instant::now();
        loop {
            match self.whose_now(changed, file) {
                Whose::BeingCopied if begun.elapsed() < patience => sleep(COPYING_LOOK),
                whose => return whose,
            }
            changed = self::changed(&self.database).unwrap_or(changed);
        }
    }

    fn whose_now(&mut self, changed: i128, file: Option<&File>) -> Whose {
        if self.is_mixed {
            return Whose::Foreign;
        }
        if changed == self.changed {
            return Whose::Ours;
        }
        // A program that copies the log counts the copied frames at the end, and then gives up the lock.
        if is_being_copied(&self.index_file) {
            return Whose::BeingCopied;
        }
        let Ok(Some(index)) = Index::of(&self.index_file) else { return Whose::Foreign };
        // A copy that `backup` made says in its header that it has no log.
        let has_log = file.is_none_or(|file| {
            let mut versions = [0; 2];
            file.read_exact_at(&mut versions, VERSIONS_OFFSET).is_ok() && versions == WITH_LOG
        });
        if (index.salts, index.copied) == (self.index.salts, self.index.copied) || !has_log {
            return Whose::Foreign;
        }
        (self.changed, self.index) = (changed, index);
        self.tell();
        Whose::Ours
    }

    /// Notes the log as a transaction of ours left it. Returns whether it is time to copy the log.
    pub(super) fn committed(&mut self) -> bool {
        let Ok(Some(index)) = Index::of(&self.index_file) else { return false };
        if index.salts == self.index.salts {
            (self.index.frames, self.index.commits) = (index.frames, index.commits);
        } else {
            // The log began again, so all of it had been copied: by another program, if not by us.
            let is_alone = index.commits == self.index.commits.wrapping_add(1);
            if self.index.copied < self.index.frames || !is_alone {
                self.changed = changed(&self.database).unwrap_or(self.changed);
            }
            self.index = index;
            self.tell();
        }
        index.frames >= COPIED_FRAMES && index.copied < index.frames
    }

    /// Copies the log into the database file. To be called after [`Base::whose`]. `file` is the
    /// database, opened: the copied frames are compared with it.
    pub(super) fn copy(&mut self, connection: &Connection, file: Option<&File>) -> rusqlite::Result<()> {
        self.run(connection, "PASSIVE")?;
        // If a reader keeps a later frame of a page in the log, SQLite copies no earlier frame of that page.
        if let Some(file) = file.filter(|_| self.is_copied()) {
            let log = beside(&self.database, LOG_SUFFIX);
            let lacks = has_copied(file, &log, &self.index).is_ok_and(|has_copied| !has_copied);
            // A difference counts, unless another program wrote through SQLite meanwhile.
            self.is_mixed |= lacks && Index::of(&self.index_file).ok().flatten() == Some(self.index);
        }
        // The next start must not take a mixed file for ours either.
        self.tell();
        Ok(())
    }

    /// Copies the log as [`Base::copy`] does, and empties it. Returns whether others prevented the emptying.
    pub(super) fn empty_log(
        &mut self,
        connection: &Connection,
        file: Option<&File>,
    ) -> rusqlite::Result<bool> {
        self.copy(connection, file)?;
        if self.is_mixed {
            return Ok(true);
        }
        let is_busy = self.run(connection, "TRUNCATE");
        self.tell();
        is_busy
    }

    fn run(&mut self, connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
        // A start that finds the file half changed by a killed server must not take it for another's.
        self.forget();
        let statement = format!("PRAGMA wal_checkpoint({mode})");
        let is_busy = connection.query_row(&statement, [], |row| row.get(0));
        if let (Ok(changed), Ok(Some(index))) = (changed(&self.database), Index::of(&self.index_file)) {
            (self.changed, self.index) = (changed, index);
        }
        is_busy
    }

    /// Whether all of the log has been copied.
    pub(super) fn is_copied(&self) -> bool {
        self.index.copied == self.index.frames
    }

    /// The path of the database.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Erases the note: nothing is known from here on.
    pub(super) fn forget(&self) {
        if let Some(note) = &self.note {
            note.write("");
        }
    }

    fn tell(&self) {
        if let Some(note) = &self.note {
            // A file that somebody wrote while the log was copied into it is of no time.
            let changed = if self.is_mixed { MIXED.to_owned() } else { self.changed.to_string() };
            note.write(&format!("{} {changed} {}", note.place, copying(&self.index)));
        }
    }
}

/// The owner of a database file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The file is as it was left, or was changed by a program that copied the log into it through SQLite.
    Ours,
    /// Not yet known: another program is copying the log into the file.
    BeingCopied,
    /// The file was written by a program that knows nothing of the log.
    Foreign,
}

/// Whether another process copies the log.
fn is_being_copied(index: &File) -> bool {
    use nix::fcntl::{FcntlArg, fcntl};
    let mut found = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as _,
        l_whence: nix::libc::SEEK_SET as _,
        l_start: COPY_LOCK_BYTE,
        l_len: 1,
        l_pid: 0,
    };
    // F_GETLK only asks, and locks nothing.
    fcntl(index, FcntlArg::F_GETLK(&mut found)).is_ok() && i32::from(found.l_type) != nix::libc::F_UNLCK
}

/// When the database file was last changed, in nanoseconds since 1970.
fn changed(database: &Path) -> io::Result<i128> {
    FileStat::with_time(database).map(|(_, changed)| changed)
}

/// How much of which log has been copied.
fn copying(index: &Index) -> String {
    format!("{:016x}:{}", u64::from_be_bytes(index.salts), index.copied)
}

/// The note in the lock file about the state of the database file.
struct Note {
    file: File,
    /// The machine's start, the database and its log, which the note is about.
    place: String,
}

impl Note {
    fn begin(database: &Path, lock: &Lock) -> Option<Self> {
        Some(Self { file: lock.name_file().ok()?, place: place(database)? })
    }

    /// Replaces the note. Fails only if nothing can be written to the disk: then a start after a kill
    /// knows no more than it would without a note.
    fn write(&self, note: &str) {
        let _ = lock::write_note(&self.file, note);
    }
}

/// The machine's start, the database and its log, as they are identified now.
fn place(database: &Path) -> Option<String> {
    let boot = fs::read_to_string(BOOT_ID).ok()?;
    let identity = |path: &Path| -> io::Result<String> {
        let found = fs::symlink_metadata(path)?;
        Ok(format!("{}:{}", found.dev(), found.ino()))
    };
    let (file, log) = (identity(database).ok()?, identity(&beside(database, LOG_SUFFIX)).ok()?);
    Some(format!("{} {file} {log}", boot.trim()))
}

/// Whether the database file was written or replaced since a server left this note, other than by a
/// program that copied its log, which is still there. Nobody may have the database open.
pub(super) fn is_foreign(database: &Path, note: &str) -> io::Result<bool> {
    let fields: Vec<&str> = note.split_whitespace().collect();
    let [boot, file, log, then, copied] = fields[..] else { return Ok(false) };
    let Some(now) = place(database) else { return Ok(false) };
    let now: Vec<&str> = now.split_whitespace().collect();
    // The machine was started again, or the log is another one, as in a shop's folder that was copied whole.
    if now[0] != boot || now[2] != log {
        return Ok(false);
    }
    if now[1] != file || then == MIXED {
        return Ok(true);
    }
    let is_same_time = changed(database)?.to_string() == then;
    let index = Index::read(&beside(database, INDEX_SUFFIX))?;
    Ok(!is_same_time && index.is_some_and(|index| copying(&index) == copied))
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;

    use super::*;
    use crate::store::sqlite::files::LOCK_SUFFIX;

    #[test]
    fn a_file_that_was_written_while_the_log_was_copied_is_foreign_to_the_next_start_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection.execute_batch("CREATE TABLE t (a); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let (ours, other) = (File::open(&path).unwrap(), folder.path().join("antiga.db"));
        fs::copy(&path, &other).unwrap();
        let lock = Lock::name(&path, 8082).unwrap();
        let mut base = Base::look(&path, &lock).unwrap();
        let mut is_foreign_after = |file: &File| {
            connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
            base.copy(&connection, Some(file)).unwrap();
            let now = base.whose(changed(&path).unwrap(), Some(file), Duration::ZERO);
            let note = lock::read_note(&File::open(beside(&path, LOCK_SUFFIX)).unwrap());
            (now, is_foreign(&path, &note).unwrap())
        };
        assert_eq!(is_foreign_after(&ours), (Whose::Ours, false));
        // The copied frames are not in this file.
        assert_eq!(is_foreign_after(&File::open(&other).unwrap()), (Whose::Foreign, true));
    }
}
