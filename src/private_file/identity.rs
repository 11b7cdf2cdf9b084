//! The identity and the length of the file that has a name.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};

/// The identity of a file, which stays the same if the file is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The number of the file on its device.
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// The identity of the file that has this name now.
    ///
    /// # Errors
    /// If there is no file, or the system refuses to describe it.
    pub fn of(path: &Path) -> io::Result<Self> {
        FileStat::at(path).map(|found| found.identity)
    }

    /// The identity of an open file.
    pub(super) fn of_open(file: &fs::File) -> io::Result<Self> {
        file.metadata().map(|found| Self { device: found.dev(), inode: found.ino() })
    }
}

/// The identity and the length of the file that had a name at one moment.
#[derive(Debug, Clone, Copy)]
pub struct FileStat {
    pub identity: Identity,
    /// The length of the file.
    pub bytes: u64,
}

/// The times of a file, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The time at which the content was last written. Any program can set this time.
    pub written: i128,
    /// The time at which anything of the file was last changed: its content, its times, its permissions, its
    /// names.
    pub changed: i128,
}

impl FileStat {
    /// The file that has this name now.
    ///
    /// Does not read the file's times if the system offers that choice. Since Linux 6.13 the first write
    /// after the times were read stores a new time, which costs one more disk write at the next sync: a
    /// fifth of the time of a small transaction.
    ///
    /// # Errors
    /// If there is no file, or the system refuses to describe it.
    pub fn at(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(found) = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO | StatxFlags::SIZE) {
            let device = makedev(found.stx_dev_major, found.stx_dev_minor);
            return Ok(Self { identity: Identity { device, inode: found.stx_ino }, bytes: found.stx_size });
        }
        let found = fs::symlink_metadata(path)?;
        Ok(Self { identity: Identity { device: found.dev(), inode: found.ino() }, bytes: found.len() })
    }

    /// The file that has this name now, and its times. Reading the times makes later writes slower (see
    /// [`FileStat::at`]), so use this only for files that are seldom written.
    ///
    /// # Errors
    /// If [`FileStat::at`] would fail.
    pub fn with_times(path: &Path) -> io::Result<(Self, Times)> {
        let found = fs::symlink_metadata(path)?;
        let nanoseconds = |seconds, rest| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        let times = Times {
            written: nanoseconds(found.mtime(), found.mtime_nsec()),
            changed: nanoseconds(found.ctime(), found.ctime_nsec()),
        };
        let identity = Identity { device: found.dev(), inode: found.ino() };
        Ok((Self { identity, bytes: found.len() }, times))
    }
}
