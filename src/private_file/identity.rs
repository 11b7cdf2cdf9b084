//! The identity and the length of the file that has a name.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::platform::files::{self, Stat};

/// The identity of a file, which stays the same if the file is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The number of the device.
    pub fn device(&self) -> u64 {
        self.device
    }

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
    ///
    /// # Errors
    /// If the system refuses to describe the file.
    pub fn of_open(file: &File) -> io::Result<Self> {
        files::stat_open(file).map(|found| FileStat::new(found).identity)
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
        files::stat(path).map(Self::new)
    }

    /// The file that has this name now, and its times. Reading the times makes later writes slower (see
    /// [`FileStat::at`]), so use this only for files that are seldom written.
    ///
    /// # Errors
    /// If [`FileStat::at`] would fail.
    pub fn with_times(path: &Path) -> io::Result<(Self, Times)> {
        let (found, written, changed) = files::stat_with_times(path)?;
        Ok((Self::new(found), Times { written, changed }))
    }

    fn new((device, inode, bytes): Stat) -> Self {
        Self { identity: Identity { device, inode }, bytes }
    }
}
