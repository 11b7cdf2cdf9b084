//! A log that grows because of a long reader. SQLite starts the log from its beginning again only after all
//! of it was copied into the database and nobody reads it. A reader of an older moment prevents both.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::catalog::Shown;
use crate::platform::locks;
use crate::private_file::Identity;

/// Length to which a log is cut once its end is not needed, in bytes: twice the usual length without
/// readers, so that the log is not cut and extended all the time.
pub(super) const KEPT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Length above which the server logs which readers make the log grow, in bytes: far longer than with short
/// readers, and far shorter than a disk.
pub(super) const WARNED_BYTES: u64 = 64 * 1024 * 1024;

/// The bytes of the index that SQLite locks for readers
/// (<https://sqlite.org/walformat.html#how_locks_are_used>).
const READER_BYTES: RangeInclusive<u64> = 123..=127;

/// The word for readers that the system does not list.
const UNKNOWN: &str = "unknown";

/// The processes that read the database now, such as `7 (sqlite3)`; `unknown` if the system does not list
/// them, for example because they run in another container.
///
/// The index is identified without opening it, because closing it would release SQLite's locks.
pub(super) fn readers(index: &Path) -> String {
    let Ok(index) = Identity::of(index) else { return UNKNOWN.to_owned() };
    let readers = locks::holders(index.inode(), READER_BYTES).into_iter();
    let named = readers.filter(|(process, _)| *process != std::process::id()).map(|(process, name)| {
        name.map_or_else(|| process.to_string(), |name| format!("{process} ({})", Shown(&name)))
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { UNKNOWN.to_owned() } else { named.join(", ") }
}
