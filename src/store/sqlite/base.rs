//! Watches whether the database file is as this server's last checkpoint left it.
//!
//! With a write-ahead log, SQLite writes the database file only when it copies the log into it (a
//! checkpoint), which this server does itself, between transactions. So if the file has other times, another
//! program did something to it. Either it has the database open through SQLite
//! and copied the log, which also changes the count of copied frames; or it put other content in the
//! file's place, such as `cp copy.db hortifruti.db`. The log does not belong to that content, and to
//! copy it there would mix the two. Or it changed only the times, which `proof` finds out.
//!
//! The lock file keeps a note of all this, for the start after a kill.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connect::connect_alone;
use super::lock::{self, Lock};
use super::log::{COMPARED_FRAMES, Index, VERSIONS_OFFSET, WITH_LOG, has_copied};
use super::names::{INDEX_SUFFIX, LOG_SUFFIX, beside};
use crate::private_file::{FileStat, Times};

/// Frames of the log from which on it is copied into the database: 4 MiB, as SQLite itself would do.
const COPIED_FRAMES: u32 = 1000;

/// The byte of the index that SQLite locks for a checkpoint
/// (<https://sqlite.org/walformat.html#how_locks_are_used>).
const COPY_LOCK_BYTE: i64 = 121;

/// Time between two looks whether another program still copies the log.
const COPYING_LOOK: Duration = Duration::from_millis(1);

/// The file that identifies this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The word in a note instead of the time of a file that is known to have other content than was left.
const MIXED: &str = "mixed";

