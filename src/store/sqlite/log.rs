//! SQLite's write-ahead log and its index, read as bytes (<https://sqlite.org/walformat.html>).

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of the log's header, and of that of each frame; a frame is a header and a page.
pub(super) const LOG_HEADER: usize = 32;
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

/// The offset at which the header of a database says which programs may write and read it; then the bytes
/// there of a database with a log beside it, and without one
/// (<https://sqlite.org/fileformat.html#file_format_version_numbers>).
pub(super) const VERSIONS_OFFSET: u64 = 18;
pub(super) const WITH_LOG: [u8; 2] = [2, 2];
pub(super) const WITHOUT_LOG: [u8; 2] = [1, 1];

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

/// The content of the index of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    /// Frames in the log up to the last commit.
    pub(super) frames: u32,
    /// Frames that a checkpoint has copied into the database.
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
pub(super) struct Log {
    file: BufReader<File>,
    page: usize,
    pub(super) salts: [u8; 8],
    /// How its checksums read words, and what they have come to.
    read_word: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Log {
    /// Reads the header. `None` if the log does not begin with one.
    pub(super) fn begin(file: File) -> io::Result<Option<Self>> {
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
    pub(super) fn may_begin(log: &File) -> io::Result<bool> {
        let mut head = [0; size_of::<u32>()];
        let length = log.read_at(&mut head, 0)?;
        let magics = [MAGIC, MAGIC | 1].map(u32::to_be_bytes);
        Ok(magics.iter().any(|magic| may_begin_with(&head[..length], magic)))
    }

    /// Whether at least so many frames are whole.
    pub(super) fn has_frames(mut self, count: u32) -> io::Result<bool> {
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
