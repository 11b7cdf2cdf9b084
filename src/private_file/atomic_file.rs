//! A file that gets its name only once it is complete and on disk.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{NameState, folder_of, open_locked, refuse_renamed};
use crate::platform::files::{self, Rights};

/// The suffix of the temporary name, which no other program uses.
const TEMPORARY_SUFFIX: &str = ".hortifruti-tmp";

/// A file that is being written under a temporary name, beside its final name. A file that is dropped before
/// it is finished is removed. If the process is killed, the next process removes the file.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    path: PathBuf,
    temporary: PathBuf,
    /// The final permissions of the file, if they differ from the present ones.
    rights: Option<Rights>,
    is_finished: bool,
}

impl AtomicFile {
    /// Creates an empty file, which only its owner can read, to take this name later.
    ///
    /// # Errors
    /// If the file cannot be created, another process writes one for the same name
    /// ([`ErrorKind::WouldBlock`]), or the temporary name belongs to a file of another program.
    pub fn begin(path: &Path) -> io::Result<Self> {
        Self::begin_with(path, true)
    }

    /// Creates an empty file to take this name later, with the permissions that the umask gives to any
    /// new file.
    ///
    /// # Errors
    /// If [`AtomicFile::begin`] would fail.
    pub fn begin_shared(path: &Path) -> io::Result<Self> {
        Self::begin_with(path, false)
    }

    /// Creates an empty file to take the name of `other` later, with the owner and the permissions of
    /// `other`.
    ///
    /// # Errors
    /// If [`AtomicFile::begin`] would fail, or the owner may not be set.
    pub fn begin_like(path: &Path, other: &File) -> io::Result<Self> {
        let mut made = Self::begin(path)?;
        let wanted = other.metadata()?;
        files::give_owner(&made.file, &wanted)?;
        made.rights = Some(Rights::of(&wanted));
        Ok(made)
    }

