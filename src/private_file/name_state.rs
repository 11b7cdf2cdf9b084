//! Whether a name is free for a file of this program.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::platform::files;

/// Bytes of a file by which its writer is recognised: a database's header, a report's title.
pub const HEAD_BYTES: u64 = 512;

/// The state of a name that a file of this program is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameState {
    /// No file has the name.
    Free,
    /// A file that this program wrote has the name, and may be replaced or removed.
    Ours,
    /// Another file, a folder or a link has the name, and must be kept.
    Other(Obstacle),
}

/// A description of a thing of another program that has a name: `é uma pasta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Obstacle(&'static str);

impl NameState {
    /// Determines the state of a name. `is_ours` gets the first [`HEAD_BYTES`] of the file that has the
    /// name.
    ///
    /// # Errors
    /// If the name or its file cannot be read.
    pub fn at(path: &Path, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<Self> {
        match has_file(path)? {
            Ok(true) => {}
            Ok(false) => return Ok(NameState::Free),
            Err(obstacle) => return Ok(NameState::Other(obstacle)),
        }
        let mut head = Vec::new();
        files::open_no_link(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
        Ok(if is_ours(&head) { NameState::Ours } else { NameState::Other(Obstacle("é outro arquivo")) })
    }

    /// Whether a new file of this name replaces one.
    ///
    /// # Errors
    /// If [`NameState::at`] would fail, or a thing of another program has the name
    /// ([`ErrorKind::AlreadyExists`], which describes it).
    pub fn replaces(path: &Path, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        match Self::at(path, is_ours)? {
            NameState::Free => Ok(false),
            NameState::Ours => Ok(true),
            NameState::Other(obstacle) => Err(io::Error::new(ErrorKind::AlreadyExists, obstacle)),
        }
    }
}

/// Whether an ordinary file has this name; the inner error describes another thing that has it.
pub(super) fn has_file(path: &Path) -> io::Result<Result<bool, Obstacle>> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ok(false)),
        Err(error) => return Err(error),
    };
    Ok(if found.is_file() {
        Ok(true)
    } else if found.is_symlink() {
        Err(Obstacle("é um link simbólico"))
    } else if found.is_dir() {
        Err(Obstacle("é uma pasta"))
    } else {
        Err(Obstacle("não é um arquivo comum"))
    })
}
