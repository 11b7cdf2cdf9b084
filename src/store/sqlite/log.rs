//! Whether SQLite's write-ahead log is as whole as it was known to be.
//!
//! SQLite takes of the log what is whole and silently drops the rest, as it must: after a
//! crash the rest was never committed. A log that was cut, overwritten or removed looks the
//! same to it. But its index (the `-shm` file) outlives a process that is killed, and counts
//! a commit once the log is synced: where the index counts more than the log has, answered
//! changes are gone. The formats: <https://sqlite.org/walformat.html>.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::base::{self, Since};
use super::files::{INDEX_SUFFIX, LOG_SUFFIX, beside};

/// Bytes of the log's header, and of that of each frame; a frame is a header and a page.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Bytes of each of the two copies of the index's header, and of what is checked of it.
const INDEX_HEADER: usize = 48;
const INDEX_CHECKED: usize = 40;

/// The version of the index that this reads, the only one there has been.
const INDEX_VERSION: u32 = 3_007_000;

/// How many frames are compared with the database after they were copied into it, in less than a
/// millisecond: the last ones, which no earlier copy of the database has. There are more of them than a
/// large transaction has. A transaction writes its pages in their order, so an older and shorter copy
/// has its first pages, and not its last.
pub(super) const COMPARED_FRAMES: u32 = 256;

/// The log's magic number; the last bit tells in which order its checksums read words.
const MAGIC: u32 = 0x377f_0682;

/// The beginning of a rollback journal (<https://sqlite.org/fileformat.html#the_rollback_journal>).
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Where the header of a database says which programs may write and read it, and what it
/// says there with and without a log beside it
/// (<https://sqlite.org/fileformat.html#file_format_version_numbers>).
pub(super) const VERSIONS_OFFSET: u64 = 18;
pub(super) const WITH_LOG: [u8; 2] = [2, 2];
pub(super) const WITHOUT_LOG: [u8; 2] = [1, 1];

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The log is not that of this database, or not whole, for this reason.
    Log(&'static str),
    /// The database has another time than when its server wrote it last, which is this, in nanoseconds since
    /// 1970. Nothing else speaks against it, as far as the log knows its content.
    Dated(i128),
}

/// The log belongs to what was in the database file before.
const OF_ANOTHER: Fault = Fault::Log(
    "é do banco de dados que o servidor usava, que outro programa regravou ou trocou depois, e não deste",
);

/// Why the log is not that of this database, or not whole; `None` where nothing is known
/// against it. `note` is what the last server left in the lock file. Nobody may have the database open.
///
/// # Errors
/// Where a file cannot be read.
pub(super) fn fault(database: &Path, note: &str) -> io::Result<Option<Fault>> {
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
        let reason = "é de outro banco de dados, e não deste, que parece uma cópia restaurada";
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
    // `None` if the index, from before a loss of power, is of an earlier log.
    let has_frames = match log {
        Some(log) if log.salts != index.salts => None,
        Some(log) => Some(log.has_frames(index.frames)?),
        None => Some(false),
    };
    // If all of it is in the database itself, the log need not be there.
    if index.frames > index.copied && has_frames == Some(false) {
        let reason = "foi cortado, trocado ou apagado: faltam nele mudanças que foram confirmadas";
        return Ok(Some(Fault::Log(reason)));
    }
    let log = beside(database, LOG_SUFFIX);
    if has_frames == Some(true) && !has_copied(&File::open(database)?, &log, &index, u32::MAX)? {
        return Ok(Some(OF_ANOTHER));
    }
    Ok(match since {
        Some(Since::Dated(then)) => Some(Fault::Dated(then)),
        _ => None,
    })
}

/// A log belongs to a database whose header says so. A backup's does not, so that the log of
/// the database whose place it took is not played into it.
fn may_have_log(database: &Path) -> io::Result<bool> {
    let mut versions = [0; 2];
    match File::open(database)?.read_exact_at(&mut versions, VERSIONS_OFFSET) {
        Ok(()) => Ok(versions == WITH_LOG),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file with this beginning is the index of a log, whole or not.
pub(super) fn may_be_index(head: &[u8]) -> bool {
    may_begin_with(head, &INDEX_VERSION.to_ne_bytes())
}

/// Whether a file with this beginning is a rollback journal of SQLite, whole or not.
pub(super) fn may_be_journal(head: &[u8]) -> bool {
    may_begin_with(head, &JOURNAL_MAGIC)
}

/// Whether a file begins with `magic`, as far as it was written: a loss of power may have left zeros.
fn may_begin_with(head: &[u8], magic: &[u8]) -> bool {
    let length = head.len().min(magic.len());
    let head = &head[..length];
    *head == magic[..length] || head.iter().all(|byte| *byte == 0)
}

/// What the index of the log told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    /// Frames in the log up to the last commit.
    pub(super) frames: u32,
    /// Those that a checkpoint has copied into the database.
    pub(super) copied: u32,
    /// The salts of the log, which change when the log begins again after all of it has been copied.
    pub(super) salts: [u8; 8],
    /// Pages of the database after the last commit.
    pages: u32,
    /// The count of commits, whoever made them.
    pub(super) commits: u32,
}

impl Index {
    /// The index at this path; `None` if there is none, or it is not whole. Nobody in this process may
    /// have the database open, because closing the file again gives up SQLite's locks on it.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Self::of(&file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The index in an open file.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; 2 * INDEX_HEADER + 4];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        // In the order of the machine, unlike the log.
        let word = |at: usize| u32::from_ne_bytes(word(&bytes[at..]));
        let (first, second) = bytes[..2 * INDEX_HEADER].split_at(INDEX_HEADER);
        let sums = checksum(u32::from_ne_bytes, &bytes[..INDEX_CHECKED], (0, 0));
        let is_whole = first == second
            && word(0) == INDEX_VERSION
            && sums == (word(INDEX_CHECKED), word(INDEX_CHECKED + 4));
        if !is_whole {
            return Ok(None);
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[32..40]);
        Ok(Some(Self {
            frames: word(16),
            copied: word(2 * INDEX_HEADER),
            salts,
            pages: word(20),
            commits: word(8),
        }))
    }
}

