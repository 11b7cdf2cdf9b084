//! Locks on single bytes of a file, which belong to the open file and not to the process.

use std::fs::File;
use std::io;
use std::path::Path;

use super::kernel;
pub(crate) use super::kernel::{holders, is_locked};

/// Locked bytes, as long as their file is open.
#[derive(Debug)]
pub(crate) struct Held;

/// Locks this many bytes of an open file, whose path is not needed here.
///
/// # Errors
/// If another open file has locked any of them ([`WouldBlock`](io::ErrorKind::WouldBlock)).
pub(crate) fn lock_bytes(file: &File, _: &Path, first: i64, count: i64) -> io::Result<Held> {
    kernel::lock_bytes(file, first, count).map(|()| Held)
}

/// Unlocks all bytes that an open file has locked, whoever else has the same open file.
pub(crate) fn unlock(file: &File, held: Option<Held>) {
    if held.is_some() {
        kernel::unlock_bytes(file);
    }
}

/// The number of bytes from `first` that another open file has locked, if any.
pub(crate) fn locked_bytes(file: &File, _: &Path, first: i64) -> io::Result<Option<i64>> {
    kernel::locked_bytes(file, first)
}
