//! The lock on a database: at most one server has a database file open, under any of its names.
//!
//! A lock file beside the database keeps a second server from the same name, even while the database is
//! being created. A hard link in another folder, or a mount of the file alone, is another name of the same
//! file, so the file itself is locked too. `flock` would not do, because some network file systems turn it
//! into locks that keep SQLite out; instead, bytes far behind the end of the file are locked, which no other
//! program uses. These locks belong to the open file and not to the process, so they stay when SQLite opens
//! and closes the same file.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::{io, shown};
use super::log_place;
use super::names::{LOCK_SUFFIX, beside};
use crate::catalog::Shown;
use crate::platform::files::{self, FileExt};
use crate::platform::locks::{Held, lock_bytes, locked_bytes, unlock};
use crate::private_file;
use crate::store::StoreError;

/// The first locked byte of a database: beyond the end of the largest one that SQLite can make (2^48).
const FIRST_BYTE: i64 = 1 << 56;

/// The beginning of the line in which a lock file names its holder.
const HOLDER_START: &str = "processo ";

/// Bytes of each of the two lines of the lock file: the holder, and the note of
/// [`Base`](super::base::Base).
const LINE_BYTES: usize = 160;

/// The offset of the second line, which has the note.
const NOTE_AT: u64 = LINE_BYTES as u64;

/// Bits of a port.
const PORT_BITS: u32 = u16::BITS;

/// The holder of a lock. The count of locked bytes of a database encodes the holder, so that any program that
/// reaches the file, by any name, can identify the holder exactly as long as the lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    process: u32,
    /// The port of the server; 0 if the holder is no server.
    port: u16,
}

impl Holder {
    fn bytes(self) -> i64 {
        1 + (i64::from(self.process) << PORT_BITS | i64::from(self.port))
    }

    fn of_bytes(bytes: i64) -> Option<Self> {
        let number = bytes.checked_sub(1)?;
        let process = u32::try_from(number >> PORT_BITS).ok()?;
        Some(Self { process, port: (number & i64::from(u16::MAX)) as u16 })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{HOLDER_START}{}", self.process)?;
        match self.port {
            0 => write!(out, ", que restaura ou move um banco de dados"),
            port => write!(out, ", porta {port}"),
        }
    }
}

/// The lock on a database. The system releases it when the process ends, however it ends.
pub(super) struct Lock {
    /// The lock on the database itself. Released before `name`, so that the next holder of the name finds
    /// the file unlocked.
    file: Option<(File, Option<Held>)>,
    name: File,
    path: PathBuf,
    holder: Holder,
    note: String,
}

impl Lock {
    /// Locks the lock file beside a database, which need not exist yet. The lock file is never removed,
    /// because then two servers could lock two different files.
    pub(super) fn name(database: &Path, port: u16) -> Result<Self, StoreError> {
        let holder = Holder { process: std::process::id(), port };
        let path = beside(database, LOCK_SUFFIX);
        let failed = io("travar", &path);
        let name = match private_file::open_lock(&path).map_err(&failed)? {
            Ok(name) => name,
            Err(locked) => {
                let by = match read_line(&locked, 0) {
                    Ok(other) if !other.is_empty() => format!(" por outro servidor ({})", Shown(&other)),
                    _ => " por outro servidor".to_owned(),
                };
                return Err(StoreError::InUse { path: shown(database), by });
            }
        };
        let before = read_line(&name, 0).map_err(&failed)?;
        let is_empty = name.metadata().map_err(&failed)?.len() == 0;
        if !is_empty && !before.starts_with(HOLDER_START) {
            let obstacle = "não é uma trava deste programa".to_owned();
            return Err(StoreError::InTheWay { path: shown(&path), obstacle });
        }
        let note = read_line(&name, NOTE_AT).unwrap_or_default();
        write_line(&name, 0, &holder.to_string()).map_err(&failed)?;
        Ok(Self { file: None, name, path: database.to_owned(), holder, note })
    }

    /// The note that the last server left about the files and did not erase.
    pub(super) fn note(&self) -> &str {
        &self.note
    }

    /// Erases the note, because this process is about to write the database file. If it is killed meanwhile, the next
    /// start must not take its writes for another program's.
    pub(super) fn erase_note(&self) -> io::Result<()> {
        write_note(&self.name, "")
    }

    /// A second handle on the lock file. Closing it does not end the lock.
    pub(super) fn name_file(&self) -> io::Result<File> {
        self.name.try_clone()
    }

    /// The open database, if it is locked.
    pub(super) fn database(&self) -> Option<&File> {
        self.file.as_ref().map(|(file, _)| file)
    }

