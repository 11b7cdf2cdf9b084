//! A service manager (systemd) that started the server hears from it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::waiting::{kill, published_port};
use crate::support::{Connection, PATIENCE, finished, hortifruti, signal};

/// More reports than come while the writer of the test below hangs, if it were not noticed.
const REPORTS_MAX: usize = 100;

/// A socket as systemd gives one.
struct Socket(UnixDatagram);

impl Socket {
    fn bind(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// Whether nothing comes for this long, of the next few reports.
    fn falls_silent(&self, silence: Duration) -> bool {
        self.0.set_read_timeout(Some(silence)).unwrap();
        let is_silent = (0..REPORTS_MAX).any(|_| self.0.recv(&mut [0; 512]).is_err());
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        is_silent
    }

    fn next(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.0.recv(&mut bytes).expect("the server reports nothing");
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }
}

/// A server that a service manager with a watchdog of 200 ms has started.
fn start(folder: &Path, socket: &Path) -> Child {
    let mut command = hortifruti(folder);
    command.args(["serve", "--port", "0", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("NOTIFY_SOCKET", socket).env("WATCHDOG_USEC", "200000").spawn().unwrap()
}

#[test]
fn it_hears_that_the_server_is_ready_and_lives_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = Socket::bind(&path);
    let mut server = start(folder.path(), &path);
    let begun = std::panic::catch_unwind(|| [(); 4].map(|()| socket.next()));
    let Ok(begun) = begun else {
        kill(&mut server);
        panic!("the server reports too little");
    };
    assert_eq!(begun, ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
    // Clients can connect.
    let mut query = hortifruti(folder.path());
    assert_eq!(crate::support::run(query.args(["query", "Caju"]), "").out, "Caju: R$2.0, Estoque: 60\n");
    signal(server.id(), "TERM");
    assert_eq!(finished(server).code, 0);
    let last = std::iter::from_fn(|| Some(socket.next())).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.unwrap(), "STOPPING=1");
}

/// The writer of the store waits for a program that holds the database, and the server answers nothing else
/// for it meanwhile: the watchdog starts a server again that stays so.
#[test]
fn it_hears_nothing_while_a_part_of_the_server_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = Socket::bind(&path);
    let mut server = start(folder.path(), &path);
    let played = std::panic::catch_unwind(|| {
        assert_eq!([(); 2].map(|()| socket.next()), ["READY=1", "WATCHDOG=1"]);
        let mut client = Connection::new(published_port(folder.path()));
        assert!(client.ask("3 Caju -1").ends_with("Estoque: 59"));
        let other = rusqlite::Connection::open(folder.path().join("hortifruti.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        client.send("3 Caju -1\n");
        assert!(socket.falls_silent(Duration::from_secs(1)), "the watchdog is satisfied all the same");
        other.execute_batch("ROLLBACK").unwrap();
        client.reply();
        assert_eq!([(); 3].map(|()| socket.next()), ["WATCHDOG=1"; 3]);
    });
    kill(&mut server);
    played.unwrap();
}

#[test]
fn the_service_of_windows_is_one_of_systemd_here() {
    let folder = tempfile::tempdir().unwrap();
    for (action, verb) in
        [("install", "enable --now"), ("start", "start"), ("stop", "stop"), ("remove", "disable --now")]
    {
        let ended = crate::support::run(hortifruti(folder.path()).args(["service", action]), "");
        let line = format!("sudo systemctl {verb} hortifruti\n");
        assert!(ended.code == 1 && ended.err.contains(&line) && ended.out.is_empty(), "{ended:?}");
    }
    // The options of a service are checked before anything else is done.
    let wrong = ["service", "install", "--", "--porta", "9000"];
    let ended = crate::support::run(hortifruti(folder.path()).args(wrong), "");
    assert!(ended.code == 2 && ended.err.contains("--porta"), "{ended:?}");
    let ended = crate::support::run(hortifruti(folder.path()).args(["serve", "--service", "."]), "");
    assert!(ended.code == 1 && ended.err.contains("gerenciador de serviços"), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
