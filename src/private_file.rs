//! Files that say what the shop sold, or where it is found: readable by their owner alone,
//! never reached through a symbolic link, and, where they are written anew, under their name
//! only once they are whole and on disk. Whether a name is free for us is decided here and
//! nowhere else: a file that this program did not write is never replaced or removed.

use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, RenameFlags, StatxFlags, makedev, renameat_with, statx};

/// What a created file allows: its owner reads and writes, and nobody else does anything.
const MODE: u32 = 0o600;

/// What a file allows to its group and to all others.
const OTHERS: u32 = 0o077;

/// The mode with which a file that others may read is created, before the umask takes from it.
const MODE_SHARED: u32 = 0o666;

/// The permissions of a file's mode, without its type.
const PERMISSIONS: u32 = 0o7777;

/// Bytes of a file by which its writer is recognised: a database's header, a report's title.
pub const HEAD_BYTES: u64 = 512;

/// The suffix of the name of a file in the making, so that no other program uses that name.
const TEMPORARY_SUFFIX: &str = ".hortifruti-tmp";

/// How long a pipe that another program holds open may say nothing, and how often to look at it. The
/// wait is longer than a password manager needs to be unlocked.
const PIPE_WAIT: Duration = Duration::from_secs(30);
const PIPE_LOOK: Duration = Duration::from_millis(10);

/// Opens a file to read and write, and makes it where there is none.
///
/// # Errors
/// Where it cannot be opened, or is a symbolic link or anything else but a file.
pub fn open(path: &Path) -> io::Result<File> {
    // Checked before it is opened, because opening a device may do something.
    if let Err(Obstacle(what)) = regular(path)? {
        return Err(io::Error::other(what));
    }
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

/// Opens a file, or a link to one, to read. Never waits for another program, as opening a pipe would.
///
/// # Errors
/// If there is none, it cannot be opened, or it is a folder, a pipe, a socket or a device.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open_kind(path, FileType::is_file)
}

/// Opens a file that a person named, or a pipe from a program that keeps secrets, to read.
///
/// # Errors
/// If there is none, it cannot be opened, or it is a folder, a socket or a device.
pub fn open_given(path: &Path) -> io::Result<File> {
    open_kind(path, |kind| kind.is_file() || kind.is_fifo())
}

fn open_kind(path: &Path, is_wanted: impl Fn(&FileType) -> bool) -> io::Result<File> {
    let check = |found: Metadata| match is_wanted(&found.file_type()) {
        true => Ok(()),
        false => Err(io::Error::other("não é um arquivo comum")),
    };
    // Checked before it is opened, because opening a device may do something.
    check(fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    check(file.metadata()?)?;
    Ok(file)
}

/// The content of what [`open_given`] opened, cut after `bytes_max` bytes.
///
/// # Errors
/// If the content cannot be read, or a pipe says nothing: nobody writes to it, or not for too long.
pub fn read_given(file: &mut File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut limited = file.take(bytes_max);
    let mut last_came = Instant::now();
    let mut length = 0;
    loop {
        match limited.read_to_end(&mut content) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && last_came.elapsed() < PIPE_WAIT => {
                if content.len() > length {
                    (length, last_came) = (content.len(), Instant::now());
                }
                sleep(PIPE_LOOK);
            }
            Ok(_) if content.is_empty() && limited.get_ref().metadata()?.file_type().is_fifo() => {
                return Err(io::Error::other("é um cano em que ninguém escreve"));
            }
            read => return read.map(|_| content),
        }
    }
}

/// The state of a name that a file of ours is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has the name.
    Free,
    /// A file that this program wrote has it, and may be replaced or removed.
    Ours,
    /// Anything else has it, and is left alone.
    Other(Obstacle),
}

/// Something that is not ours, in words: `é uma pasta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Obstacle(&'static str);