    /// Locks the database itself, which must exist.
    pub(super) fn file(&mut self, database: &Path) -> Result<(), StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(database).map_err(io("abrir", database))?;
        self.open_file(file, database, database)
    }

    /// Locks the database itself, already open, whose file has this name now.
    pub(super) fn open_file(&mut self, file: File, now: &Path, database: &Path) -> Result<(), StoreError> {
        let held = match lock_bytes(&file, now, FIRST_BYTE, self.holder.bytes()) {
            Ok(held) => Some(held),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let holder = holder(&file, now).map_err(io("travar", database))?;
                let holder = holder.map_or(String::new(), |holder| format!(" ({holder})"));
                let by = format!(" por outro servidor{holder}, que o abriu com outro nome");
                return Err(StoreError::InUse { path: shown(database), by });
            }
            // An old kernel, or a file system without such locks. The lock file is still locked.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                tracing::warn!(%error, "the database is locked by its name alone");
                None
            }
            Err(error) => return Err(io("travar", database)(error)),
        };
        log_place::check(&file, database)?;
        self.file = Some((file, held));
        Ok(())
    }

    /// Lets another file take the database's name. Unlocks the file if the system replaces no open files; its name
    /// stays locked.
    pub(super) fn let_replace(&mut self) {
        self.file.take_if(|_| !files::REPLACES_OPEN);
    }

    /// Notes on the database file, until it is closed, that its log is beside this name.
    pub(super) fn note_log(&self) {
        if let Some((file, _)) = &self.file {
            log_place::note(file, &self.path);
        }
    }
}

impl Drop for Lock {
    /// Unlocks both files. Closing them is not enough, because a process that this one is just starting has them open
    /// too until its program runs.
    fn drop(&mut self) {
        if let Some((file, held)) = self.file.take() {
            log_place::forget(&file, &self.path);
            unlock(&file, held);
        }
        let _ = self.name.unlock();
    }
}

/// Replaces the note in the lock file.
pub(super) fn write_note(name: &File, note: &str) -> io::Result<()> {
    write_line(name, NOTE_AT, note)
}

/// The note that a former server left in the lock file of a database.
pub(super) fn read_note(name: &File) -> String {
    read_line(name, NOTE_AT).unwrap_or_default()
}

/// Writes a line in one step, so that a kill leaves either the old line or the new one.
fn write_line(file: &File, at: u64, text: &str) -> io::Result<()> {
    let width = LINE_BYTES - 1;
    file.write_all_at(format!("{text:<width$}\n").as_bytes(), at)
}

fn read_line(file: &File, at: u64) -> io::Result<String> {
    let mut line = [0; LINE_BYTES];
    let length = file.read_at(&mut line, at)?;
    let line = String::from_utf8_lossy(&line[..length]);
    Ok(line.lines().next().unwrap_or_default().trim_end().to_owned())
}

/// Refuses a database that a server has open by another name, or had until it was killed: the last changes
/// are in a log beside that name. Nobody may have the database open by this name, and nobody in this process
/// by any name.
pub(super) fn refuse_other_name(database: &Path) -> Result<(), StoreError> {
    let failed = io("ler", database);
    let file = File::open(database).map_err(&failed)?;
    match holder(&file, database) {
        Ok(None) => log_place::check(&file, database),
        Ok(Some(holder)) => Err(StoreError::OtherName { path: shown(database), holder: holder.to_string() }),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// The holder of a lock on a database through another open file.
fn holder(file: &File, database: &Path) -> io::Result<Option<Holder>> {
    Ok(locked_bytes(file, database, FIRST_BYTE)?.and_then(Holder::of_bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_number_of_bytes_says_who_it_is() {
        for (process, port) in [(1, 0), (7, 8082), (u32::MAX, u16::MAX)] {
            let holder = Holder { process, port };
            assert_eq!(Holder::of_bytes(holder.bytes()), Some(holder));
            assert!(FIRST_BYTE.checked_add(holder.bytes()).is_some());
        }
    }

    #[test]
    fn a_lock_ends_while_a_process_that_is_being_started_has_the_files_open() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        fs::write(&database, "").unwrap();
        let take = || {
            let mut lock = Lock::name(&database, 8082)?;
            lock.file(&database)?;
            Ok::<Lock, StoreError>(lock)
        };
        let lock = take().unwrap();
        let inherited = [lock.name_file().unwrap(), lock.database().unwrap().try_clone().unwrap()];
        drop(lock);
        take().unwrap();
        drop(inherited);
    }

    #[test]
    fn one_file_has_one_holder_by_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.db", "b.db"].map(|name| folder.path().join(name));
        fs::write(&names[0], "").unwrap();
        fs::hard_link(&names[0], &names[1]).unwrap();
        let take = |name: &Path, port| {
            let mut lock = Lock::name(name, port)?;
            lock.file(name)?;
            Ok::<Lock, StoreError>(lock)
        };
        let first = take(&names[0], 8082).unwrap();
        // Opening and closing the file does not release the lock.
        fs::read(&names[0]).unwrap();
        for refused in [take(&names[1], 8083).map(drop), refuse_other_name(&names[1])] {
            let said = refused.unwrap_err().to_string();
            let expected = format!("processo {}, porta 8082", std::process::id());
            assert!(said.contains(&expected) && said.contains("outro nome"), "{said}");
        }
        drop(first);
        refuse_other_name(&names[0]).unwrap();
        take(&names[1], 8083).unwrap();
    }
}
