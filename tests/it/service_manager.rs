//! A service manager (systemd) that started the server hears from it.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use crate::support::waiting::kill;
use crate::support::{PATIENCE, finished, hortifruti, signal};

/// A socket as systemd gives one.
struct Socket(UnixDatagram);

impl Socket {
    fn next(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.0.recv(&mut bytes).expect("the server reports nothing");
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }
}

#[test]
fn it_hears_that_the_server_is_ready_and_lives_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = Socket(UnixDatagram::bind(&path).unwrap());
    socket.0.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = hortifruti(folder.path());
    command.args(["serve", "--port", "0", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut server = command.spawn().unwrap();
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
