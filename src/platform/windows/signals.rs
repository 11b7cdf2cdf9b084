//! The events by which a person, the system or another process ends a process.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
    ctrl_shutdown,
};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{service, stop};

/// Events that are awaited. They are caught from the moment at which this value is made.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    interrupt: Option<CtrlC>,
    breaking: Option<CtrlBreak>,
    /// The window was closed, the machine is shut down, or the user logs off.
    closing: Option<(CtrlClose, CtrlShutdown, CtrlLogoff)>,
    /// The service manager or `hortifruti stop` asks.
    requests: Option<UnboundedReceiver<Option<Duration>>>,
}

impl Signals {
    /// Ctrl-C alone.
    pub(crate) fn interrupts() -> io::Result<Self> {
        Ok(Self { interrupt: Some(ctrl_c()?), ..Self::default() })
    }

    /// Ctrl-C, Ctrl-Break, a closed window, the end of the session or of the system, and requests of other processes.
    pub(crate) fn stops() -> io::Result<Self> {
        let closing = Some((ctrl_close()?, ctrl_shutdown()?, ctrl_logoff()?));
        let (interrupt, breaking) = (Some(ctrl_c()?), Some(ctrl_break()?));
        Ok(Self { interrupt, breaking, closing, requests: stop::requests() })
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
        // A service also gets these events, such as for every user who logs off, and its service manager says when it
        // is to stop.
        let closing = self.closing.as_mut().filter(|_| !service::is_service());
        let is_closing = closing.is_some_and(|(close, shutdown, logoff)| {
            close.poll_recv(context).is_ready()
                || shutdown.poll_recv(context).is_ready()
                || logoff.poll_recv(context).is_ready()
        });
        let requested = self.requests.as_mut().map(|requests| requests.poll_recv(context));
        match requested {
            _ if is_closing => Poll::Ready(Some(stop::CLOSE_TIME)),
            _ if is_interrupted || is_broken => Poll::Ready(None),
            Some(Poll::Ready(Some(time_left))) => Poll::Ready(time_left),
            _ => Poll::Pending,
        }
    }
}
