//! The power goes: an ext4 file system on a loop device is cut off from its disk under a
//! server that takes changes (`EXT4_IOC_SHUTDOWN`, without flushing its journal), and mounted
//! again. What was synced is there, and nothing else need be.
//!
//! It takes root, a loop device, mkfs.ext4 and python3. `HORTIFRUTI_FAULTS=all` makes it a
//! hundred cuts; `examples/soak.rs` takes any number, with this same code.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use crate::disk::Disk;
use crate::support::{Connection, Ended, PATIENCE, Server, hortifruti, run};

/// Cuts where not all are taken, and where they are.
const CUTS: usize = 4;
const CUTS_ALL: usize = 100;

/// Clients that change the stock until the power goes.
const CLIENTS: usize = 4;

fn now() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

fn cuts() -> usize {
    if std::env::var("HORTIFRUTI_FAULTS").is_ok_and(|faults| faults == "all") { CUTS_ALL } else { CUTS }
}

/// Changes one by one until the connection ends: the ids and balances that were told.
fn change_until_the_end(
    port: u16,
    client: usize,
    round: usize,
    answered: &Sender<()>,
) -> Vec<(String, String, u128)> {
    let mut connection = Connection::new(port);
    let mut told = Vec::new();
    for number in 0.. {
        let id = format!("r{round}-c{client}-{number}");
        match connection.try_reply_to(&format!("3 Caju 1 id={id}\n")) {
            Some(reply) if reply.starts_with("Caju: ") => {
                told.push((id, reply, now()));
                let _ = answered.send(());
            }
            // What is refused or unknown once the disk is gone is asked again below.
            Some(reply) => {
                assert!(reply.contains(" UNAVAILABLE: ") || reply.contains(" OUTCOME_UNKNOWN: "), "{reply}")
            }
            None => break,
        }
    }
    told
}

/// A shop on a disk of its own, whose power goes again and again.
pub(crate) struct Shop {
    // Ends before its disk goes.
    server: Server,
    data: PathBuf,
    cuts: usize,
    pub(crate) disk: Disk,
}

impl Shop {
    /// `None`, and why is printed, where there may be no such disk.
    pub(crate) fn open() -> Option<Self> {
        let disk = Disk::new()?;
        let data = disk.path().join("loja.db");
        let server = Server::start(&["--data", data.to_str().unwrap()]);
        Some(Self { server, data, cuts: 0, disk })
    }

    /// Cuts the power under clients that change the stock, and looks, once it is back, for
    /// every change that was answered before. Returns how many were. Where one is lost, the
    /// disk's image is left.
    pub(crate) fn lose_power(&mut self) -> usize {
        let (port, round) = (self.server.port, self.cuts);
        self.cuts += 1;
        self.disk.keep(true);
        let (answered, answers) = channel();
        let begin = |client| {
            let answered = answered.clone();
            std::thread::spawn(move || change_until_the_end(port, client, round, &answered))
        };
        let clients: Vec<_> = (0..CLIENTS).map(begin).collect();
        // In the midst of changes, at whatever moment.
        for _ in 0..CLIENTS {
            answers.recv_timeout(PATIENCE).expect("changes are answered");
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..300)));
        // What nobody synced, so that a cut that cuts nothing off is found out.
        let unsynced = self.disk.path().join(format!("unsynced-{round}"));
        fs::write(&unsynced, "x".repeat(9000)).unwrap();
        let cut = self.disk.cut();
        std::thread::sleep(Duration::from_millis(20));
        self.server.kill();
        let told: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        self.disk.mount_again();
        let left = fs::read(&unsynced).unwrap_or_default();
        assert!(!left.starts_with(b"x"), "the power did not go");
        self.server.restart();
        let mut client = self.server.connect();
        let mut answered = 0;
        // Where the power really goes, nobody is answered after that.
        for (id, reply, _) in told.iter().filter(|(_, _, at)| *at < cut) {
            assert_eq!(&client.ask(&format!("3 Caju 1 id={id}")), reply, "round {round}, {id}");
            answered += 1;
        }
        let verified = verify(&self.data);
        assert_eq!(verified.code, 0, "round {round}: {}", verified.err);
        assert!(answered >= CLIENTS, "round {round}: {answered} answers");
        self.disk.keep(false);
        answered
    }

    pub(crate) fn close(mut self) {
        self.server.stop();
    }
}

#[test]
fn what_was_answered_outlives_the_power() {
    let Some(mut shop) = Shop::open() else { return };
    let start = std::time::Instant::now();
    let answered: usize = (0..cuts()).map(|_| shop.lose_power()).sum();
    shop.close();
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
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // As long as a start takes, or a part of it.
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..40)));
        disk.cut();
        let is_published = folder.path().join("server_port.txt").exists();
        server.kill().unwrap();
        crate::support::waiting::end_of(&mut server);
        let _ = fs::remove_file(folder.path().join("server_port.txt"));
        disk.mount_again();
        begun += usize::from(data.exists());
        assert!(data.exists() || !is_published, "round {round}: a shop that was open is gone");
        let mut server = Server::start(&["--data", data.to_str().unwrap()]);
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60", "round {round}");
        server.stop();
        assert_eq!(verify(&data).code, 0, "round {round}");
        fs::remove_file(&data).unwrap();
    }
    println!("{} cuts, after {begun} of which the shop was there", cuts());
}

fn verify(data: &Path) -> Ended {
    run(hortifruti(data.parent().unwrap()).args(["verify", data.to_str().unwrap()]), "")
}
