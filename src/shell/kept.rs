//! The files of changes that await their answers. A file is written before its change is sent and removed
//! after the answer, so that a killed shell leaves its changes to the next shell.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::private_file::{self, AtomicFile};

/// Longest file read, in bytes: a sale of the most lines with the longest names, and a path, fit.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The extension of the files' names.
const EXTENSION: &str = "json";

/// A change, and the shop whose stock it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The server's address or its port file, as given to the shell. A change is never sent to another shop.
    pub(super) shop: String,
    /// The line that asks for the change, with its request id.
    pub(super) line: String,
    /// The name of the operation, and the message in `inventory.proto`. Earlier shells kept only lines of the
    /// text protocol.
    #[serde(default)]
    pub(super) change: Option<(String, Vec<u8>)>,
}

/// The file of one change. While the file is locked, its shell is still running.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    _locked: File,
}

impl Kept {
    /// Writes the file of a change to disk.
    pub(super) fn write(folder: &Path, record: &Record) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // Names of this kind sort by time.
        let path = folder.join(Uuid::now_v7().to_string()).with_extension(EXTENSION);
        let made = AtomicFile::begin(&path)?;
        serde_json::to_writer(made.file(), record)?;
        // A lock belongs to the open file, which the clone shares.
        let locked = made.file().try_clone()?;
        made.finish(false)?;
        Ok(Self { path, _locked: locked })
    }

    /// Removes the file, after the change was answered.
    pub(super) fn remove(self) -> io::Result<()> {
        private_file::remove(&self.path)
    }
}

/// The changes that ended shells have left in a folder.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Changes of this shop, oldest first.
    pub(super) changes: Vec<(Record, Kept)>,
    /// The changes of other shops, oldest first, whose files stay.
    pub(super) others: Vec<Record>,
}

/// Takes over the changes that are left for a shop, at most `count_max`.
pub(super) fn take_over(folder: &Path, shop: &str, count_max: usize) -> Left {
    let mut left = Left::default();
    let Ok(entries) = fs::read_dir(folder) else { return left };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if let Some(finished) = finished_name(&path) {
            // The shell of this unfinished file was killed before it sent the change.
            let _ = AtomicFile::remove_leftover(&finished);
            continue;
        }
        let is_ours = path.extension().is_some_and(|extension| extension == EXTENSION);
        if !is_ours || left.changes.len() == count_max {
            continue;
        }
        let Ok(locked) = private_file::open_locked(&path) else { continue };
        let mut content = Vec::new();
        let read = (&locked).take(FILE_BYTES_MAX).read_to_end(&mut content);
        // A file that cannot be read may be from a later version, so it stays.
        match read.map(|_| serde_json::from_slice::<Record>(&content)) {
            Ok(Ok(record)) if record.shop == shop => {
                left.changes.push((record, Kept { path, _locked: locked }));
            }
            Ok(Ok(record)) if left.others.len() < count_max => left.others.push(record),
            _ => {}
        }
    }
    left
}

/// The name that an unfinished file was to get.
fn finished_name(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_prefix('.')?;
    let (stem, _) = name.split_once(&format!(".{EXTENSION}"))?;
    Some(path.with_file_name(format!("{stem}.{EXTENSION}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(shop: &str, line: &str) -> Record {
        Record { shop: shop.to_owned(), line: line.to_owned(), change: None }
    }

    fn lines(left: &Left) -> Vec<&str> {
        left.changes.iter().map(|(record, _)| record.line.as_str()).collect()
    }

    #[test]
    fn what_a_shell_leaves_the_next_of_the_same_shop_takes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("em-duvida");
        let first = Kept::write(&folder, &record("a:1", "3 Caju -1 id=1")).unwrap();
        let second = Kept::write(&folder, &record("a:1", "3 Caju -1 id=2")).unwrap();
        let other = Kept::write(&folder, &record("b:1", "3 Caju -1 id=3")).unwrap();
        // The shell of these changes is still running.
        assert_eq!(lines(&take_over(&folder, "a:1", 9)), [""; 0]);
        drop((first, second, other));
        let left = take_over(&folder, "a:1", 1);
        assert_eq!(lines(&left), ["3 Caju -1 id=1"]);
        assert_eq!(lines(&take_over(&folder, "a:1", 9)), ["3 Caju -1 id=2"]);
        drop(left);
        let left = take_over(&folder, "a:1", 9);
        assert_eq!((lines(&left).len(), &left.others[..]), (2, &[record("b:1", "3 Caju -1 id=3")][..]));
        for (_, kept) in left.changes {
            kept.remove().unwrap();
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_change_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let half = AtomicFile::begin(&folder.path().join("a.json")).unwrap();
        let temporary = half.temporary().to_owned();
        std::mem::forget(half);
        for name in ["b.json", "c.txt"] {
            fs::write(folder.path().join(name), "{").unwrap();
        }
        std::os::unix::fs::symlink("c.txt", folder.path().join("d.json")).unwrap();
        assert!(take_over(folder.path(), "a:1", 9).changes.is_empty());
        // The file is locked by this process, which still runs.
        assert!(temporary.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(take_over(&folder.path().join("nenhuma"), "a:1", 9).changes.is_empty());
    }
}