/// Whether the database has those of the last `compared` copied frames of a log that are the last of their
/// pages. SQLite copies no frame of a page of which the log has a later one.
///
/// # Errors
/// If a file cannot be read.
pub(super) fn has_copied(database: &File, log: &Path, index: &Index, compared: u32) -> io::Result<bool> {
    if index.copied == 0 {
        return Ok(true);
    }
    let log = File::open(log)?;
    let mut header = [0; LOG_HEADER];
    log.read_exact_at(&mut header, 0)?;
    let page_bytes = u32::from_be_bytes(word(&header[8..])) as usize;
    let (mut frame, mut page) = (vec![0; FRAME_HEADER + page_bytes], vec![0; page_bytes]);
    let mut seen = HashSet::new();
    for number in (index.copied.saturating_sub(compared)..index.frames).rev() {
        let at = LOG_HEADER + number as usize * frame.len();
        log.read_exact_at(&mut frame, at as u64)?;
        let place = u32::from_be_bytes(word(&frame));
        // If a page is there several times, the last one counts.
        let is_page = frame[8..16] == index.salts && place > 0 && place <= index.pages;
        if !is_page || !seen.insert(place) || number >= index.copied {
            continue;
        }
        match database.read_exact_at(&mut page, (place as usize - 1) as u64 * page_bytes as u64) {
            Ok(()) if page == frame[FRAME_HEADER..] => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A log that is read from its beginning.
struct Log {
    file: BufReader<File>,
    page: usize,
    salts: [u8; 8],
    /// How its checksums read words, and what they have come to.
    read_word: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Log {
    /// `None` where the header is none.
    fn begin(file: File) -> io::Result<Option<Self>> {
        let mut file = BufReader::new(file);
        let mut header = [0; LOG_HEADER];
        file.read_exact(&mut header)?;
        let field = |at: usize| u32::from_be_bytes(word(&header[at..]));
        let read_word = if field(0) & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
        let sums = checksum(read_word, &header[..24], (0, 0));
        let page = field(8) as usize;
        let is_header = field(0) & !1 == MAGIC
            && sums == (field(24), field(28))
            && page.is_power_of_two()
            && (512..=65_536).contains(&page);
        let mut salts = [0; 8];
        salts.copy_from_slice(&header[16..24]);
        Ok(is_header.then_some(Self { file, page, salts, read_word, sums }))
    }

    /// Whether a log too short for a header may be the beginning of one, and not another file.
    fn may_begin(log: &File) -> io::Result<bool> {
        let mut head = [0; size_of::<u32>()];
        let length = log.read_at(&mut head, 0)?;
        let magics = [MAGIC, MAGIC | 1].map(u32::to_be_bytes);
        Ok(magics.iter().any(|magic| may_begin_with(&head[..length], magic)))
    }

    /// Whether at least so many frames are whole.
    fn has_frames(mut self, count: u32) -> io::Result<bool> {
        let mut frame = vec![0; FRAME_HEADER + self.page];
        for _ in 0..count {
            match self.file.read_exact(&mut frame) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(error),
            }
            let field = |at: usize| u32::from_be_bytes(word(&frame[at..]));
            self.sums = checksum(self.read_word, &frame[..8], self.sums);
            self.sums = checksum(self.read_word, &frame[FRAME_HEADER..], self.sums);
            if frame[8..16] != self.salts || self.sums != (field(16), field(20)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The first four of these bytes.
fn word(bytes: &[u8]) -> [u8; 4] {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[..4]);
    word
}

/// SQLite's checksum of whole pairs of words.
fn checksum(read_word: fn([u8; 4]) -> u32, bytes: &[u8], before: (u32, u32)) -> (u32, u32) {
    bytes.chunks_exact(8).fold(before, |(first, second), pair| {
        let first = first.wrapping_add(read_word(word(pair))).wrapping_add(second);
        let second = second.wrapping_add(read_word(word(&pair[4..]))).wrapping_add(first);
        (first, second)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use rusqlite::Connection;

    use std::path::PathBuf;

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
    fn a_log_that_lost_committed_changes_is_told_from_one_that_did_not() {
        type Damage = fn(&Path);
        let cases: [(Damage, bool); 9] = [
            (|_| {}, false),
            // What a crash leaves behind the last commit is no loss.
            (|path| append(path, &[7; 5000]), false),
            (|path| cut(path, 1), true),
            (|path| cut(path, 5000), true),
            (|path| cut(path, u64::MAX), true),
            (|path| fs::remove_file(beside(path, LOG_SUFFIX)).unwrap(), true),
            (|path| overwrite(path, 6000), true),
            (|path| overwrite(path, 0), true),
            // Whoever removes both knows what he does: so a backup is restored.
            (
                |path| {
                    fs::remove_file(beside(path, LOG_SUFFIX)).unwrap();
                    fs::remove_file(beside(path, INDEX_SUFFIX)).unwrap();
                },
                false,
            ),
        ];
        for (case, (damage, is_told)) in cases.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let path = killed(folder.path());
            damage(&path);
            assert_eq!(fault(&path, "").unwrap().is_some(), is_told, "case {case}");
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
