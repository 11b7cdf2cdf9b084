//! The identity and the length of a file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The device, the number on the device, and the length of a file.
pub(crate) type Stat = (u64, u64, u64);

pub(super) fn stat_of(found: &Metadata) -> Stat {
    (found.dev(), found.ino(), found.len())
}
