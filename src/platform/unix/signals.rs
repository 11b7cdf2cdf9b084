//! The signals by which a person or the system ends a process, or has it read its files again.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that are awaited. They are caught from the moment at which this value is made.
#[derive(Debug)]
pub(crate) struct Signals(Vec<Signal>);

impl Signals {
    /// Ctrl-C alone.
    pub(crate) fn interrupts() -> io::Result<Self> {
        Self::of(&[SignalKind::interrupt()])
    }

    /// Ctrl-C and SIGTERM.
    pub(crate) fn stops() -> io::Result<Self> {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// Ctrl-C, SIGTERM and the end of the terminal (SIGHUP).
    pub(crate) fn ends() -> io::Result<Self> {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])
    }

    /// SIGHUP, by which a server reads its files again; `None` on systems without such a signal.
    pub(crate) fn reloads() -> io::Result<Option<Self>> {
        Self::of(&[SignalKind::hangup()]).map(Some)
    }

    fn of(kinds: &[SignalKind]) -> io::Result<Self> {
        Ok(Self(kinds.iter().map(|kind| signal(*kind)).collect::<io::Result<_>>()?))
    }

    /// Waits for the next signal. Returns the time that the system leaves the process; `None` if there is no limit.
    pub(crate) async fn next(&mut self) -> Option<Duration> {
        poll_fn(|context| {
            let has_come = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if has_come { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }
}
