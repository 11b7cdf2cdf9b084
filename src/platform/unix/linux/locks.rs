//! Locks on bytes that belong to the open file, and the system's list of all locks.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_UNLCK, F_WRLCK, SEEK_SET, flock};

/// Locks this many bytes.
///
/// # Errors
/// If another open file has locked any of them ([`WouldBlock`](io::ErrorKind::WouldBlock)).
pub(crate) fn lock_bytes(file: &File, first: i64, count: i64) -> io::Result<()> {
    fcntl(file, FcntlArg::F_OFD_SETLK(&range(first, count)))?;
    Ok(())
}

/// Unlocks all bytes that an open file has locked.
pub(crate) fn unlock_bytes(file: &File) {
    let all = flock { l_type: F_UNLCK as _, ..range(0, 0) };
    // A lock that cannot be ended here ends when the file is closed.
    let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&all));
}

/// The number of bytes from `first` that another open file has locked, if any.
pub(crate) fn locked_bytes(file: &File, first: i64) -> io::Result<Option<i64>> {
    let mut found = range(first, 1);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut found))?;
    Ok((i32::from(found.l_type) != F_UNLCK).then_some(found.l_len))
}

/// Whether another process has locked this byte.
pub(crate) fn is_locked(file: &File, byte: i64) -> bool {
    let mut found = range(byte, 1);
    // F_GETLK only asks, and locks nothing.
    fcntl(file, FcntlArg::F_GETLK(&mut found)).is_ok() && i32::from(found.l_type) != F_UNLCK
}

fn range(first: i64, count: i64) -> flock {
    flock { l_type: F_WRLCK as _, l_whence: SEEK_SET as _, l_start: first, l_len: count, l_pid: 0 }
}

/// The processes that have locked any of these bytes of the file with this number, each with its name if the
/// system knows it.
///
/// The file is identified without opening it, because closing it would release the locks of this process.
pub(crate) fn holders(file: u64, bytes: RangeInclusive<u64>) -> Vec<(u32, Option<String>)> {
    // Without this list the holders are unknown.
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let named = listed(&locks, file, &bytes).into_iter().map(|process| {
        let name = fs::read_to_string(format!("/proc/{process}/comm")).ok();
        (process, name.map(|name| name.trim_end().to_owned()))
    });
    named.collect()
}

/// The processes in the system's list of locks (proc_locks(5)), whose lines are like
/// `1: POSIX ADVISORY READ 7 08:01:99 124 124`. The device is not compared, because some file systems report it in
/// two ways.
fn listed(locks: &str, file: u64, bytes: &RangeInclusive<u64>) -> BTreeSet<u32> {
    let holder = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, _, process, locked, first, last] = fields[..] else { return None };
        let is_file = locked.rsplit(':').next()?.parse() == Ok(file);
        let first: u64 = first.parse().ok()?;
        let last = last.parse().unwrap_or(u64::MAX);
        let is_in_range = first <= *bytes.end() && last >= *bytes.start();
        // A process in another container has the number 0.
        process.parse().ok().filter(|process| is_file && is_in_range && *process > 0)
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
        assert_eq!(Vec::from_iter(listed(locks, 99, &(123..=127))), [12, 15, 16]);
    }
}
