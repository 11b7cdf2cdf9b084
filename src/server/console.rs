//! The server's console: the lines that the original printed, written by a separate thread, so that a slow or
//! closed output never slows the service.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::catalog::{Shown, counted};

/// The most lines that wait to be written; further lines are dropped and counted. More lines in a second than
/// this, nobody reads.
const WAITING_LINES_MAX: usize = 1024;

/// The time for which lines are gathered before they are written together. If each line was written by
/// itself, a server that shows its commands answered a third of the reads of a quiet one.
const REST: Duration = Duration::from_millis(10);

/// The longest wait for the last lines when the server stops.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The pause between two attempts to queue the last lines.
const FLUSH_PAUSE: Duration = Duration::from_millis(10);

/// A handle on the console, cheap to clone. A quiet console writes nothing.
#[derive(Clone)]
pub struct Console(Option<Arc<Lines>>);

struct Lines {
    waiting: Sender<Line>,
    dropped: Arc<AtomicU64>,
}

enum Line {
    Text(String),
    /// A request to write all lines before it, and then to wake the thread that waits.
    Flush(SyncSender<()>),
}

impl Console {
    /// A console that writes nothing.
    pub fn quiet() -> Self {
        Self(None)
    }

    /// A console on standard output.
    pub fn stdout() -> Self {
        let (waiting, lines) = channel(WAITING_LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        std::thread::spawn(move || write_all(lines, &counter, &mut std::io::stdout()));
        Self(Some(Arc::new(Lines { waiting, dropped })))
    }

    /// Shows a line.
    pub fn line(&self, text: &str) {
        self.show(|| text.to_owned());
    }

    /// Shows that a client has come, in the form in which Python prints its address.
    pub(super) fn connected(&self, peer: SocketAddr) {
        self.show(|| match peer {
            SocketAddr::V4(peer) => format!("Conexão estabelecida com ('{}', {})", peer.ip(), peer.port()),
            SocketAddr::V6(peer) => format!(
                "Conexão estabelecida com ('{}', {}, {}, {})",
                peer.ip(),
                peer.port(),
                peer.flowinfo(),
                peer.scope_id()
            ),
        });
    }

    /// Shows a command, escaped and shortened, because its text is a stranger's.
    pub(super) fn command(&self, command: impl std::fmt::Display) {
        self.show(|| format!("Comando recebido: {}", Shown(&command.to_string())));
    }

    /// Waits, for a second at most, until all lines are written.
    pub fn flush(&self) {
        let Some(lines) = &self.0 else { return };
        let (done, written) = sync_channel(1);
        let mut flush = Line::Flush(done);
        let give_up = Instant::now() + CLOSE_WAIT;
        // `send` would wait for ever for an output that nobody reads.
        while let Err(TrySendError::Full(line)) = lines.waiting.try_send(flush) {
            if Instant::now() >= give_up {
                return;
            }
            flush = line;
            std::thread::sleep(FLUSH_PAUSE);
        }
        let _ = written.recv_timeout(give_up.saturating_duration_since(Instant::now()));
    }

    fn show(&self, text: impl FnOnce() -> String) {
        let Some(lines) = &self.0 else { return };
        match lines.waiting.try_reserve() {
            Ok(room) => room.send(Line::Text(text())),
            Err(_) => {
                lines.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Writes lines until the console is dropped. After an error of the output, lines are dropped and the service
/// continues.
fn write_all(mut lines: Receiver<Line>, dropped: &AtomicU64, output: &mut impl Write) {
    let mut is_open = true;
    let mut waiting = Vec::new();
    while lines.blocking_recv_many(&mut waiting, WAITING_LINES_MAX) > 0 {
        let mut text = String::new();
        let mut told = Vec::new();
        for line in waiting.drain(..) {
            match line {
                Line::Text(line) => {
                    text.push_str(&line);
                    text.push('\n');
                }
                Line::Flush(done) => told.push(done),
            }
        }
        match dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            count => {
                let unshown = counted(count, "linha não mostrada", "linhas não mostradas");
                text.push_str(&format!("({unshown})\n"));
            }
        }
        if is_open && let Err(error) = output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            tracing::warn!(%error, "the console's output failed; it shows nothing more");
            is_open = false;
        }
        for done in told {
            let _ = done.send(());
        }
        std::thread::sleep(REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_fails_stops_nothing() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (waiting, lines) = channel(8);
        waiting.try_send(Line::Text("um".into())).unwrap();
        waiting.try_send(Line::Text("dois".into())).unwrap();
        let (done, written) = sync_channel(1);
        waiting.try_send(Line::Flush(done)).unwrap();
        drop(waiting);
        write_all(lines, &AtomicU64::new(0), &mut Closed);
        written.recv().unwrap();
    }

    #[test]
    fn a_line_that_would_not_be_shown_is_not_made() {
        let (waiting, lines) = channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let console = Console(Some(Arc::new(Lines { waiting, dropped: Arc::clone(&dropped) })));
        console.line("um");
        console.show(|| panic!("made in vain"));
        drop(console);
        let mut output = Vec::new();
        write_all(lines, &dropped, &mut output);
        assert_eq!(String::from_utf8(output).unwrap(), "um\n(1 linha não mostrada)\n");
    }

    #[test]
    fn dropped_lines_are_counted() {
        let (waiting, lines) = channel(8);
        waiting.try_send(Line::Text("um".into())).unwrap();
        waiting.try_send(Line::Text("dois".into())).unwrap();
        drop(waiting);
        let mut output = Vec::new();
        write_all(lines, &AtomicU64::new(7), &mut output);
        assert_eq!(String::from_utf8(output).unwrap(), "um\ndois\n(7 linhas não mostradas)\n");
    }
}
