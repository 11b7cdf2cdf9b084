//! The power goes: an ext4 file system on a loop device is cut off from its disk under a
//! server that takes changes (`EXT4_IOC_SHUTDOWN`, without flushing its journal), and mounted
//! again. What was synced is there, and nothing else need be.
//!
//! It takes root, a loop device, mkfs.ext4 and python3. `HORTIFRUTI_FAULTS=all` makes it a
//! hundred cuts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::faults::mount;
use crate::support::{Connection, Server, hortifruti, run};

/// Cuts where not all are taken, and where they are.
const CUTS: usize = 4;
const CUTS_ALL: usize = 100;

/// Room for the file system, in bytes.
const IMAGE_BYTES: u64 = 48 * 1024 * 1024;

/// Clients that change the stock until the power goes.
const CLIENTS: usize = 4;

/// Cuts the file system off: `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const CUT_OFF: &str = "import fcntl, os, struct, sys, time
root = os.open(sys.argv[1], os.O_RDONLY)
print(time.time_ns(), flush=True)
fcntl.ioctl(root, 0x8004587d, struct.pack('I', 2))";

/// A file system on a loop device.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, and why is printed, where there may be none.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = fs::File::create(folder.path().join("disk.img")).unwrap();
        image.set_len(IMAGE_BYTES).unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let this = Self { folder };
        let made = Command::new("mkfs.ext4").arg("-qF").arg(this.image()).output();
        if !made.as_ref().is_ok_and(|output| output.status.success()) {
            println!("skipped: no file system can be made ({made:?})");
            assert!(std::env::var_os("HORTIFRUTI_REQUIRE_MOUNT").is_none());
            return None;
        }
        this.mount().then_some(this)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> bool {
        mount(&["-o", "loop", self.image().to_str().unwrap()], &self.path())
    }

    /// Returns when it began, in nanoseconds since 1970.
    fn cut(&self) -> u128 {
        let cut = Command::new("python3").args(["-c", CUT_OFF]).arg(self.path()).output().unwrap();
        assert!(cut.status.success(), "{cut:?}");
        String::from_utf8(cut.stdout).unwrap().trim().parse().unwrap()
    }

    /// What is not on the disk is gone after this.
    fn mount_again(&self) {
        assert!(Command::new("umount").arg(self.path()).status().unwrap().success());
        assert!(self.mount());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).stderr(Stdio::null()).status();
    }
}

fn now() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

fn cuts() -> usize {
    if std::env::var("HORTIFRUTI_FAULTS").is_ok_and(|faults| faults == "all") { CUTS_ALL } else { CUTS }
}

/// Changes one by one until the connection ends: the ids and balances that were told.
fn change_until_the_end(port: u16, client: usize, round: usize) -> Vec<(String, String, u128)> {
    let mut connection = Connection::new(port);
    let mut told = Vec::new();
    for number in 0.. {
        let id = format!("r{round}-c{client}-{number}");
        match connection.try_reply_to(&format!("3 Caju 1 id={id}\n")) {
            Some(reply) if reply.starts_with("Caju: ") => told.push((id, reply, now())),
            // What is refused or unknown once the disk is gone is asked again below.
            Some(reply) => {
                assert!(reply.contains(" UNAVAILABLE: ") || reply.contains(" OUTCOME_UNKNOWN: "), "{reply}")
            }
            None => break,
        }
    }
    told
}

#[test]
fn what_was_answered_outlives_the_power() {
    let Some(disk) = Disk::new() else { return };
    let data = disk.path().join("loja.db");
    let start = Instant::now();
    let mut server = Server::start(&["--data", data.to_str().unwrap()]);
    let mut answered = 0;
    for round in 0..cuts() {
        let port = server.port;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| std::thread::spawn(move || change_until_the_end(port, client, round)))
            .collect();
        std::thread::sleep(Duration::from_millis(fastrand::u64(20..300)));
        // What nobody synced, so that a cut that cuts nothing off is found out.
        let unsynced = disk.path().join(format!("unsynced-{round}"));
        fs::write(&unsynced, "x".repeat(9000)).unwrap();
        let cut = disk.cut();
        std::thread::sleep(Duration::from_millis(20));
        server.kill();
        let told: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        disk.mount_again();
        let left = fs::read(&unsynced).unwrap_or_default();
        assert!(!left.starts_with(b"x"), "the power did not go");
        server.restart();
        let mut client = server.connect();
        // Where the power really goes, nobody is answered after that.
        for (id, reply, _) in told.iter().filter(|(_, _, at)| *at < cut) {
            assert_eq!(&client.ask(&format!("3 Caju 1 id={id}")), reply, "round {round}, {id}");
            answered += 1;
        }
        let verified = run(hortifruti(server.path()).args(["verify", data.to_str().unwrap()]), "");
        assert_eq!(verified.code, 0, "round {round}: {}", verified.err);
    }
    server.stop();
    println!("{} cuts, {answered} answered changes, in {:.0?}", cuts(), start.elapsed());
}

#[test]
fn a_first_start_that_the_power_ends_begins_anew_or_is_whole() {
    let Some(disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut begun = 0;
    for round in 0..cuts() {
        let data = disk.path().join(format!("loja-{round}.db"));
        let mut server = hortifruti(folder.path())
            .args(["serve", "--port", "0", "--quiet", "--data", data.to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // As long as a start takes, or a part of it.
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..40)));
        disk.cut();
        let is_published = folder.path().join("server_port.txt").exists();
        server.kill().unwrap();
        server.wait().unwrap();
        let _ = fs::remove_file(folder.path().join("server_port.txt"));
        disk.mount_again();
        begun += usize::from(data.exists());
        assert!(data.exists() || !is_published, "round {round}: a shop that was open is gone");
        let mut server = Server::start(&["--data", data.to_str().unwrap()]);
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60", "round {round}");
        server.stop();
        assert_eq!(verify(&data), 0, "round {round}");
        fs::remove_file(&data).unwrap();
    }
    println!("{} cuts, after {begun} of which the shop was there", cuts());
}

fn verify(data: &Path) -> i32 {
    run(hortifruti(data.parent().unwrap()).args(["verify", data.to_str().unwrap()]), "").code
}
