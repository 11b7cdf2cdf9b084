//! Files that say what the shop sold, or where it is found: readable by their owner alone,
//! never reached through a symbolic link, and, where they are written anew, under their name
//! only once they are whole and on disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};

/// What a created file allows: its owner reads and writes, and nobody else does anything.
const MODE: u32 = 0o600;

/// What a file allows to its group and to all others.
const OTHERS: u32 = 0o077;

/// Opens a file to read and write, and makes it where there is none.
///
/// # Errors
/// Where it cannot be opened, or is a symbolic link or anything else but a file.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(MODE);
    // Not blocking: to open a pipe, which is refused below, would wait for its other end.
    let file = options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::ELOOP as i32 => io::Error::other("é um link simbólico"),
        _ => error,
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("não é um arquivo comum"));
    }
    Ok(file)
}

/// Whether an open file is for its owner alone, as OpenSSH wants a key's to be. What is no file
/// of a folder, such as a pipe from a program that keeps secrets, has no readers but ours.
///
/// # Errors
/// Where it cannot be looked at.
pub fn is_private(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    Ok(!found.is_file() || found.mode() & OTHERS == 0)
}

/// The file that is meant, whatever is done to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// That of the file that has this name now.
    ///
    /// # Errors
    /// Where there is none, or it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        Found::at(path).map(|found| found.identity)
    }
}

/// What has a name at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Which file it is.
    pub identity: Identity,
    /// How long it is.
    pub bytes: u64,
}

impl Found {
    /// What has this name now.
    ///
    /// Its times are not asked for where the system lets us choose: since Linux 6.13, once
    /// they were told, the next write notes a new one, and a file with a new time takes one
    /// more write of the disk to sync, a fifth of the time of a small transaction.
    ///
    /// # Errors
    /// Where there is nothing, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(found) = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO | StatxFlags::SIZE) {
            let device = makedev(found.stx_dev_major, found.stx_dev_minor);
            return Ok(Self { identity: Identity { device, inode: found.stx_ino }, bytes: found.stx_size });
        }
        let found = fs::symlink_metadata(path)?;
        Ok(Self { identity: Identity { device: found.dev(), inode: found.ino() }, bytes: found.len() })
    }
}

/// A file in the making, beside the name that it will have. One that is dropped before it is
/// finished is removed, and so is one that a killed process left behind, by the next.
#[derive(Debug)]
pub struct Unfinished {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    /// Begins an empty file that will have this name.
    ///
    /// # Errors
    /// Where it cannot be made, or another process is making one for the same name
    /// ([`ErrorKind::WouldBlock`]).
    pub fn begin(path: &Path) -> io::Result<Self> {
        remove_unfinished(path)?;
        let temporary = temporary(path);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&temporary)?;
        lock(&file, &temporary)?;
        Ok(Self { file, path: path.to_owned(), temporary, is_finished: false })
    }

    /// Where it is until it is finished.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes it durable, and gives it its name as [`Unfinished::name`] does.
    ///
    /// # Errors
    /// As [`Unfinished::name`].
    pub fn finish(self, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        let path = self.path.clone();
        self.name(replace)?;
        sync_folder(&path)
    }

    /// Gives it its name, which may be another file's only where that is to be replaced.
    /// Where the power goes, it may be lost.
    ///
    /// # Errors
    /// Where it cannot be named, or the name is taken ([`ErrorKind::AlreadyExists`]).
    pub fn name(mut self, replace: bool) -> io::Result<()> {
        if replace {
            fs::rename(&self.temporary, &self.path)?;
        } else {
            self.link()?;
        }
        self.is_finished = true;
        Ok(())
    }

    /// A link never replaces what another program has put there meanwhile, as a rename does.
    fn link(&self) -> io::Result<()> {
        match fs::hard_link(&self.temporary, &self.path) {
            Ok(()) => fs::remove_file(&self.temporary),
            // A file system without links, as on most memory sticks.
            Err(_) if fs::symlink_metadata(&self.path).is_err() => fs::rename(&self.temporary, &self.path),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Removes what a process left behind that was killed while it made the file of this name.
///
/// # Errors
/// Where it cannot be removed, or its process is still there ([`ErrorKind::WouldBlock`]).
pub fn remove_unfinished(path: &Path) -> io::Result<()> {
    let temporary = temporary(path);
    match fs::symlink_metadata(&temporary) {
        Ok(found) if found.is_file() => {
            let left = File::open(&temporary)?;
            lock(&left, &temporary)?;
            fs::remove_file(&temporary)
        }
        // A link is removed, and what it points to left alone.
        Ok(_) => fs::remove_file(&temporary),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whoever holds the lock alone names or removes the file. It may have done so since the
/// file was opened: then it is not the file of that name any more, and left alone.
fn lock(file: &File, temporary: &Path) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        TryLockError::Error(error) => error,
    })?;
    let opened = file.metadata()?;
    let opened = Identity { device: opened.dev(), inode: opened.ino() };
    if Identity::of(temporary).ok() == Some(opened) { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
}

fn temporary(path: &Path) -> PathBuf {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    temporary.into()
}

/// Makes the names in the folder of this file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let made = Unfinished::begin(&path).unwrap();
        made.file().write_all(b"um").unwrap();
        assert_eq!(names(folder.path()), ["a.tmp"]);
        assert_eq!(Unfinished::begin(&path).unwrap_err().kind(), ErrorKind::WouldBlock);
        made.finish(false).unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);

        drop(Unfinished::begin(&path).unwrap());
        let other = Unfinished::begin(&path).unwrap();
        other.file().write_all(b"dois").unwrap();
        assert_eq!(other.finish(false).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"um");
        let other = Unfinished::begin(&path).unwrap();
        other.file().write_all(b"dois").unwrap();
        other.finish(true).unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"dois".to_vec(), 1));
    }

    #[test]
    fn what_was_left_behind_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(temporary(&path), "resto").unwrap();
        let made = Unfinished::begin(&path).unwrap();
        made.file().write_all(b"um").unwrap();
        made.finish(false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"um");
        // Killed between the two names of `finish`.
        fs::hard_link(&path, temporary(&path)).unwrap();
        drop(Unfinished::begin(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"um");
        fs::write(temporary(&path), "resto").unwrap();
        remove_unfinished(&path).unwrap();
        remove_unfinished(&path).unwrap();
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn what_others_may_do_makes_a_file_less_than_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        for (mode, expected) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_private(&File::open(&path).unwrap()).unwrap(), expected, "{mode:o}");
        }
        assert!(is_private(&File::open("/dev/null").unwrap()).unwrap());
    }

    #[test]
    fn links_and_pipes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("alheio"), folder.path().join("a"));
        fs::write(&target, "conteúdo").unwrap();
        symlink(&target, &link).unwrap();
        assert!(open(&link).unwrap_err().to_string().contains("link"));
        symlink(&target, folder.path().join("b.tmp")).unwrap();
        Unfinished::begin(&folder.path().join("b")).unwrap().finish(false).unwrap();
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"");
        let pipe = folder.path().join("cano");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        open(&pipe).unwrap_err();
        assert_eq!(fs::read_to_string(&target).unwrap(), "conteúdo");
    }
}
