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

/// A change that was answered.
struct Told {
    /// The line, with its id.
    change: String,
    reply: String,
    at: u128,
}

/// Changes one by one until the connection ends: those that were answered. Each eighth undoes a movement,
/// whoever made it, and each eighth counts.
fn change_until_the_end(
    mut connection: Connection,
    client: usize,
    round: usize,
    answered: &Sender<()>,
) -> Vec<Told> {
    let mut told = Vec::new();
    for number in 0.. {
        let change = match number % 8 {
            3 => match newest_of_caju(&mut connection) {
                Some(sequence) => format!("desfazer {sequence}"),
                None => continue,
            },
            7 => format!("contar Banana {}", 1 + (number * CLIENTS + client) % 10_000),
            _ => "3 Caju 1".to_owned(),
        };
        let change = format!("{change} id=r{round}-c{client}-{number}");
        match connection.try_reply_to(&format!("{change}\n")) {
            Some(reply) if !reply.starts_with("Erro ") => {
                told.push(Told { change, reply, at: now() });
                let _ = answered.send(());
            }
            // The newest movement may be an undo, or undone meanwhile. What is refused or unknown once the
            // disk is gone is asked again below.
            Some(reply) => {
                let is_expected = ["ALREADY_UNDONE", "UNAVAILABLE", "OUTCOME_UNKNOWN"]
                    .iter()
                    .any(|code| reply.starts_with(&format!("Erro {code}: ")));
                assert!(is_expected, "{change}: {reply}");
            }
            None => break,
        }
    }
    told
}

/// The number of the last movement of Caju; `None` if the ledger cannot be read any more.
fn newest_of_caju(connection: &mut Connection) -> Option<String> {
    let reply = connection.try_reply_to("historico Caju limite=1\n")?;
    Some(reply.strip_prefix('#')?.split(' ').next()?.to_owned())
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
            // Here, because a thread may be late, and the server gone.
            let (connection, answered) = (Connection::new(port), answered.clone());
            std::thread::spawn(move || change_until_the_end(connection, client, round, &answered))
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
        for Told { change, reply, .. } in told.iter().filter(|told| told.at < cut) {
            assert_eq!(&client.ask(change), reply, "round {round}, {change}");
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
fn a_first_start_that_the_power_ends_begins_again_or_is_whole() {
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
