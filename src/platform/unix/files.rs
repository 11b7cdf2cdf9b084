//! Files: opened without a wait and without following a link, identified, named, and kept from other users.

use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
pub(crate) use std::os::unix::fs::FileExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::kernel;
pub(crate) use super::kernel::{note, remove_note, set_note, stat};
pub(crate) use super::stat::Stat;
use super::stat::stat_of;

/// The mode of a file that only its owner can read and write.
const PRIVATE: u32 = 0o600;

/// The mode of a created file that others may read, before the umask is applied.
const SHARED: u32 = 0o666;

/// The permissions of a file's group and of all others, in its mode.
const OTHERS: u32 = 0o077;

/// The permissions in a file's mode, without its type.
const PERMISSIONS: u32 = 0o7777;

/// Whether a file can be replaced while a program has it open.
pub(crate) const REPLACES_OPEN: bool = true;

/// Opens a file to read and write, and creates a private one if there is none. Refuses a symbolic link.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE);
    // Opened without blocking, because opening a pipe, which the caller refuses, would wait for its other end.
    let file = options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).open(path);
    file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::ELOOP as i32 => io::Error::other("é um link simbólico"),
        _ => error,
    })
}

/// Opens a lock file, and creates it if there is none. The inner result is the locked file, or the file to read
/// if another process has locked it.
pub(crate) fn open_lock(path: &Path) -> io::Result<Result<File, File>> {
    let file = open_or_create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Ok(file)),
        Err(TryLockError::WouldBlock) => Ok(Err(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Opens a lock file to read, and keeps others from locking it. `None` if another process has locked it.
pub(crate) fn share_lock(path: &Path) -> io::Result<Option<File>> {
    let file = open_to_read(path)?;
    Ok(file.try_lock_shared().is_ok().then_some(file))
}

/// Opens a file to read, without waiting for another program.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

/// Opens a file to read as [`open_to_read`] does, and follows no link.
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Opens a file to read that no other process of this program has open.
///
/// # Errors
/// If another one has it open ([`ErrorKind::WouldBlock`]).
pub(crate) fn open_alone(path: &Path) -> io::Result<File> {
    let file = open_to_read(path)?;
    lock(&file)?;
    Ok(file)
}

/// Creates a file that no other process of this program can open alone. `is_private` if others may never read it.
pub(crate) fn create_alone(path: &Path, is_private: bool) -> io::Result<File> {
    let mode = if is_private { PRIVATE } else { SHARED };
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)?;
    lock(&file)?;
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    Ok(file.try_lock()?)
}

/// Whether the error means that another program has not finished yet.
pub(crate) fn is_busy(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

/// Whether a thing with a name is a pipe.
pub(crate) fn is_pipe(kind: &FileType) -> bool {
    kind.is_fifo()
}

/// Whether only the owner of a file can read or write it.
pub(crate) fn is_private(found: &Metadata) -> bool {
    found.mode() & OTHERS == 0
}

/// Whether a file with a temporary name can be one that [`create_alone`] created.
pub(crate) fn is_unfinished(found: &Metadata) -> bool {
    found.mode() & PERMISSIONS == PRIVATE
}

/// The permissions of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights(u32);

impl Rights {
    /// The permissions that keep a file from all but its owner.
    pub(crate) const PRIVATE: Self = Self(PRIVATE);

    pub(crate) fn of(found: &Metadata) -> Self {
        Self(found.mode() & PERMISSIONS)
    }

    /// Gives a file these permissions.
    pub(crate) fn give(self, file: &File) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(self.0))
    }
}

/// Gives a file the owner and the group of another one.
pub(crate) fn give_owner(file: &File, like: &Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    fchown(file, Some(like.uid()), Some(like.gid()))
}

/// Whether two files have the same owner, of whatever group.
pub(crate) fn have_same_owner(one: &Metadata, other: &Metadata) -> bool {
    one.uid() == other.uid()
}

/// The device, the number and the length of an open file.
pub(crate) fn stat_open(file: &File) -> io::Result<Stat> {
    file.metadata().map(|found| stat_of(&found))
}

/// The device, the number and the length of a file, and the times of the last change of its content and of
/// anything, in nanoseconds since 1970.
pub(crate) fn stat_with_times(path: &Path) -> io::Result<(Stat, i128, i128)> {
    let found = fs::symlink_metadata(path)?;
    let nanoseconds = |seconds, rest| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let written = nanoseconds(found.mtime(), found.mtime_nsec());
    let changed = nanoseconds(found.ctime(), found.ctime_nsec());
    Ok((stat_of(&found), written, changed))
}

/// The path without symbolic links, from the root.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Gives a file another name, and replaces the file that has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Gives a file another name by a link. Unlike a rename, a link never replaces a file that another program has
/// created since the check.
pub(crate) fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        // A file system without links, as on most memory sticks.
        Err(_) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// Gives the file `new` the name `path`, and the file that has this name the name `kept`, which must be free. If
/// the file system can exchange names, `path` is never free in between.
pub(crate) fn replace_keeping(new: &Path, path: &Path, kept: &Path) -> io::Result<()> {
    rename_if_free(new, kept)?;
    let Err(error) = kernel::exchange(kept, path) else { return Ok(()) };
    // The new file has the name `kept` at this point.
    fs::rename(kept, new)?;
    if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) {
        return Err(error);
    }
    // On a file system without links the name is free for a moment.
    fs::hard_link(path, kept).or_else(|_| fs::rename(path, kept))?;
    fs::rename(new, path)
}
