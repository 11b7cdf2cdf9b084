//! The events by which a person or the system ends a process with a console.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};

/// The time in which a process must have ended after its window was closed or the machine was shut down: Windows
/// ends it after 5 seconds.
const CLOSE_TIME: Duration = Duration::from_secs(4);

/// Events that are awaited. They are caught from the moment at which this value is made.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    interrupt: Option<CtrlC>,
    breaking: Option<CtrlBreak>,
    /// The window was closed, the machine is shut down, or the user logs off.
    closing: Option<(CtrlClose, CtrlShutdown, CtrlLogoff)>,
}

impl Signals {
    /// Ctrl-C alone.
    pub(crate) fn interrupts() -> io::Result<Self> {
        Ok(Self { interrupt: Some(ctrl_c()?), ..Self::default() })
    }

    /// Ctrl-C, Ctrl-Break, a closed window, and the end of the session or of the system.
    pub(crate) fn stops() -> io::Result<Self> {
        let closing = Some((ctrl_close()?, ctrl_shutdown()?, ctrl_logoff()?));
        Ok(Self { interrupt: Some(ctrl_c()?), breaking: Some(ctrl_break()?), closing })
    }

    /// All that ends a process.
    pub(crate) fn ends() -> io::Result<Self> {
        Self::stops()
    }

    /// The signal by which a server reads its files again: there is none.
    pub(crate) fn reloads() -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// Waits for the next event. Returns the time that the system leaves the process; `None` if there is no limit.
    pub(crate) async fn next(&mut self) -> Option<Duration> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Duration>> {
        let is_interrupted = self.interrupt.as_mut().is_some_and(|event| event.poll_recv(context).is_ready());
        let is_broken = self.breaking.as_mut().is_some_and(|event| event.poll_recv(context).is_ready());
        let is_closing = self.closing.as_mut().is_some_and(|(close, shutdown, logoff)| {
            close.poll_recv(context).is_ready()
                || shutdown.poll_recv(context).is_ready()
                || logoff.poll_recv(context).is_ready()
        });
        match (is_closing, is_interrupted || is_broken) {
            (true, _) => Poll::Ready(Some(CLOSE_TIME)),
            (false, true) => Poll::Ready(None),
            (false, false) => Poll::Pending,
        }
    }
}
