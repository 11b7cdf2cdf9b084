//! Locks on single bytes of a file.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::os::windows::fs::FileExt;

use super::files::is_busy;

/// Locks bytes of a file: not here, so a database is locked by its name alone, by its lock file.
pub(crate) fn lock_bytes(_: &File, _: i64, _: i64) -> io::Result<()> {
    Ok(())
}

pub(crate) fn locked_bytes(_: &File, _: i64) -> io::Result<Option<i64>> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether another program has locked this byte, which can then not be read.
pub(crate) fn is_locked(file: &File, byte: i64) -> bool {
    file.seek_read(&mut [0], byte.cast_unsigned()).is_err_and(|error| is_busy(&error))
}

/// The processes that have locked bytes of a file, which the system does not report.
pub(crate) fn holders(_: u64, _: RangeInclusive<u64>) -> Vec<(u32, Option<String>)> {
    Vec::new()
}