/// The database file as it was left, and what the log was then.
pub(super) struct Base {
    database: PathBuf,
    /// Opened once, and closed after the connection, because closing it gives up SQLite's locks on it.
    index_file: File,
    stamp: Stamp,
    /// The stamp that was found on other content than was left.
    refuted: Option<Stamp>,
    index: Index,
    /// The last movement in the file itself, without the log; `None` if it has no whole ledger.
    file_end: Option<i64>,
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
        let (stamp, note) = (Stamp::of(database)?, Note::begin(database, lock));
        let (database, file_end) = (database.to_owned(), ledger_end(database));
        let this =
            Self { database, index_file, stamp, refuted: None, index, file_end, is_mixed: false, note };
        this.tell();
        Ok(this)
    }

    /// Says whose the database file is, which has this stamp. `file` is the database, opened. Waits up to `patience` for another program that is copying the log into it.
    pub(super) fn whose(&mut self, mut stamp: Stamp, file: Option<&File>, patience: Duration) -> Whose {
        let begun = Instant::now();
        loop {
            match self.whose_now(stamp, file) {
                Whose::BeingCopied if begun.elapsed() < patience => sleep(COPYING_LOOK),
                whose => return whose,
            }
            stamp = Stamp::of(&self.database).unwrap_or(stamp);
        }
    }

    fn whose_now(&mut self, stamp: Stamp, file: Option<&File>) -> Whose {
        if self.is_mixed {
            return Whose::Foreign;
        }
        if stamp == self.stamp {
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
        if !has_log {
            return Whose::Foreign;
        }
        if (index.salts, index.copied) == (self.index.salts, self.index.copied) {
            if stamp.bytes != self.stamp.bytes {
                self.refute(stamp);
            }
            return if self.refuted == Some(stamp) { Whose::Foreign } else { Whose::Dated };
        }
        // The log was copied into other content than was left.
        if self.refuted.is_some() {
            return Whose::Foreign;
        }
        (self.stamp, self.index, self.file_end) = (stamp, index, ledger_end(&self.database));
        self.tell();
        Whose::Ours
    }

    /// The last movement in the file itself when it was left, if that is known.
    pub(super) fn file_end(&self) -> Option<i64> {
        self.file_end
    }

    /// The stamp of the file and the index of the log, if only the times of the file are not as they were left.
    pub(super) fn dated(&mut self, file: &File) -> Option<(Stamp, Index)> {
        let stamp = Stamp::of(&self.database).ok()?;
        let index = Index::of(&self.index_file).ok()??;
        (self.whose_now(stamp, Some(file)) == Whose::Dated).then_some((stamp, index))
    }

    /// Takes a stamp of the file for ours.
    pub(super) fn accept(&mut self, stamp: Stamp) {
        (self.stamp, self.refuted) = (stamp, None);
        self.tell();
    }

    /// Remembers that the file with this stamp is not as it was left, also for the next start, which does not
    /// see other times if somebody put the old one back.
    pub(super) fn refute(&mut self, stamp: Stamp) {
        if self.refuted.replace(stamp) != Some(stamp) {
            self.tell();
        }
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
                self.stamp = Stamp::of(&self.database).unwrap_or(self.stamp);
                self.file_end = ledger_end(&self.database);
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
            let lacks =
                has_copied(file, &log, &self.index, COMPARED_FRAMES).is_ok_and(|has_copied| !has_copied);
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
        if let (Ok(stamp), Ok(Some(index))) = (Stamp::of(&self.database), Index::of(&self.index_file)) {
            if (index.salts, index.copied) != (self.index.salts, self.index.copied) {
                self.file_end = ledger_end(&self.database);
            }
            (self.stamp, self.index) = (stamp, index);
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
            let is_foreign = self.is_mixed || self.refuted.is_some();
            let changed = if is_foreign { MIXED.to_owned() } else { self.stamp.times.written.to_string() };
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
    /// The file has other times than it was left with, and everything else that can be seen at once is the
    /// same. Its content may be ours.
    Dated,
    /// The file was written by a program that knows nothing of the log.
    Foreign,
}

/// The properties of a file that change when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) times: Times,
    pub(super) bytes: u64,
}

impl Stamp {
    fn of(file: &Path) -> io::Result<Self> {
        FileStat::with_times(file).map(|(found, times)| Self { times, bytes: found.bytes })
    }
}

/// The last movement in a database file itself, without its log; `None` if it has no whole ledger.
pub(super) fn ledger_end(database: &Path) -> Option<i64> {
    let alone = connect_alone(database).ok()?;
    alone.query_row("SELECT coalesce(max(sequence), 0) FROM movement", [], |row| row.get(0)).ok()
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

/// A database file that is not as the server left it that wrote a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The file was written last at another time than this, in nanoseconds since 1970, or its time was
    /// changed.
    Dated(i128),
    /// The file is another one, or was written while the log was copied into it.
    Foreign,
}

/// Says what happened to the database file since a server left this note, other than by a program that copied
/// its log, which is still there. Nobody may have the database open.
pub(super) fn since(database: &Path, note: &str) -> io::Result<Option<Since>> {
    let fields: Vec<&str> = note.split_whitespace().collect();
    let [boot, file, log, then, copied] = fields[..] else { return Ok(None) };
    let Some(now) = place(database) else { return Ok(None) };
    let now: Vec<&str> = now.split_whitespace().collect();
    // The machine was started again, or the log is another one, as in a shop's folder that was copied whole.
    if now[0] != boot || now[2] != log {
        return Ok(None);
    }
    if now[1] != file || then == MIXED {
        return Ok(Some(Since::Foreign));
    }
    let Ok(then) = then.parse() else { return Ok(None) };
    let is_dated = Stamp::of(database)?.times.written != then
        && Index::read(&beside(database, INDEX_SUFFIX))?.is_some_and(|index| copying(&index) == copied);
    Ok(is_dated.then_some(Since::Dated(then)))
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;

    use super::*;
    use crate::store::sqlite::names::LOCK_SUFFIX;

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
        let mut after_copying = |file: &File| {
            connection.execute("INSERT INTO t VALUES (1)", []).unwrap();
            base.copy(&connection, Some(file)).unwrap();
            let now = base.whose(Stamp::of(&path).unwrap(), Some(file), Duration::ZERO);
            let note = lock::read_note(&File::open(beside(&path, LOCK_SUFFIX)).unwrap());
            (now, since(&path, &note).unwrap())
        };
        assert_eq!(after_copying(&ours), (Whose::Ours, None));
        // The copied frames are not in this file.
        assert_eq!(after_copying(&File::open(&other).unwrap()), (Whose::Foreign, Some(Since::Foreign)));
    }
}
