//! A log that grows because of a long reader. SQLite starts the log from its beginning again only after all
//! of it was copied into the database and nobody reads it. A reader of an older moment prevents both.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::catalog::Shown;
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
    // Without this list the readers are unknown.
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let Ok(index) = Identity::of(index) else { return UNKNOWN.to_owned() };
    let readers = holders(&locks, index.inode()).into_iter().filter(|process| *process != std::process::id());
    let named = readers.map(|process| match fs::read_to_string(format!("/proc/{process}/comm")) {
        Ok(name) => format!("{process} ({})", Shown(name.trim_end())),
        Err(_) => process.to_string(),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { UNKNOWN.to_owned() } else { named.join(", ") }
}

/// The processes that hold a lock for reading, from the system's list of locks (proc_locks(5)), whose
/// lines are like `1: POSIX ADVISORY READ 7 08:01:99 124 124`. The device is not compared, because some
/// file systems report it in two ways.
fn holders(locks: &str, inode: u64) -> BTreeSet<u32> {
    let holder = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, _, process, file, first, last] = fields[..] else { return None };
        let is_index = file.rsplit(':').next()?.parse() == Ok(inode);
        let first: u64 = first.parse().ok()?;
        let last = last.parse().unwrap_or(u64::MAX);
        let is_reader = first <= *READER_BYTES.end() && last >= *READER_BYTES.start();
        // A process in another container has the number 0.
        process.parse().ok().filter(|process| is_index && is_reader && *process > 0)
    };
    locks.lines().filter_map(holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_stands_in_the_list_of_locks() {
        let locks = "\
            1: FLOCK  ADVISORY  WRITE 11 fe:00:99 0 EOF\n\
            2: POSIX  ADVISORY  READ 12 fe:00:99 124 124\n\
            3: POSIX  ADVISORY  READ 12 fe:00:99 128 128\n\
            4: POSIX  ADVISORY  READ 13 fe:00:99 128 128\n\
            5: POSIX  ADVISORY  READ 14 fe:00:98 124 124\n\
            6: POSIX  ADVISORY  READ 15 00:2b:99 123 EOF\n\
            7: POSIX  ADVISORY  WRITE 16 fe:00:99 120 123\n\
            7: -> POSIX  ADVISORY  WRITE 17 fe:00:99 124 124\n\
            8: OFDLCK ADVISORY  READ -1 fe:00:99 124 124\n\
            9: POSIX  ADVISORY  READ 0 fe:00:99 124 124\n\
            10: POSIX  ADVISORY  READ 18 fe:00:99 1073741826 1073742335\n\
            \n\
            what is none\n";
        assert_eq!(holders(locks, 99).into_iter().collect::<Vec<_>>(), [12, 15, 16]);
    }
}
