//! The end of a server of this machine that another process asks for, by a named pipe: `hortifruti stop`. The service
//! manager asks in the same process.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::windows::fs::OpenOptionsExt;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The server of a pipe learns who its client is, and cannot act in its name.
const IDENTIFICATION: u32 = 0x1_0000;

/// An answer of the system: all ends of the pipe are in use.
const PIPE_BUSY: i32 = 231;

/// The time in which a process must have ended after its window was closed or the machine was shut down: Windows
/// ends it after 5 seconds.
pub(super) const CLOSE_TIME: Duration = Duration::from_secs(4);

type Requests = (UnboundedSender<Option<Duration>>, Mutex<Option<UnboundedReceiver<Option<Duration>>>>);

/// The requests to stop this process, each with the time that the system leaves it.
static REQUESTS: LazyLock<Requests> = LazyLock::new(|| {
    let (sender, receiver) = unbounded_channel();
    (sender, Mutex::new(Some(receiver)))
});

/// Asks this process to stop.
pub(super) fn request(time_left: Option<Duration>) {
    // Without a receiver the process does not listen.
    let _ = REQUESTS.0.send(time_left);
}

/// The requests to stop this process, for the first caller.
pub(super) fn requests() -> Option<UnboundedReceiver<Option<Duration>>> {
    REQUESTS.1.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The pipe of the server on a port. By the rights that Windows gives a pipe, its user and administrators can write to
/// it.
fn pipe(port: u16) -> String {
    format!(r"\\.\pipe\hortifruti-{port}")
}

/// Lets `hortifruti stop` stop this server.
///
/// # Errors
/// If another process has the pipe of this port.
pub(crate) fn accept(port: u16) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let first = {
        let _inside = runtime.enter();
        ServerOptions::new().first_pipe_instance(true).create(pipe(port))?
    };
    thread::Builder::new().name("hortifruti-stop".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(take_requests(port, first)) {
            tracing::warn!(%error, "hortifruti stop does not reach this server any more");
        }
    })?;
    Ok(())
}

/// Takes requests until the process ends. The end closes the pipe, and so is seen at its other end.
async fn take_requests(port: u16, mut next: NamedPipeServer) -> io::Result<()> {
    loop {
        next.connect().await?;
        let mut asking = next;
        next = ServerOptions::new().create(pipe(port))?;
        tokio::spawn(async move {
            // A process that may only read the pipe may not stop the server.
            while asking.read_u8().await.is_ok() {
                request(None);
            }
        });
    }
}

/// Stops this program's server on a port of this machine, which only one can have, as Ctrl-C does, and waits for its
/// end. Returns whether the server ended within this time.
///
/// # Errors
/// If no server of this program listens on the port ([`ErrorKind::NotFound`]), or it is another user's
/// ([`ErrorKind::PermissionDenied`]).
pub(crate) fn stop(_: Option<IpAddr>, port: u16, wait: Duration) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).security_qos_flags(IDENTIFICATION);
    let mut server = options.open(pipe(port)).map_err(|error| match error.raw_os_error() {
        Some(PIPE_BUSY) => ErrorKind::WouldBlock.into(),
        _ => error,
    })?;
    server.write_all(b"\n")?;
    let (ended, is_over) = channel::<()>();
    thread::Builder::new().spawn(move || {
        // Nothing is written to this end, so a read lasts until the server ends.
        let _ = server.read(&mut [0]);
        drop(ended);
    })?;
    Ok(is_over.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_by_its_port() {
        let port = 1;
        assert_eq!(stop(None, port, Duration::ZERO).unwrap_err().kind(), ErrorKind::NotFound);
        let mut requests = requests().unwrap();
        accept(port).unwrap();
        for _ in 0..2 {
            assert!(!stop(None, port, Duration::from_millis(100)).unwrap());
            assert_eq!(requests.blocking_recv(), Some(None));
        }
    }
}
