//! Private files: only their owner can read them, no symbolic link to them is followed, and a new version of
//! a file gets its name once it is complete and on disk ([`AtomicFile`]). Only this module decides whether a
//! name is free ([`NameState`]): a file of another program is never replaced or removed.

mod atomic_file;
mod identity;
mod name_state;

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub use self::atomic_file::{AtomicFile, lock};
pub use self::identity::{FileStat, Identity, Times};
use self::name_state::has_file;
pub use self::name_state::{HEAD_BYTES, NameState, Obstacle};
use crate::platform::files;

/// The longest silence of a pipe that another program holds open, and the time between two reads. The wait
/// is longer than a person needs to unlock a password manager.
const PIPE_WAIT: Duration = Duration::from_secs(30);
const PIPE_LOOK: Duration = Duration::from_millis(10);

/// Opens a file to read and write, and creates it if there is none.
///
/// # Errors
/// If the file cannot be opened, or the name is that of a symbolic link or of anything else but a file.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    // Checked before the file is opened, because opening a device may have effects.
    has_file(path)?.map_err(io::Error::other)?;
    ordinary(files::open_or_create(path)?)
}

/// Opens a lock file to read and write, and creates it if there is none. The inner result is the file, locked until
/// it is closed, or the file to read if another process has locked it.
///
/// # Errors
/// If [`open_or_create`] would fail.
pub fn open_lock(path: &Path) -> io::Result<Result<File, File>> {
    has_file(path)?.map_err(io::Error::other)?;
    Ok(match files::open_lock(path)? {
        Ok(ours) => Ok(ordinary(ours)?),
        Err(other) => Err(ordinary(other)?),
    })
}

/// Keeps others from locking a lock file until it is closed, without locking it. `None` if it is locked.
///
/// # Errors
/// If there is no lock file, or it cannot be opened.
pub fn share_lock(path: &Path) -> io::Result<Option<File>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("não é um arquivo comum"));
    }
    files::share_lock(path)
}

fn ordinary(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("não é um arquivo comum")) }
}

/// Opens a file, or a link to a file, to read. Never waits for another program, as opening a pipe would.
///
/// # Errors
/// If the file cannot be opened, or the name is that of a folder, a pipe, a socket or a device.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open_kind(path, FileType::is_file, files::open_to_read)
}

/// Opens a file that a person named, or a pipe from a program that keeps secrets, to read.
///
/// # Errors
/// If nothing can be opened, or the name is that of a folder, a socket or a device.
pub fn open_file_or_pipe(path: &Path) -> io::Result<File> {
    open_kind(path, |kind| kind.is_file() || files::is_pipe(kind), files::open_to_read)
}

fn open_kind(
    path: &Path,
    is_wanted: impl Fn(&FileType) -> bool,
    open: fn(&Path) -> io::Result<File>,
) -> io::Result<File> {
    let check = |found: Metadata| match is_wanted(&found.file_type()) {
        true => Ok(()),
        false => Err(io::Error::other("não é um arquivo comum")),
    };
    // Checked before the file is opened, because opening a device may have effects.
    check(fs::metadata(path)?)?;
    let file = open(path)?;
    check(file.metadata()?)?;
    Ok(file)
}

/// Reads a file or pipe that [`open_file_or_pipe`] opened, at most `bytes_max` bytes.
///
/// # Errors
/// If the content cannot be read, no program has a pipe open to write, or a pipe is silent for `PIPE_WAIT`.
pub fn read_file_or_pipe(file: &mut File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let mut limited = file.take(bytes_max);
    let mut last_came = Instant::now();
    let mut length = 0;
    loop {
        match limited.read_to_end(&mut content) {
            Err(error) if files::is_busy(&error) && last_came.elapsed() < PIPE_WAIT => {
                if content.len() > length {
                    (length, last_came) = (content.len(), Instant::now());
                }
                sleep(PIPE_LOOK);
            }
            Ok(_) if content.is_empty() && files::is_pipe(&limited.get_ref().metadata()?.file_type()) => {
                return Err(io::Error::other("é um pipe em que ninguém escreve"));
            }
            read => return read.map(|_| content),
        }
    }
}

/// The path with its folder resolved: absolute and without symbolic links. The last name is not resolved.
///
/// # Errors
/// If the path has no name at its end, or its folder cannot be resolved.
pub fn in_real_folder(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::IsADirectory)?;
    Ok(files::real_path(folder_of(path))?.join(name))
}

/// Whether only the owner of an open file can read or write it, as OpenSSH requires of a key. A pipe, such
/// as one from a password manager, is private, because nobody else reads it.
///
/// # Errors
/// If the system refuses to describe the file.
pub fn is_private(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    Ok(!found.is_file() || files::is_private(&found))
}

/// Opens and locks a file that another process of this program may have left. Only the holder of the lock
/// uses the file.
///
/// # Errors
/// If the file cannot be opened, or another process holds the lock ([`ErrorKind::WouldBlock`]).
pub fn open_locked(path: &Path) -> io::Result<File> {
    let file = open_kind(path, FileType::is_file, files::open_alone)?;
    refuse_renamed(&file, path)?;
    Ok(file)
}

/// Removes a file durably, so that a power cut does not bring it back.
///
/// # Errors
/// If the file cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    files::remove(path)?;
    files::sync_folder(folder_of(path))
}

/// Fails if another file has the name by which a file was opened ([`ErrorKind::WouldBlock`]).
fn refuse_renamed(file: &File, path: &Path) -> io::Result<()> {
    let opened = Identity::of_open(file)?;
    if Identity::of(path).ok() == Some(opened) { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[cfg(unix)]
    pub(super) fn make_pipe(folder: &Path) -> PathBuf {
        let pipe = folder.join("cano");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        pipe
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_do_makes_a_file_less_than_private() {
        use std::os::unix::fs::PermissionsExt;

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

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_refused() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("alheio"), folder.path().join("a"));
        fs::write(&target, "conteúdo").unwrap();
        symlink(&target, &link).unwrap();
        assert!(open_or_create(&link).unwrap_err().to_string().contains("link"));
        let pipe = make_pipe(folder.path());
        open_or_create(&pipe).unwrap_err();
        open_to_read(&pipe).unwrap_err();
        assert_eq!(fs::read_to_string(&target).unwrap(), "conteúdo");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_and_not_waited_for_without_a_writer() {
        use std::fs::OpenOptions;
        use std::io::Write;

        let folder = tempfile::tempdir().unwrap();
        let pipe = make_pipe(folder.path());
        let mut nobody = open_file_or_pipe(&pipe).unwrap();
        assert!(read_file_or_pipe(&mut nobody, 100).unwrap_err().to_string().contains("ninguém"));
        let mut reader = open_file_or_pipe(&pipe).unwrap();
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        writer.write_all(b"seg").unwrap();
        let writing = std::thread::spawn(move || writer.write_all(b"redo").unwrap());
        assert_eq!(read_file_or_pipe(&mut reader, 100).unwrap(), b"segredo");
        writing.join().unwrap();
        open_file_or_pipe(folder.path()).unwrap_err();
    }
}