impl Standing {
    /// Looks at a name. `is_ours` is given the first [`HEAD_BYTES`] of the file that has it.
    ///
    /// # Errors
    /// If the name or its file cannot be read.
    pub fn at(path: &Path, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<Self> {
        match regular(path)? {
            Ok(true) => {}
            Ok(false) => return Ok(Standing::Free),
            Err(obstacle) => return Ok(Standing::Other(obstacle)),
        }
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        let mut head = Vec::new();
        file.take(HEAD_BYTES).read_to_end(&mut head)?;
        Ok(if is_ours(&head) { Standing::Ours } else { Standing::Other(Obstacle("é outro arquivo")) })
    }
}

/// Whether a file has this name, or the obstacle that has it.
fn regular(path: &Path) -> io::Result<Result<bool, Obstacle>> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ok(false)),
        Err(error) => return Err(error),
    };
    Ok(if found.is_file() {
        Ok(true)
    } else if found.is_symlink() {
        Err(Obstacle("é um link simbólico"))
    } else if found.is_dir() {
        Err(Obstacle("é uma pasta"))
    } else {
        Err(Obstacle("não é um arquivo comum"))
    })
}

/// The path of a name in its own folder, however it was written.
///
/// # Errors
/// If the path has no name at its end, or its folder cannot be looked at.
pub fn at_home(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory)?;
    Ok(folder(path).canonicalize()?.join(name))
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
    /// The file's number on its device.
    pub fn inode(&self) -> u64 {
        self.inode
    }

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

    /// The file that has this name now, and when its content was last changed, in nanoseconds since
    /// 1970. For a file that is seldom written, because this asks for the times.
    ///
    /// # Errors
    /// If [`Found::at`] would fail.
    pub fn with_time(path: &Path) -> io::Result<(Self, i128)> {
        let found = fs::symlink_metadata(path)?;
        let changed = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
        let identity = Identity { device: found.dev(), inode: found.ino() };
        Ok((Self { identity, bytes: found.len() }, changed))
    }
}

/// A file in the making, beside the name that it will have. One that is dropped before it is
/// finished is removed, and so is one that a killed process left behind, by the next.
#[derive(Debug)]
pub struct Unfinished {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    /// The permissions that the file will have, if they are not those that it has.
    mode: Option<u32>,
    is_finished: bool,
}

impl Unfinished {
    /// Begins an empty file that will have this name, for its owner alone.
    ///
    /// # Errors
    /// If the file cannot be made, another process is making one for the same name
    /// ([`ErrorKind::WouldBlock`]), or the name that the file has until then is somebody else's.
    pub fn begin(path: &Path) -> io::Result<Self> {
        Self::begin_with(path, MODE)
    }

    /// Begins an empty file that will have this name, for whoever the person's umask lets read it.
    ///
    /// # Errors
    /// If [`Unfinished::begin`] would fail.
    pub fn begin_shared(path: &Path) -> io::Result<Self> {
        Self::begin_with(path, MODE_SHARED)
    }

