//! Locks on single bytes of a file. Windows enforces them: what is locked, nobody else reads. The locks here are far
//! behind the end of a file.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::mem;
use std::ops::RangeInclusive;
use std::os::windows::fs::FileExt;
use std::path::Path;

use winsafe::guard::CloseHandleGuard;
use winsafe::{HFILE, co};

use super::files::is_busy;
use super::system_error;

/// One more than the bits of the largest number of bytes that is locked.
const COUNT_BITS: u32 = 49;

/// Locked bytes, as long as this second handle on their file is open.
pub(crate) struct Held(#[expect(dead_code, reason = "held open")] CloseHandleGuard<HFILE>);

/// Locks this many bytes of an open file, by any of its names: the lock is kept with the file itself.
///
/// # Errors
/// If another handle has locked any of them ([`WouldBlock`](ErrorKind::WouldBlock)).
pub(crate) fn lock_bytes(_: &File, path: &Path, first: i64, count: i64) -> io::Result<Held> {
    let handle = open(path)?;
    let lock = handle.LockFile(first.cast_unsigned(), count.cast_unsigned()).map_err(locked_error)?;
    // The lock ends when the handle is closed, and not before.
    mem::forget(lock);
    Ok(Held(handle))
}

/// Unlocks the bytes.
pub(crate) fn unlock(_: &File, held: Option<Held>) {
    drop(held);
}

/// The number of bytes from `first` that another handle has locked, if any. The system does not report it, so the
/// end of the lock is looked for by halves.
pub(crate) fn locked_bytes(_: &File, path: &Path, first: i64) -> io::Result<Option<i64>> {
    let handle = open(path)?;
    let is_locked = |index: i64| match handle.LockFile((first + index).cast_unsigned(), 1) {
        Ok(_) => Ok(false),
        Err(error) => match locked_error(error) {
            error if error.kind() == ErrorKind::WouldBlock => Ok(true),
            error => Err(error),
        },
    };
    if !is_locked(0)? {
        return Ok(None);
    }
    let (mut locked, mut free) = (0, 1 << COUNT_BITS);
    while free - locked > 1 {
        let middle = locked + (free - locked) / 2;
        *(if is_locked(middle)? { &mut locked } else { &mut free }) = middle;
    }
    Ok(Some(free))
}

fn open(path: &Path) -> io::Result<CloseHandleGuard<HFILE>> {
    let path = path.to_str().ok_or(ErrorKind::Unsupported)?;
    let opened = HFILE::CreateFile(
        path,
        co::GENERIC::READ,
        Some(co::FILE_SHARE::READ | co::FILE_SHARE::WRITE | co::FILE_SHARE::DELETE),
        None,
        co::DISPOSITION::OPEN_EXISTING,
        co::FILE_ATTRIBUTE::NORMAL,
        None,
        None,
        None,
    );
    opened.map(|(handle, _)| handle).map_err(system_error)
}

fn locked_error(error: co::ERROR) -> io::Error {
    let error = system_error(error);
    if is_busy(&error) { ErrorKind::WouldBlock.into() } else { error }
}

/// Whether another program has locked this byte, which can then not be read.
pub(crate) fn is_locked(file: &File, byte: i64) -> bool {
    file.seek_read(&mut [0], byte.cast_unsigned()).is_err_and(|error| is_busy(&error))
}

/// The processes that have locked bytes of a file, which the system does not report.
pub(crate) fn holders(_: u64, _: RangeInclusive<u64>) -> Vec<(u32, Option<String>)> {
    Vec::new()
}
