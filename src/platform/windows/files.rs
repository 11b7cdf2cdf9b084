//! Files: opened without following a link, identified, and named.
//!
//! A file has the rights of its folder: nothing here narrows them. Other programs are kept from an open file by its
//! share mode, which the system enforces and not only this program.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::{FileExt as WindowsFileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Others may read, write, and rename or delete the file while it is open.
const SHARE_READ: u32 = 1;
const SHARE_WRITE: u32 = 2;
const SHARE_DELETE: u32 = 4;

/// Opens a link itself, and not the file behind it.
const OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Opens a folder, too.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;

/// The right to look at a file's properties. A file that is open in any other way permits it.
const READ_ATTRIBUTES: u32 = 0x80;

/// Errors of the system: no access, the file is open in a way that does not fit, a part of it is locked.
const ACCESS_DENIED: i32 = 5;
const SHARING_VIOLATION: i32 = 32;
const LOCK_VIOLATION: i32 = 33;

/// How long a name is tried to be changed while another program has the file open, as virus scanners and readers
/// have for a moment, and the time between two tries.
const BUSY_WAIT: Duration = Duration::from_secs(2);
const BUSY_LOOK: Duration = Duration::from_millis(10);

/// Whether a file can be replaced while a program has it open. Only NTFS can, and only if all programs permit it.
pub(crate) const REPLACES_OPEN: bool = false;

/// The volume, the number on the volume, and the length of a file.
pub(crate) type Stat = (u64, u64, u64);

/// Reads and writes at a place of a file. The file's own place changes, so nobody may depend on it.
pub(crate) trait FileExt {
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize>;
    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;
    fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;
}

impl FileExt for File {
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        self.seek_read(bytes, at)
    }

    fn read_exact_at(&self, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.seek_read(bytes, at)?;
            if length == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            (bytes, at) = (&mut bytes[length..], at + length as u64);
        }
        Ok(())
    }

    fn write_all_at(&self, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.seek_write(bytes, at)?;
            if length == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            (bytes, at) = (&bytes[length..], at + length as u64);
        }
        Ok(())
    }
}

/// Opens a file to read and write, and creates one if there is none. A link is opened itself, which the caller
/// refuses as no ordinary file.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).custom_flags(OPEN_REPARSE_POINT);
    options.open(path)
}

/// Opens a lock file, and creates it if there is none. The lock is the open file itself: others may read it and not
/// open it to write. The inner result is the lock, or the file to read if another process has the lock.
pub(crate) fn open_lock(path: &Path) -> io::Result<Result<File, File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    match options.share_mode(SHARE_READ).custom_flags(OPEN_REPARSE_POINT).open(path) {
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => open_no_link(path).map(Err),
        opened => opened.map(Ok),
    }
}

/// Opens a lock file to read, and keeps others from opening it to write, which locks it. `None` if another process has
/// locked it.
pub(crate) fn share_lock(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().read(true).share_mode(SHARE_READ).open(path) {
        Err(error) if is_busy(&error) => Ok(None),
        opened => opened.map(Some),
    }
}

/// Opens a file to read.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file to read, and follows no link.
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OPEN_REPARSE_POINT).open(path)
}

/// Opens a file to read that nobody else has open. Until it is closed nobody can open it, and it can be renamed or
/// removed.
///
/// # Errors
/// If another program has it open ([`ErrorKind::WouldBlock`]).
pub(crate) fn open_alone(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).share_mode(SHARE_DELETE).open(path);
    opened.map_err(|error| if is_busy(&error) { ErrorKind::WouldBlock.into() } else { error })
}

/// Creates a file that nobody can open alone while it is open. It can be renamed, and SQLite can open it. It has
/// the rights of its folder.
pub(crate) fn create_alone(path: &Path, _: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).share_mode(SHARE_READ | SHARE_WRITE | SHARE_DELETE);
    options.open(path)
}

/// Whether the error means that another program has not finished yet.
pub(crate) fn is_busy(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(SHARING_VIOLATION | LOCK_VIOLATION))
}

/// Whether a thing with a name is a pipe: the pipes of Windows have names of their own kind.
pub(crate) fn is_pipe(_: &FileType) -> bool {
    false
}

/// Whether only the owner of a file can read or write it. Unknown: the rights are those of the folder, and a folder
/// under the user's profile is the user's alone.
pub(crate) fn is_private(_: &Metadata) -> bool {
    true
}

/// Whether a file with a temporary name can be one that [`create_alone`] created.
pub(crate) fn is_unfinished(_: &Metadata) -> bool {
    true
}

/// The rights of a file, which are those of its folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights;

impl Rights {
    pub(crate) const PRIVATE: Self = Self;

    pub(crate) fn of(_: &Metadata) -> Self {
        Self
    }

