//! Detects whether another program has written the database file since this server's last checkpoint.
//!
//! With a write-ahead log, SQLite writes the database file only when it copies the log into it (a
//! checkpoint), which this server does itself, between transactions. So if the file's times have changed,
//! another program did one of three things. It copied the log through SQLite, which also changes the count
//! of copied frames. Or it put other content in the file's place, as `cp copy.db hortifruti.db` does; the
//! log does not belong to that content and must not be copied into it. Or it changed only the times, which
//! `proof` finds out.
//!
//! The lock file has a note of the last known state, for the start after a kill.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connect::connect_alone;
use super::lock::{self, Lock};
use super::log::{COMPARED_FRAMES, Index, VERSIONS_OFFSET, WITH_LOG, has_copied};
use super::names::{INDEX_SUFFIX, LOG_SUFFIX, beside};
use crate::platform::files::FileExt;
use crate::platform::{locks, machine};
use crate::private_file::{FileStat, Identity, Times};

/// Frames of the log at which it is copied into the database: 4 MiB, SQLite's own default.
const COPIED_FRAMES: u32 = 1000;

/// The byte of the index that SQLite locks for a checkpoint
/// (<https://sqlite.org/walformat.html#how_locks_are_used>).
const COPY_LOCK_BYTE: i64 = 121;

/// Time between two checks whether another program still copies the log.
const COPYING_LOOK: Duration = Duration::from_millis(1);

/// The word that a note has in place of the time if the file is known to have foreign content.
const MIXED: &str = "mixed";

/// The state of the database file and its log after this server's last write.
pub(super) struct Base {
    database: PathBuf,
    /// The index, opened once and closed after the connection, because closing it releases SQLite's locks.
    index_file: File,
    stamp: Stamp,
    /// The stamp that the file had when its content was found to be foreign.
    refuted: Option<Stamp>,
    index: Index,
    /// The last rows in the file itself, without the log; `None` if it has no whole ledger.
    ends: Option<Ends>,
    /// Whether another program wrote the file while the log was copied into it.
    is_mixed: bool,
    note: Option<Note>,
}

impl Base {
    /// The present state of the database file.
    ///
    /// # Errors
    /// If the file, or the index of its log, cannot be read.
    pub(super) fn look(database: &Path, lock: &Lock) -> io::Result<Self> {
        let index_file = File::open(beside(database, INDEX_SUFFIX))?;
        let index = Index::of(&index_file)?.ok_or(io::ErrorKind::InvalidData)?;
        let (stamp, note) = (Stamp::of(database)?, Note::begin(database, lock));
        let (database, ends) = (database.to_owned(), Ends::of(database));
        let this = Self { database, index_file, stamp, refuted: None, index, ends, is_mixed: false, note };
        this.update_note();
        Ok(this)
    }