    fn begin_with(path: &Path, is_private: bool) -> io::Result<Self> {
        Self::remove_leftover(path)?;
        let temporary = temporary(path)?;
        let file = files::create_alone(&temporary, is_private).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => io::Error::other(format!(
                "{} já existe e não é deste programa; mude o nome dele",
                temporary.display()
            )),
            _ => error,
        })?;
        refuse_renamed(&file, &temporary)?;
        let mut made = Self { file, path: path.to_owned(), temporary, rights: None, is_finished: false };
        if !is_private {
            made.rights = Some(Rights::of(&made.file.metadata()?));
            // With these permissions the file is known as this program's if it is left behind.
            made.give(Rights::PRIVATE);
        }
        Ok(made)
    }

    /// Sets the permissions. An error is ignored: file systems without permissions, as on most memory
    /// sticks, refuse.
    fn give(&self, rights: Rights) {
        let _ = rights.give(&self.file);
    }

    /// The temporary path, which the file has until it is finished.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable, and gives it its name. Replaces another file of that name only if `replace`
    /// is set.
    ///
    /// # Errors
    /// If the file cannot be named, or the name is taken ([`ErrorKind::AlreadyExists`]).
    pub fn finish(self, replace: bool) -> io::Result<()> {
        self.file.sync_all()?;
        self.name(replace)
    }

    /// Makes the file durable, and gives it the name of `old`, which is open and locked. The lock is held to the end
    /// if the system replaces open files.
    ///
    /// # Errors
    /// If the file cannot be named.
    pub fn finish_instead_of(self, old: File) -> io::Result<()> {
        let old = Some(old).filter(|_| files::REPLACES_OPEN);
        let named = self.finish(true);
        drop(old);
        named
    }

    /// Makes the file durable, and exchanges it with the file that has the name now, which gets the name
    /// `kept`. `kept` must be free. If the file system can exchange names, the name is never free in
    /// between.
    ///
    /// # Errors
    /// If [`AtomicFile::finish`] would fail.
    pub fn finish_keeping(mut self, kept: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        files::replace_keeping(&self.temporary, &self.path, kept)?;
        self.is_finished = true;
        files::sync_folder(folder_of(&self.path))
    }

    /// Writes a file that others may read, and [gives it its name](AtomicFile::finish_over).
    ///
    /// # Errors
    /// If [`AtomicFile::begin_shared`] or [`AtomicFile::finish_over`] would fail, or the content cannot be written.
    pub fn write_shared(path: &Path, content: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        let made = Self::begin_shared(path)?;
        made.file().write_all(content)?;
        made.finish_over(is_ours)
    }

    /// Makes the file durable, and gives it its name if the name is free, or if `is_ours` recognises the
    /// first [`HEAD_BYTES`](super::HEAD_BYTES) of the file that has it.
    ///
    /// # Errors
    /// If [`AtomicFile::finish`] would fail. An error [`ErrorKind::AlreadyExists`] describes the file that
    /// has the name.
    pub fn finish_over(self, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        self.file.sync_all()?;
        // Checked at the last moment, because a rename replaces whatever has the name.
        let replace = NameState::replaces(&self.path, is_ours)?;
        self.name(replace)
    }

    fn name(mut self, replace: bool) -> io::Result<()> {
        if let Some(rights) = self.rights {
            self.give(rights);
        }
        if replace {
            files::rename(&self.temporary, &self.path)?;
        } else {
            files::rename_if_free(&self.temporary, &self.path)?;
        }
        self.is_finished = true;
        files::sync_folder(folder_of(&self.path))
    }

    /// Removes the temporary file of a process that was killed while it wrote the file of this name. A file
    /// that a person has put under the temporary name is kept.
    ///
    /// # Errors
    /// If the file cannot be removed, or its process still runs ([`ErrorKind::WouldBlock`]).
    pub fn remove_leftover(path: &Path) -> io::Result<()> {
        let temporary = temporary(path)?;
        match fs::symlink_metadata(&temporary) {
            Ok(found) if found.is_file() && files::is_unfinished(&found) => {
                match open_locked(&temporary) {
                    Ok(_left) => files::remove(&temporary),
                    // The process finished it in between.
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = files::remove(&self.temporary);
        }
    }
}

/// Locks a file. Only the holder of the lock renames, replaces or removes the file.
///
/// # Errors
/// If another process holds the lock, replaces the file, or has renamed or removed it since it was opened
/// ([`ErrorKind::WouldBlock`]).
pub fn lock(file: &File, path: &Path) -> io::Result<()> {
    file.try_lock()?;
    // A system that replaces no open files has the old one unlocked while the new one, which was begun under the
    // lock, takes its name. First the new one is looked for, and then the name.
    AtomicFile::remove_leftover(path)?;
    refuse_renamed(file, path)
}

/// The temporary name of a file: hidden, and with [`TEMPORARY_SUFFIX`].
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::IsADirectory)?);
    name.push(TEMPORARY_SUFFIX);
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::private_file::is_private;
    use crate::private_file::tests::names;

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let made = AtomicFile::begin(&path).unwrap();
        made.file().write_all(b"um").unwrap();
        assert_eq!(names(folder.path()), [".a.hortifruti-tmp"]);
        assert_eq!(AtomicFile::begin(&path).unwrap_err().kind(), ErrorKind::WouldBlock);
        made.finish(false).unwrap();
        assert_eq!(names(folder.path()), ["a"]);
        assert!(is_private(&File::open(&path).unwrap()).unwrap());

        drop(AtomicFile::begin(&path).unwrap());
        let other = AtomicFile::begin(&path).unwrap();
        other.file().write_all(b"dois").unwrap();
        assert_eq!(other.finish(false).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"um");
        let other = AtomicFile::begin(&path).unwrap();
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
            let made = AtomicFile::begin(&path).unwrap();
            made.file().write_all(b"resto").unwrap();
            fs::hard_link(made.temporary(), folder.path().join("b")).unwrap();
            let temporary = made.temporary().to_owned();
            drop(made);
            fs::rename(folder.path().join("b"), temporary).unwrap();
        };
        leave_behind();
        let made = AtomicFile::begin(&path).unwrap();
        made.file().write_all(b"um").unwrap();
        made.finish(false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"um");
        // Killed between the two names of `finish`.
        fs::hard_link(&path, temporary(&path).unwrap()).unwrap();
        drop(AtomicFile::begin(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"um");
        leave_behind();
        AtomicFile::remove_leftover(&path).unwrap();
        AtomicFile::remove_leftover(&path).unwrap();
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_what_is_ours_is_replaced() {
        use std::os::unix::fs::symlink;

        use crate::private_file::tests::make_pipe;

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
            assert!(matches!(NameState::at(&at(name), is_ours).unwrap(), NameState::Other(_)), "{name}");
            let made = AtomicFile::begin(&at(name)).unwrap();
            assert_eq!(made.finish_over(is_ours).unwrap_err().kind(), ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(names(folder.path()), before);
        assert_eq!(fs::read_to_string(at("alheio")).unwrap(), "importante");

        assert_eq!(NameState::at(&at("novo"), is_ours).unwrap(), NameState::Free);
        for content in ["nosso 1", "nosso 2"] {
            let made = AtomicFile::begin(&at("novo")).unwrap();
            made.file().write_all(content.as_bytes()).unwrap();
            made.finish_over(is_ours).unwrap();
            assert_eq!(fs::read_to_string(at("novo")).unwrap(), content);
            assert_eq!(NameState::at(&at("novo"), is_ours).unwrap(), NameState::Ours);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_a_person_gave_the_temporary_name_is_left_alone() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let temporary = temporary(&path).unwrap();
        fs::write(&temporary, "importante").unwrap();
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o644)).unwrap();
        AtomicFile::remove_leftover(&path).unwrap();
        assert!(AtomicFile::begin(&path).unwrap_err().to_string().contains("a.hortifruti-tmp"));
        assert_eq!(fs::read_to_string(&temporary).unwrap(), "importante");
        fs::remove_file(&temporary).unwrap();
        symlink("alheio", &temporary).unwrap();
        AtomicFile::remove_leftover(&path).unwrap();
        AtomicFile::begin(&path).unwrap_err();
        assert!(temporary.is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_shared_file_has_the_mode_that_any_new_file_has() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (path, usual) = (folder.path().join("a"), folder.path().join("b"));
        File::create(&usual).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let made = AtomicFile::begin_shared(&path).unwrap();
        assert_eq!(mode(made.temporary()), 0o600);
        made.finish(false).unwrap();
        assert_eq!(mode(&path), mode(&usual));
    }
}
