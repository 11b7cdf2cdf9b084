//! SQLite's write-ahead log and its index, read as bytes (<https://sqlite.org/walformat.html>).

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::platform::files::FileExt;

/// Bytes of the log's header, and of each frame's header. A frame is a header and a page.
pub(super) const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Bytes of each of the two copies of the index's header, and of the part with a checksum.
const INDEX_HEADER: usize = 48;
const INDEX_CHECKED: usize = 40;

/// The only version of the index so far.
const INDEX_VERSION: u32 = 3_007_000;

/// Last frames of the log that are compared with the database after a checkpoint, in less than a
/// millisecond. An older copy of the database lacks the last frames; since a transaction writes its pages in
/// ascending order, a shorter copy may still have its first pages. So many frames exceed a large
/// transaction.
pub(super) const COMPARED_FRAMES: u32 = 256;

/// The log's magic number; its last bit gives the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;

/// The beginning of a rollback journal (<https://sqlite.org/fileformat.html#the_rollback_journal>).
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// The offset of the two version bytes in the header of a database, and their values for a database with a
/// log and for one without (<https://sqlite.org/fileformat.html#file_format_version_numbers>).
pub(super) const VERSIONS_OFFSET: u64 = 18;
pub(super) const WITH_LOG: [u8; 2] = [2, 2];
pub(super) const WITHOUT_LOG: [u8; 2] = [1, 1];

/// Whether a file with this beginning can be the index of a log, complete or not.
pub(super) fn may_be_index(head: &[u8]) -> bool {
    may_begin_with(head, &INDEX_VERSION.to_ne_bytes())
}

/// Whether a file with this beginning can be a rollback journal of SQLite, complete or not.
pub(super) fn may_be_journal(head: &[u8]) -> bool {
    may_begin_with(head, &JOURNAL_MAGIC)
}

/// Whether a file begins with `magic`, or is too short, or has only zeros there, as after a power cut.
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
    /// The index at this path; `None` if there is none, or its header is damaged. Nobody in this process may
    /// have the database open, because closing the index releases SQLite's locks on it.
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
        // The index has the machine's byte order, unlike the log.
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

/// Whether the database has the pages of the last `compared` copied frames of a log. Only the last frame of
/// each page counts, because SQLite copies no other.
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
        // Frames are visited from the last, so the first one seen of a page is its last.
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
    /// The byte order of the checksums, and the sums of everything read so far.
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

    /// Whether a file too short for a log's header can be the beginning of a log, and not another file.
    pub(super) fn may_begin(log: &File) -> io::Result<bool> {
        let mut head = [0; size_of::<u32>()];
        let length = log.read_at(&mut head, 0)?;
        let magics = [MAGIC, MAGIC | 1].map(u32::to_be_bytes);
        Ok(magics.iter().any(|magic| may_begin_with(&head[..length], magic)))
    }

    /// Whether the first `count` frames are complete and valid.
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
