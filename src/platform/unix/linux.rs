//! The means of Linux.

mod listener;
mod locks;
mod processes;
mod timer;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rustix::fs::{AtFlags, CWD, RenameFlags, StatxFlags, XattrFlags, makedev, renameat_with, statx};
use socket2::SockRef;

use super::stat::{Stat, stat_of};
pub(crate) use listener::listener;
pub(crate) use locks::{holders, is_locked, lock_bytes, locked_bytes, unlock_bytes};
pub(crate) use processes::{cpu_seconds, processor, release, usage};
pub(crate) use timer::Timer;

/// The file that identifies this start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The extended attribute that holds the note on a file: a number, a space, and a path.
const NOTE: &str = "user.hortifruti.database";

/// Longest note, in bytes: a number and the longest path of Linux (`PATH_MAX`).
const NOTE_BYTES_MAX: usize = 4096 + 32;

/// The device, the number and the length of a file, without reading its times. Since Linux 6.13 the first write
/// after the times were read stores a new time, which costs one more disk write at the next sync: a fifth of the
/// time of a small transaction.
pub(crate) fn stat(path: &Path) -> io::Result<Stat> {
    match statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO | StatxFlags::SIZE) {
        Ok(found) => Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino, found.stx_size)),
        // A kernel without the call.
        Err(_) => fs::symlink_metadata(path).map(|found| stat_of(&found)),
    }
}

/// Exchanges the names of two files.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Puts a note on a file, which the file has under all its names.
///
/// # Errors
/// If the file system has no extended attributes.
pub(crate) fn set_note(file: &File, number: u64, path: &Path) -> io::Result<()> {
    let mut note = format!("{number} ").into_bytes();
    note.extend_from_slice(path.as_os_str().as_bytes());
    Ok(rustix::fs::fsetxattr(file, NOTE, &note, XattrFlags::empty())?)
}

/// The note on a file.
pub(crate) fn note(file: &File) -> Option<(u64, PathBuf)> {
    let mut note = vec![0; NOTE_BYTES_MAX];
    let length = rustix::fs::fgetxattr(file, NOTE, &mut note).ok()?;
    note.truncate(length);
    let space = note.iter().position(|byte| *byte == b' ')?;
    let number = str::from_utf8(&note[..space]).ok()?.parse().ok()?;
    Some((number, OsString::from_vec(note[space + 1..].to_vec()).into()))
}

/// Removes the note on a file.
pub(crate) fn remove_note(file: &File) {
    let _ = rustix::fs::fremovexattr(file, NOTE);
}

/// The identity of this start of the machine.
pub(crate) fn boot_id() -> Option<String> {
    fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned())
}

/// The time since the machine started, its sleep included. `Instant` leaves the sleep out on Linux,
/// so that the clock of a laptop that is closed over the weekend would seem to jump.
pub(crate) fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// Ends a connection whose peer acknowledges nothing for this time.
pub(crate) fn limit_unsent(socket: &SockRef<'_>, limit: Duration) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(limit))
}

/// Acknowledges the received bytes now, which Linux delays for 40 ms. An error costs no more than this delay.
pub(crate) fn acknowledge_now(socket: &SockRef<'_>) {
    let _ = socket.set_tcp_quickack(true);
}