    fn begin_with(path: &Path, mode: u32) -> io::Result<Self> {
        remove_unfinished(path)?;
        let temporary = temporary(path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(&temporary);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => io::Error::other(format!(
                "{} está no caminho, e não foi este programa que o fez; mude o nome dele",
                temporary.display()
            )),
            _ => error,
        })?;
        lock(&file, &temporary)?;
        let mut made = Self { file, path: path.to_owned(), temporary, mode: None, is_finished: false };
        if mode == MODE_SHARED {
            made.mode = Some(made.file.metadata()?.mode() & PERMISSIONS);
            // This mode marks the file as ours if it is left behind.
            made.set_mode(MODE);
        }
        Ok(made)
    }

    /// Sets the permissions. A file system without any, as on most memory sticks, refuses, and nothing
    /// is lost.
    fn set_mode(&self, mode: u32) {
        let _ = self.file.set_permissions(Permissions::from_mode(mode));
    }

    /// Where it is until it is finished.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable, and gives it its name. Another file that has the name is replaced only
    /// if `replace` says so.
    ///
    /// # Errors
    /// If the file cannot be named, or the name is taken ([`ErrorKind::AlreadyExists`]).
    pub fn finish(self, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        self.name(replace)
    }

    /// Makes the file durable, and gives it its name in one step. The file that had the name gets the
    /// name `kept`, which nothing has yet. The name is never free meanwhile, if the file system can do
    /// so.
    ///
    /// # Errors
    /// If [`Unfinished::finish`] would fail.
    pub fn finish_keeping(mut self, kept: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        let path = std::mem::replace(&mut self.path, kept.to_owned());
        self.link()?;
        self.is_finished = true;
        if let Err(error) = exchange(kept, &path) {
            // So far the new file only has the name that the old one is to get.
            fs::rename(kept, &self.temporary)?;
            self.is_finished = false;
            if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) {
                return Err(error);
            }
            // On a file system without links nothing has the name for a moment.
            fs::hard_link(&path, kept).or_else(|_| fs::rename(&path, kept))?;
            fs::rename(&self.temporary, &path)?;
            self.is_finished = true;
        }
        File::open(folder(&path))?.sync_all()
    }

    /// Makes the file durable, and gives it its name if that is free, or if `is_ours` recognises the
    /// file that has it by its beginning.
    ///
    /// # Errors
    /// If [`Unfinished::finish`] would fail; [`ErrorKind::AlreadyExists`] says what has the name.
    pub fn finish_over(self, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        self.file.sync_all()?;
        // Checked at the last moment, because a rename replaces whatever has the name.
        let replace = match Standing::at(&self.path, is_ours)? {
            Standing::Free => false,
            Standing::Ours => true,
            Standing::Other(obstacle) => return Err(io::Error::new(ErrorKind::AlreadyExists, obstacle)),
        };
        self.name(replace)
    }

    fn name(mut self, replace: bool) -> io::Result<()> {
        if let Some(mode) = self.mode {
            self.set_mode(mode);
        }
        if replace {
            fs::rename(&self.temporary, &self.path)?;
        } else {
            self.link()?;
        }
        self.is_finished = true;
        // Makes the names in the folder durable.
        File::open(folder(&self.path))?.sync_all()
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
/// A file that a person has put under that name, of all names, is left alone.
///
/// # Errors
/// If the file cannot be removed, or its process is still there ([`ErrorKind::WouldBlock`]).
pub fn remove_unfinished(path: &Path) -> io::Result<()> {
    let temporary = temporary(path)?;
    match fs::symlink_metadata(&temporary) {
        Ok(found) if found.is_file() && found.mode() & PERMISSIONS == MODE => {
            let left = open_to_read(&temporary)?;
            lock(&left, &temporary)?;
            fs::remove_file(&temporary)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a file that another process of ours may have left, and locks it: only the holder of the lock
/// works with the file.
///
/// # Errors
/// If the file cannot be opened, or its process is still there ([`ErrorKind::WouldBlock`]).
pub fn take_over(path: &Path) -> io::Result<File> {
    let file = open_to_read(path)?;
    lock(&file, path)?;
    Ok(file)
}

/// Removes a file durably: it does not come back after a power cut.
///
/// # Errors
/// If the file cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    File::open(folder(path))?.sync_all()
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

/// Exchanges the names of two files.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// The name of a file in the making: hidden, and with our suffix.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::IsADirectory)?);
    name.push(TEMPORARY_SUFFIX);
    Ok(path.with_file_name(name))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
        assert_eq!(names(folder.path()), [".a.hortifruti-tmp"]);
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
        // A process that is killed before the end.
        let leave_behind = || {
            let made = Unfinished::begin(&path).unwrap();
            made.file().write_all(b"resto").unwrap();
            fs::hard_link(made.temporary(), folder.path().join("b")).unwrap();
            let temporary = made.temporary().to_owned();
            drop(made);
            fs::rename(folder.path().join("b"), temporary).unwrap();
        };
        leave_behind();
        let made = Unfinished::begin(&path).unwrap();
        made.file().write_all(b"um").unwrap();
        made.finish(false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"um");
        // Killed between the two names of `finish`.
        fs::hard_link(&path, temporary(&path).unwrap()).unwrap();
        drop(Unfinished::begin(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"um");
        leave_behind();
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
        let pipe = make_pipe(folder.path());
        open(&pipe).unwrap_err();
        open_to_read(&pipe).unwrap_err();
        assert_eq!(fs::read_to_string(&target).unwrap(), "conteúdo");
    }

    fn make_pipe(folder: &Path) -> PathBuf {
        let pipe = folder.join("cano");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        pipe
    }

    #[test]
    fn only_what_is_ours_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let is_ours = |head: &[u8]| head.starts_with(b"nosso");
        fs::write(at("alheio"), "importante").unwrap();
        fs::write(at("vazio"), "").unwrap();
        symlink(at("alheio"), at("link")).unwrap();
        symlink(at("nada"), at("link-para-nada")).unwrap();
        fs::create_dir(at("pasta")).unwrap();
        make_pipe(folder.path());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let before = names(folder.path());
        for name in ["alheio", "vazio", "link", "link-para-nada", "pasta", "cano", "socket"] {
            assert!(matches!(Standing::at(&at(name), is_ours).unwrap(), Standing::Other(_)), "{name}");
            let made = Unfinished::begin(&at(name)).unwrap();
            assert_eq!(made.finish_over(is_ours).unwrap_err().kind(), ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(names(folder.path()), before);
        assert_eq!(fs::read_to_string(at("alheio")).unwrap(), "importante");

        assert_eq!(Standing::at(&at("novo"), is_ours).unwrap(), Standing::Free);
        for content in ["nosso 1", "nosso 2"] {
            let made = Unfinished::begin(&at("novo")).unwrap();
            made.file().write_all(content.as_bytes()).unwrap();
            made.finish_over(is_ours).unwrap();
            assert_eq!(fs::read_to_string(at("novo")).unwrap(), content);
            assert_eq!(Standing::at(&at("novo"), is_ours).unwrap(), Standing::Ours);
        }
    }

    #[test]
    fn what_a_person_called_as_a_file_in_the_making_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let temporary = temporary(&path).unwrap();
        fs::write(&temporary, "importante").unwrap();
        fs::set_permissions(&temporary, Permissions::from_mode(0o644)).unwrap();
        remove_unfinished(&path).unwrap();
        assert!(Unfinished::begin(&path).unwrap_err().to_string().contains("a.hortifruti-tmp"));
        assert_eq!(fs::read_to_string(&temporary).unwrap(), "importante");
        fs::remove_file(&temporary).unwrap();
        symlink("alheio", &temporary).unwrap();
        remove_unfinished(&path).unwrap();
        Unfinished::begin(&path).unwrap_err();
        assert!(temporary.is_symlink());
    }

    #[test]
    fn a_shared_file_has_the_mode_that_any_new_file_has() {
        let folder = tempfile::tempdir().unwrap();
        let (path, usual) = (folder.path().join("a"), folder.path().join("b"));
        File::create(&usual).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & PERMISSIONS;
        let made = Unfinished::begin_shared(&path).unwrap();
        assert_eq!(mode(made.temporary()), MODE);
        made.finish(false).unwrap();
        assert_eq!(mode(&path), mode(&usual));
    }

    #[test]
    fn a_pipe_is_read_and_not_waited_for_without_a_writer() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = make_pipe(folder.path());
        let mut nobody = open_given(&pipe).unwrap();
        assert!(read_given(&mut nobody, 100).unwrap_err().to_string().contains("ninguém"));
        let mut reader = open_given(&pipe).unwrap();
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        writer.write_all(b"seg").unwrap();
        let writing = std::thread::spawn(move || writer.write_all(b"redo").unwrap());
        assert_eq!(read_given(&mut reader, 100).unwrap(), b"segredo");
        writing.join().unwrap();
        open_given(folder.path()).unwrap_err();
    }
}