    /// Decides who wrote the database file, which has this stamp. `file` is the open database. Waits up to
    /// `patience` for another program that is copying the log.
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
        // A program that copies the log updates the count of copied frames last, and then unlocks.
        if locks::is_locked(&self.index_file, COPY_LOCK_BYTE) {
            return Whose::BeingCopied;
        }
        let Ok(Some(index)) = Index::of(&self.index_file) else { return Whose::Foreign };
        // The header of a copy that `backup` made says that it has no log.
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
        // Another program copied the log into foreign content.
        if self.refuted.is_some() {
            return Whose::Foreign;
        }
        (self.stamp, self.index, self.ends) = (stamp, index, Ends::of(&self.database));
        self.update_note();
        Whose::Ours
    }

    /// The last rows in the file itself after the last write, if known.
    pub(super) fn ends(&self) -> Option<Ends> {
        self.ends
    }

    /// The stamp of the file and the index of the log, if only the file's times have changed.
    pub(super) fn dated(&mut self, file: &File) -> Option<(Stamp, Index)> {
        let stamp = Stamp::of(&self.database).ok()?;
        let index = Index::of(&self.index_file).ok()??;
        (self.whose_now(stamp, Some(file)) == Whose::Dated).then_some((stamp, index))
    }

    /// Accepts the content with this stamp as this server's own.
    pub(super) fn accept(&mut self, stamp: Stamp) {
        (self.stamp, self.refuted) = (stamp, None);
        self.update_note();
    }

    /// Remembers that the content with this stamp is foreign. The note keeps that for the next start, which
    /// could not detect it if somebody set the old time again.
    pub(super) fn refute(&mut self, stamp: Stamp) {
        if self.refuted.replace(stamp) != Some(stamp) {
            self.update_note();
        }
    }

    /// Notes the state of the log after a transaction of this server. Returns whether it is time to copy
    /// the log.
    pub(super) fn committed(&mut self) -> bool {
        let Ok(Some(index)) = Index::of(&self.index_file) else { return false };
        if index.salts == self.index.salts {
            (self.index.frames, self.index.commits) = (index.frames, index.commits);
        } else {
            // The log began again, so all of it had been copied: by another program, if not by this server.
            let is_alone = index.commits == self.index.commits.wrapping_add(1);
            if self.index.copied < self.index.frames || !is_alone {
                self.stamp = Stamp::of(&self.database).unwrap_or(self.stamp);
                self.ends = Ends::of(&self.database);
            }
            self.index = index;
            self.update_note();
        }
        index.frames >= COPIED_FRAMES && index.copied < index.frames
    }

    /// Copies the log into the database file, and compares the copied frames with `file`, the open
    /// database. Call [`Base::whose`] first.
    pub(super) fn copy(&mut self, connection: &Connection, file: Option<&File>) -> rusqlite::Result<()> {
        self.run(connection, "PASSIVE")?;
        // SQLite skips frames that a reader still needs, so only a complete copy is compared.
        if let Some(file) = file.filter(|_| self.is_copied()) {
            let log = beside(&self.database, LOG_SUFFIX);
            let lacks =
                has_copied(file, &log, &self.index, COMPARED_FRAMES).is_ok_and(|has_copied| !has_copied);
            // A difference does not count if another program wrote through SQLite during the copying.
            self.is_mixed |= lacks && Index::of(&self.index_file).ok().flatten() == Some(self.index);
        }
        // The next start must not accept a mixed file either.
        self.update_note();
        Ok(())
    }

    /// Copies the log as [`Base::copy`] does, and empties it. Returns whether other programs prevented
    /// that.
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
        self.update_note();
        is_busy
    }

    fn run(&mut self, connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
        // If the server is killed now, the next start must not take the half-written file for foreign.
        self.forget();
        let statement = format!("PRAGMA wal_checkpoint({mode})");
        let is_busy = connection.query_row(&statement, [], |row| row.get(0));
        if let (Ok(stamp), Ok(Some(index))) = (Stamp::of(&self.database), Index::of(&self.index_file)) {
            if (index.salts, index.copied) != (self.index.salts, self.index.copied) {
                self.ends = Ends::of(&self.database);
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

    /// Erases the note, because the state of the file is unknown from here on.
    pub(super) fn forget(&self) {
        if let Some(note) = &self.note {
            note.write("");
        }
    }

    fn update_note(&self) {
        if let Some(note) = &self.note {
            let is_foreign = self.is_mixed || self.refuted.is_some();
            let changed = if is_foreign { MIXED.to_owned() } else { self.stamp.times.written.to_string() };
            let ends = self.ends.map_or(String::new(), |ends| ends.to_string());
            note.write(&format!("{} {changed} {} {ends}", note.place, copying(&self.index)));
        }
    }
}

/// The writer of a database file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The file is unchanged, or another program copied the log into it through SQLite.
    Ours,
    /// Another program is copying the log into the file, so the writer is not yet known.
    BeingCopied,
    /// The file's times have changed, and its size and log have not. The content may be unchanged.
    Dated,
    /// The file was written by a program that ignores the log.
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

/// The numbers of the last rows in a database file itself, without its log. Each change of the shop adds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    movement: i64,
    change: i64,
    product: i64,
}

impl Ends {
    /// The present ends; `None` if the file has no whole ledger.
    pub(super) fn of(database: &Path) -> Option<Self> {
        let ends = "SELECT (SELECT coalesce(max(sequence), 0) FROM movement),
                           (SELECT coalesce(max(number), 0) FROM product_change),
                           (SELECT coalesce(max(id), 0) FROM product_terms)";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self { movement: row.get(0)?, change: row.get(1)?, product: row.get(2)? })
        };
        connect_alone(database).ok()?.query_row(ends, [], read).ok()
    }

    /// Reads ends as a note has them.
    fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<i64>> = text.split(':').map(|number| number.parse().ok()).collect();
        let [movement, change, product] = numbers?[..] else { return None };
        Some(Self { movement, change, product })
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.movement, self.change, self.product)
    }
}

/// The identity of a log and the count of its copied frames, as a note has them.
fn copying(index: &Index) -> String {
    format!("{:016x}:{}", u64::from_be_bytes(index.salts), index.copied)
}

/// The note in the lock file about the state of the database file.
struct Note {
    file: File,
    /// The machine's boot, the database and its log, which the note is about.
    place: String,
}

impl Note {
    fn begin(database: &Path, lock: &Lock) -> Option<Self> {
        Some(Self { file: lock.name_file().ok()?, place: place(database)? })
    }

    /// Replaces the note. An error is ignored: the start after a kill then has no note, and knows less.
    fn write(&self, note: &str) {
        let _ = lock::write_note(&self.file, note);
    }
}

/// The present identities of the machine's boot, the database and its log.
fn place(database: &Path) -> Option<String> {
    let boot = machine::boot_id()?;
    let identity = |path: &Path| -> io::Result<String> {
        Identity::of(path).map(|found| format!("{}:{}", found.device(), found.inode()))
    };
    let (file, log) = (identity(database).ok()?, identity(&beside(database, LOG_SUFFIX)).ok()?);
    Some(format!("{boot} {file} {log}"))
}

/// A change of a database file after a server noted its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// The file's time differs from the noted one, which is given in nanoseconds since 1970. The ends are the
    /// noted ones; `None` if they are unknown, as in the note of an earlier version.
    Dated { then: i128, ends: Option<Ends> },
    /// Another file has the name, or another program wrote the file while the log was copied.
    Foreign,
}

/// The change of a database file since a server left this note; `None` if there is none, or another program
/// copied the log through SQLite. Nobody may have the database open.
pub(super) fn since(database: &Path, note: &str) -> io::Result<Option<Since>> {
    let fields: Vec<&str> = note.split_whitespace().collect();
    let [boot, file, log, then, copied, ref ends @ ..] = fields[..] else { return Ok(None) };
    let Some(now) = place(database) else { return Ok(None) };
    let now: Vec<&str> = now.split_whitespace().collect();
    // The machine was started again, or the log is another file, as in a copy of the whole folder.
    if now[0] != boot || now[2] != log {
        return Ok(None);
    }
    if now[1] != file || then == MIXED {
        return Ok(Some(Since::Foreign));
    }
    let Ok(then) = then.parse() else { return Ok(None) };
    let is_dated = Stamp::of(database)?.times.written != then
        && Index::read(&beside(database, INDEX_SUFFIX))?.is_some_and(|index| copying(&index) == copied);
    let ends = ends.first().and_then(|ends| Ends::parse(ends));
    Ok(is_dated.then_some(Since::Dated { then, ends }))
}

#[cfg(test)]
mod tests {
    use std::fs;

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
