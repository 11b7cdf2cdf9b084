//! A clock that can be moved under a running program: libfaketime of Debian stands before the system's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Need;

/// The time after which a program has seen that its clock was moved, in seconds.
const SEEN_AFTER_SECONDS: u64 = 1;

/// The time of day of one or more programs.
pub(crate) struct Clock {
    folder: TempDir,
    library: PathBuf,
}

impl Clock {
    /// A clock that is right. `None`, and why is said, if there is no libfaketime.
    pub(crate) fn new() -> Option<Self> {
        let place = format!("/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1", std::env::consts::ARCH);
        let library = PathBuf::from(place);
        if !library.exists() {
            Need::Faketime.skip(format!("{} is not there", library.display()));
            return None;
        }
        sweep();
        let this = Self { folder: tempfile::tempdir().unwrap(), library };
        // The engine runs as another user.
        fs::set_permissions(this.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        this.move_by(0);
        Some(this)
    }

    /// The variables of the environment of a program that has this clock. How fast time passes is as always.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_CACHE_DURATION", SEEN_AFTER_SECONDS.to_string()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// Sets the clock to so many hours after the right time, or before it.
    pub(crate) fn move_by(&self, hours: i32) {
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{hours:+}h\n")).unwrap();
        fs::set_permissions(&next, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(next, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}

/// Removes what the library leaves in memory of processes that were killed: files with their numbers in the name.
fn sweep() {
    let Ok(entries) = fs::read_dir("/dev/shm") else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| {
            name.strip_prefix("faketime_shm_").or_else(|| name.strip_prefix("sem.faketime_sem_"))
        });
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
