//! The socket of a connection to the engine.
//!
//! While a connection is made, a runtime drives its socket, because several hosts are asked at the same time. From
//! then on the thread that uses the connection waits in the read itself. So an answer costs one call of the system to
//! send and one to receive, and a thread that serves clients, within a runtime of its own, can wait for one too.

use std::io::{self, Read as _, Write as _};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::local;

/// The time by which a wait may be longer than asked for, so that the limit that the system has from the wait before
/// mostly does.
const SLACK: Duration = Duration::from_millis(20);

/// The shortest limit of a wait that the system is given: no time would mean for ever.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// A connected socket, shared by the connection and the thread that waits for its answers.
#[derive(Clone)]
pub(super) struct Socket(Arc<Shared>);

struct Shared {
    stream: Mutex<Stream>,
    /// Whether a part of the running future has work for another part.
    is_woken: AtomicBool,
}

enum Stream {
    /// A runtime drives the socket.
    Tcp(TcpStream),
    Folder(local::Stream),
    /// The thread that waits drives it.
    Own(OwnSocket),
    /// The system refused to take the socket from the runtime.
    Gone,
}

struct OwnSocket {
    socket: socket2::Socket,
    /// The end of the time of all waits.
    until: Instant,
    /// Whether the next read waits. Others would wait for what nobody has asked for.
    may_wait: bool,
    /// The limit of a wait that the system has.
    limit: Duration,
}

impl Socket {
    pub(super) fn tcp(stream: TcpStream) -> Self {
        Self::new(Stream::Tcp(stream))
    }

    pub(super) fn of_folder(stream: local::Stream) -> Self {
        Self::new(Stream::Folder(stream))
    }

    fn new(stream: Stream) -> Self {
        Self(Arc::new(Shared { stream: Mutex::new(stream), is_woken: AtomicBool::new(false) }))
    }

    /// Takes the socket from its runtime.
    pub(super) fn leave_runtime(&self) -> io::Result<()> {
        let mut stream = self.stream();
        let socket = match std::mem::replace(&mut *stream, Stream::Gone) {
            Stream::Tcp(tcp) => socket2::Socket::from(tcp.into_std()?),
            Stream::Folder(folder) => socket2::Socket::from(folder.into_std()?),
            Stream::Own(own) => own.socket,
            Stream::Gone => return Err(io::ErrorKind::NotConnected.into()),
        };
        socket.set_nonblocking(false)?;
        *stream =
            Stream::Own(OwnSocket { socket, until: Instant::now(), may_wait: false, limit: Duration::ZERO });
        Ok(())
    }

    /// Runs a future that waits for nothing but this socket. Returns `None` if it is not done by this time.
    pub(super) fn run<T>(&self, until: Instant, future: impl Future<Output = T>) -> Option<T> {
        let waker = Waker::from(Arc::clone(&self.0));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        self.set_wait(until, false);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return Some(done);
            }
            if Instant::now() >= until {
                return None;
            }
            // A part that can go on without the engine goes first.
            self.set_wait(until, !self.0.is_woken.swap(false, Ordering::Relaxed));
        }
    }

    fn set_wait(&self, until: Instant, may_wait: bool) {
        if let Stream::Own(own) = &mut *self.stream() {
            (own.until, own.may_wait) = (until, may_wait);
        }
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
    }
}

impl OwnSocket {
    /// Reads, if the thread is to wait.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !std::mem::take(&mut self.may_wait) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.limit_wait()?;
        self.socket.read(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A statement that goes out slowly has no more time than another.
        if Instant::now() >= self.until {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.limit_wait()?;
        self.socket.write(bytes)
    }

    /// Lets the system wait until the end of the time.
    fn limit_wait(&mut self) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now()).max(WAIT_MIN);
        if !(left..=left + SLACK).contains(&self.limit) {
            // The next wait of the same length may have begun a little sooner.
            let limit = left + SLACK / 2;
            self.socket.set_read_timeout(Some(limit))?;
            self.socket.set_write_timeout(Some(limit))?;
            self.limit = limit;
        }
        Ok(())
    }
}

/// The result of a call that may have waited in vain.
fn pending_if_late<T>(done: io::Result<T>) -> Poll<io::Result<T>> {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    match done {
        Err(error) if matches!(error.kind(), WouldBlock | TimedOut | Interrupted) => Poll::Pending,
        done => Poll::Ready(done),
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self.stream() {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Stream::Folder(folder) => Pin::new(folder).poll_read(context, buffer),
            Stream::Own(own) => {
                let read = own.read(buffer.initialize_unfilled());
                pending_if_late(read.map(|count| buffer.advance(count)))
            }
            Stream::Gone => gone(),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self.stream() {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Stream::Folder(folder) => Pin::new(folder).poll_write(context, bytes),
            Stream::Own(own) => {
                let written = pending_if_late(own.write(bytes));
                if written.is_pending() {
                    // The rest is written before an answer is waited for.
                    context.waker().wake_by_ref();
                }
                written
            }
            Stream::Gone => gone(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket keeps nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self.stream() {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_shutdown(context),
            Stream::Folder(folder) => Pin::new(folder).poll_shutdown(context),
            Stream::Own(own) => Poll::Ready(own.socket.shutdown(std::net::Shutdown::Write)),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}
