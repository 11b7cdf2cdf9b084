//! Waiting, always with a limit.
//!
//! A test waits for an event: a line, a reply, the end of a process. [`wait_for`] is for states that no event
//! reports, as a file that another process writes. `waits.rs` holds all tests to this.

use std::fmt::Display;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// The pause between two looks: it leaves the processor to the process that is waited for.
const PAUSE: Duration = Duration::from_millis(1);

/// Looks until there is a result, and returns it. A look that finds none says what it found.
#[track_caller]
pub(crate) fn wait_for<T, E: Display>(mut look: impl FnMut() -> Result<T, E>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < give_up, "after {PATIENCE:?}: {why}"),
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits until this is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    wait_for(|| is_so().then_some(()).ok_or_else(|| format!("not so: {what}")));
}

/// Waits for the end of a process that prints nothing that is not read.
pub(crate) fn end_of(child: &mut Child) -> ExitStatus {
    wait_for(|| child.try_wait().unwrap().ok_or("the process does not end"))
}

/// Kills a process, if it has not ended, and waits for its end. A test that fails does not wait.
pub(crate) fn kill(child: &mut Child) {
    let _ = child.kill();
    if !std::thread::panicking() {
        end_of(child);
    }
}

/// The lines that a process prints, as they come.
pub(crate) fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        // Read to the end also if nobody wants the lines, so that the process can print them.
        for line in BufReader::new(output).lines() {
            let _ = sender.send(line.unwrap());
        }
    });
    lines
}

/// The lines that were not read, once there are no more.
pub(crate) fn rest(lines: &Receiver<String>) -> Vec<String> {
    let next = || match lines.recv_timeout(PATIENCE) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("the lines do not end"),
    };
    std::iter::from_fn(next).collect()
}

/// The next connection.
pub(crate) fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let stream = wait_for(|| match listener.accept() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err("nobody connects"),
        accepted => Ok(accepted.unwrap().0),
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

/// The port of a server that starts in this folder, once the server has published it.
pub(crate) fn published_port(folder: &Path) -> u16 {
    let port_file = folder.join("server_port.txt");
    wait_for(|| std::fs::read_to_string(&port_file)).parse().unwrap()
}
