//! Checks SQLite's write-ahead log for lost commits before SQLite opens the database.
//!
//! SQLite reads the valid frames of the log and silently drops the rest, which after a crash was never
//! committed. SQLite cannot distinguish that from a log that was cut, overwritten or removed. But the index
//! of the log (the `-shm` file) survives the kill of its process, and counts a commit once the log is synced:
//! if the index counts more frames than the log has, answered changes are lost.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::base::{self, Ends, Since};
use super::error::{io, shown};
use super::log::{
    Index, LOG_HEADER, Log, VERSIONS_OFFSET, WITH_LOG, has_copied, may_be_index, may_be_journal,
};
use super::names::{INDEX_SUFFIX, JOURNAL_SUFFIX, LOG_SUFFIX, beside};
use super::proof::prove_noted;
use crate::platform::advice::set_time;
use crate::platform::files::FileExt;
use crate::private_file::NameState;
use crate::store::StoreError;

/// Checks the files beside a database. Nobody may have the database open.
///
/// # Errors
/// If the log lacks answered changes, or belongs to another database, or a file is not SQLite's.
pub(super) fn check_log(path: &Path, note: &str) -> Result<(), StoreError> {
    refuse_strangers(path)?;
    match fault(path, note).map_err(io("ler o registro de", path))? {
        Some(Fault::Log(reason)) => Err(StoreError::Log { path: shown(path), suffix: LOG_SUFFIX, reason }),
        Some(Fault::Dated { then, ends }) => match ends.map(|ends| prove_noted(path, ends)) {
            Some(Ok(())) => Ok(()),
            unproven => {
                tracing::debug!(?unproven, "the content of the database file could not be proven");
                Err(StoreError::Dated { path: shown(path), command: set_time(path, then) })
            }
        },
        None => Ok(()),
    }
}

/// Checks that no file of another program has the name of the database's index or journal, because SQLite
/// would overwrite or remove that file. Nobody may have the database open.
///
/// # Errors
/// If such a file exists.
pub(super) fn refuse_strangers(database: &Path) -> Result<(), StoreError> {
    let refuse = |suffix, is_its: fn(&[u8]) -> bool| {
        let path = beside(database, suffix);
        match NameState::at(&path, is_its).map_err(io("ler", &path))? {
            NameState::Free | NameState::Ours => Ok(()),
            NameState::Other(obstacle) => {
                Err(StoreError::InTheWay { path: shown(&path), obstacle: obstacle.to_string() })
            }
        }
    };
    refuse(INDEX_SUFFIX, may_be_index)?;
    refuse(JOURNAL_SUFFIX, may_be_journal)
}

/// A fault of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The log belongs to another database, or is damaged, for this reason.
    Log(&'static str),
    /// The database's time differs from that of its server's last write, which is given in nanoseconds since
    /// 1970. All else that the log can prove is right. The ends are those that the note has, if it has any.
    Dated { then: i128, ends: Option<Ends> },
}

/// The fault of a log that belongs to the former content of the database file.
const OF_ANOTHER: Fault = Fault::Log(
    "não é deste banco de dados, que outro programa regravou ou trocou depois que o servidor o usou",
);

