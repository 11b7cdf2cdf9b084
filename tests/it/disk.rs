//! File systems of the tests' own, and one whose power can be cut. To mount them takes root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Need, run, try_run};

/// Room for the file system, in bytes.
const IMAGE_BYTES: u64 = 48 * 1024 * 1024;

/// Cuts the file system off: `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const CUT_OFF: &str = "import fcntl, os, struct, sys, time
root = os.open(sys.argv[1], os.O_RDONLY)
print(time.time_ns(), flush=True)
fcntl.ioctl(root, 0x8004587d, struct.pack('I', 2))";

/// Mounts, or says why not.
pub(crate) fn mount(args: &[&str], folder: &Path) -> bool {
    let mounted = try_run(Command::new("mount").args(args).arg(folder));
    let is_mounted = mounted.as_ref().is_ok_and(|ended| ended.code == 0);
    if !is_mounted {
        Need::Mount.skip(format!("nothing can be mounted here, which takes root ({mounted:?})"));
    }
    is_mounted
}

/// Takes away what is mounted, also if it is in use, and if it is gone already.
pub(crate) fn unmount(folder: &Path) {
    let _ = try_run(Command::new("umount").arg("--lazy").arg(folder));
}

/// A file system on a loop device.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, and why is said, if there may be none.
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = fs::File::create(folder.path().join("disk.img")).unwrap();
        image.set_len(IMAGE_BYTES).unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let this = Self { folder };
        let made = try_run(Command::new("mkfs.ext4").arg("-qF").arg(this.image()));
        if !made.as_ref().is_ok_and(|ended| ended.code == 0) {
            Need::Mount.skip(format!("no file system can be made ({made:?})"));
            return None;
        }
        this.mount().then_some(this)
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Whether the image is left where it is when this goes.
    pub(crate) fn keep(&mut self, is_kept: bool) {
        self.folder.disable_cleanup(is_kept);
    }

    fn mount(&self) -> bool {
        mount(&["-o", "loop", self.image().to_str().unwrap()], &self.path())
    }

    /// Returns when it began, in nanoseconds since 1970.
    pub(crate) fn cut(&self) -> u128 {
        let cut = run(Command::new("python3").args(["-c", CUT_OFF]).arg(self.path()), "");
        assert_eq!(cut.code, 0, "{cut:?}");
        cut.out.trim().parse().unwrap()
    }

    /// What is not on the disk is gone after this.
    pub(crate) fn mount_again(&self) {
        let unmounted = run(Command::new("umount").arg(self.path()), "");
        assert_eq!(unmounted.code, 0, "{unmounted:?}");
        assert!(self.mount());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.path());
    }
}