    pub(crate) fn give(self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Gives a file the owner of another one. Every file has the rights of its folder, so nothing needs to be done.
pub(crate) fn give_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

pub(crate) fn have_same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The volume, the number and the length of a file.
pub(crate) fn stat(path: &Path) -> io::Result<Stat> {
    stat_open(&look_at(path)?)
}

/// The volume, the number and the length of an open file.
pub(crate) fn stat_open(file: &File) -> io::Result<Stat> {
    let found = winapi_util::file::information(file)?;
    Ok((found.volume_serial_number(), found.file_index(), found.file_size()))
}

/// The volume, the number and the length of a file, and the time of the last change of its content, in nanoseconds
/// since 1970, twice: the standard library does not say when anything else changed.
pub(crate) fn stat_with_times(path: &Path) -> io::Result<(Stat, i128, i128)> {
    /// Hundreds of nanoseconds from 1601 to 1970.
    const UNIX_EPOCH: i128 = 116_444_736_000_000_000;
    let file = look_at(path)?;
    let written = (i128::from(file.metadata()?.last_write_time()) - UNIX_EPOCH) * 100;
    Ok((stat_open(&file)?, written, written))
}

/// Opens a file to look at its properties, whoever has it open.
fn look_at(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.access_mode(READ_ATTRIBUTES).custom_flags(OPEN_REPARSE_POINT | BACKUP_SEMANTICS).open(path)
}

/// The path without links, from the letter of the drive, as people know it.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// Makes the names in a folder durable. NTFS writes names to its journal, and a folder cannot be synced.
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    patiently(|| fs::remove_file(path))
}

/// Gives a file another name, and replaces the file that has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// Gives a file another name that no file has. A file that another program creates in the moment after the check
/// would be replaced: a link would not replace it, but the first name of an open file cannot always be removed.
pub(crate) fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => rename(from, to),
        Err(error) => Err(error),
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
    }
}

/// Gives the file `new` the name `path`, and the file that has this name the name `kept`, which must be free. On a
/// file system with links `path` is never free in between.
pub(crate) fn replace_keeping(new: &Path, path: &Path, kept: &Path) -> io::Result<()> {
    fs::hard_link(path, kept).or_else(|_| rename_if_free(path, kept))?;
    rename(new, path)
}

/// Repeats an action for a while if another program has the file open.
fn patiently(action: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match action() {
            Err(error)
                if matches!(error.raw_os_error(), Some(ACCESS_DENIED | SHARING_VIOLATION))
                    && begun.elapsed() < BUSY_WAIT =>
            {
                sleep(BUSY_LOOK);
            }
            done => return done,
        }
    }
}

/// Puts a note on a file. Windows has no place for one that all programs leave alone.
pub(crate) fn set_note(_: &File, _: u64, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn note(_: &File) -> Option<(u64, PathBuf)> {
    None
}

pub(crate) fn remove_note(_: &File) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_and_all_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trava");
        let held = open_lock(&path).unwrap().unwrap();
        held.write_all_at(b"processo 7", 0).unwrap();
        let other = open_lock(&path).unwrap().unwrap_err();
        let mut text = [0; 10];
        other.read_exact_at(&mut text, 0).unwrap();
        assert_eq!(&text, b"processo 7");
        assert!(share_lock(&path).unwrap().is_none());
        assert!(is_busy(&open_alone(&path).map_err(|_| io::Error::from_raw_os_error(33)).unwrap_err()));
        drop((held, other));
        let shared = [(); 2].map(|()| share_lock(&path).unwrap().unwrap());
        assert!(open_lock(&path).unwrap().is_err());
        drop(shared);
        open_lock(&path).unwrap().unwrap();
    }

    #[test]
    fn an_open_file_is_alone_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let made = create_alone(&path, true).unwrap();
        assert_eq!(open_alone(&path).unwrap_err().kind(), ErrorKind::WouldBlock);
        rename_if_free(&path, &other).unwrap();
        // Wine forgets the volume of a renamed file.
        assert_eq!(stat_open(&made).unwrap().1, stat(&other).unwrap().1);
        drop(made);
        let alone = open_alone(&other).unwrap();
        assert!(is_busy(&File::open(&other).unwrap_err()));
        remove(&other).unwrap();
        drop(alone);
        assert!(!other.exists());
    }

    #[test]
    fn a_replaced_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let [new, path, kept] = ["novo", "loja", "antigo"].map(|name| folder.path().join(name));
        fs::write(&new, "2").unwrap();
        fs::write(&path, "1").unwrap();
        replace_keeping(&new, &path, &kept).unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), fs::read_to_string(&kept).unwrap()),
            ("2".into(), "1".into())
        );
        assert!(!new.exists());
        fs::write(&new, "3").unwrap();
        assert_eq!(rename_if_free(&new, &kept).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}