/// The fault of the log of a database, if one is found. `note` is the note that the last server left in the
/// lock file. Nobody may have the database open.
///
/// # Errors
/// If a file cannot be read.
fn fault(database: &Path, note: &str) -> io::Result<Option<Fault>> {
    let log = match File::open(beside(database, LOG_SUFFIX)) {
        Ok(log) => Some(log),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let length = log.as_ref().map_or(Ok(0), |log| log.metadata().map(|found| found.len()))?;
    let is_empty = length <= LOG_HEADER as u64;
    if let Some(log) = log.as_ref().filter(|_| is_empty && length > 0)
        && !Log::may_begin(log)?
    {
        return Ok(Some(Fault::Log("não começa como um registro do SQLite")));
    }
    if !is_empty && !may_have_log(database)? {
        let reason = "é de outro banco de dados; o que está em seu lugar parece uma cópia restaurada";
        return Ok(Some(Fault::Log(reason)));
    }
    let since = if is_empty { None } else { base::since(database, note)? };
    if since == Some(Since::Foreign) {
        return Ok(Some(OF_ANOTHER));
    }
    let log = match log {
        Some(log) if !is_empty => match Log::begin(log)? {
            Some(log) => Some(log),
            None => return Ok(Some(Fault::Log("não começa como um registro do SQLite"))),
        },
        _ => None,
    };
    let Some(index) = Index::read(&beside(database, INDEX_SUFFIX))? else { return Ok(None) };
    // `None` if the index is of an earlier log, as after a power cut.
    let has_frames = match log {
        Some(log) if log.salts != index.salts => None,
        Some(log) => Some(log.has_frames(index.frames)?),
        None => Some(false),
    };
    // A log that has been copied completely is not needed.
    if index.frames > index.copied && has_frames == Some(false) {
        let reason = "foi cortado, trocado ou apagado: faltam nele mudanças que foram confirmadas";
        return Ok(Some(Fault::Log(reason)));
    }
    let log = beside(database, LOG_SUFFIX);
    if has_frames == Some(true) && !has_copied(&File::open(database)?, &log, &index, u32::MAX)? {
        return Ok(Some(OF_ANOTHER));
    }
    Ok(match since {
        Some(Since::Dated { then, ends }) => Some(Fault::Dated { then, ends }),
        _ => None,
    })
}

/// Whether the header of a database says that it has a log. A backup's header does not, so that the log of the
/// database that the backup replaced is not played into it.
fn may_have_log(database: &Path) -> io::Result<bool> {
    let mut versions = [0; 2];
    match File::open(database)?.read_exact_at(&mut versions, VERSIONS_OFFSET) {
        Ok(()) => Ok(versions == WITH_LOG),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::path::PathBuf;

    use rusqlite::Connection;

    use super::*;

    /// A database as a killed process leaves it: some transactions in the log.
    fn killed(folder: &Path) -> PathBuf {
        let (running, path) = (folder.join("vivo.db"), folder.join("loja.db"));
        let database = Connection::open(&running).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.execute_batch("CREATE TABLE t (a); PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        for value in 0..20 {
            database.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
        }
        for suffix in ["", LOG_SUFFIX, INDEX_SUFFIX] {
            fs::copy(beside(&running, suffix), beside(&path, suffix)).unwrap();
        }
        path
    }

    #[test]
    fn a_log_that_lost_committed_changes_is_distinguished_from_one_that_did_not() {
        type Damage = fn(&Path);
        let cases: [(Damage, bool); 9] = [
            (|_| {}, false),
            // Frames after the last commit are no loss.
            (|path| append(path, &[7; 5000]), false),
            (|path| cut(path, 1), true),
            (|path| cut(path, 5000), true),
            (|path| cut(path, u64::MAX), true),
            (|path| fs::remove_file(beside(path, LOG_SUFFIX)).unwrap(), true),
            (|path| overwrite(path, 6000), true),
            (|path| overwrite(path, 0), true),
            // Without both files nothing is lost, as after a restored backup.
            (
                |path| {
                    fs::remove_file(beside(path, LOG_SUFFIX)).unwrap();
                    fs::remove_file(beside(path, INDEX_SUFFIX)).unwrap();
                },
                false,
            ),
        ];
        for (case, (damage, is_found)) in cases.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let path = killed(folder.path());
            damage(&path);
            assert_eq!(fault(&path, "").unwrap().is_some(), is_found, "case {case}");
        }
    }

    #[test]
    fn a_log_is_not_taken_for_that_of_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (killed(folder.path()), folder.path().join("cópia.db"));
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        fs::copy(&other, &path).unwrap();
        let Some(Fault::Log(reason)) = fault(&path, "").unwrap() else { panic!("no fault") };
        assert!(reason.contains("restaurada"));
    }

    fn log(path: &Path) -> File {
        OpenOptions::new().write(true).open(beside(path, LOG_SUFFIX)).unwrap()
    }

    fn append(path: &Path, bytes: &[u8]) {
        let log = log(path);
        log.write_all_at(bytes, log.metadata().unwrap().len()).unwrap();
    }

    fn cut(path: &Path, bytes: u64) {
        let log = log(path);
        log.set_len(log.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
    }

    fn overwrite(path: &Path, at: u64) {
        log(path).write_all_at(b"lixo", at).unwrap();
    }
}
