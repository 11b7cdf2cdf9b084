//! What every connection has, whatever it speaks: its place in the count, the bytes that
//! told its protocol, and an end that loses no reply.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::console::Console;

/// How long a connection that the server ends is still read, and thrown away: closing one
/// with unread bytes would reset it, and the client would lose the last reply.
const LINGER: Duration = Duration::from_secs(1);

/// How long a new connection waits for the end of the one before, where they are counted.
const SETTLE_WAIT: Duration = Duration::from_millis(20);

/// Counts connections, and tells the console.
pub(super) struct Connections {
    console: Console,
    exit_after: Option<u64>,
    count: Mutex<Count>,
    changed: Notify,
}

#[derive(Default)]
struct Count {
    begun: u64,
    open: u64,
}

impl Connections {
    pub(super) fn new(console: Console, exit_after: Option<u64>) -> Self {
        Self { console, exit_after, count: Mutex::default(), changed: Notify::new() }
    }

    /// Counts a connection until its guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, peer: SocketAddr) -> Guard {
        self.console.connected(peer);
        self.change(|count| {
            count.begun += 1;
            count.open += 1;
        });
        Guard(Arc::clone(self))
    }

    /// Whether another connection is to be accepted: at once if so, and once all have
    /// ended if not.
    pub(super) async fn another_wanted(&self) -> bool {
        let Some(limit) = self.exit_after else { return true };
        loop {
            let changed = self.changed.notified();
            {
                let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
                if count.begun < limit {
                    return true;
                }
                if count.open == 0 {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Where only so many connections are wanted, lets the one before be told as ended
    /// before the next is told as begun, as the original did, which served one at a time.
    pub(super) async fn settle(&self) {
        if self.exit_after.is_none() {
            return;
        }
        let ended = async {
            while self.count.lock().unwrap_or_else(PoisonError::into_inner).open > 0 {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_WAIT, ended).await;
    }

    fn change(&self, change: impl FnOnce(&mut Count)) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut count);
        let is_last = count.open == 0 && self.exit_after.is_some_and(|limit| count.begun >= limit);
        drop(count);
        self.changed.notify_one();
        is_last
    }
}

/// An open connection's place in the count.
pub(super) struct Guard(Arc<Connections>);

impl Guard {
    /// Does not count this connection for `--exit-after`.
    pub(super) fn uncount(&self) {
        self.0.change(|count| count.begun -= 1);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.0.change(|count| count.open -= 1) {
            self.0.console.line("Aguardando conexão...");
        }
    }
}

/// A connection whose first bytes have been read already, for hyper.
pub(super) struct Prefixed {
    first_bytes: Vec<u8>,
    stream: TcpStream,
}

impl Prefixed {
    pub(super) fn new(first_bytes: Vec<u8>, stream: TcpStream) -> Self {
        Self { first_bytes, stream }
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first_bytes.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.first_bytes.len().min(buffer.remaining());
        buffer.put_slice(&self.first_bytes[..length]);
        self.first_bytes.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Answers a connection of a protocol that is not served, and ends it.
pub(super) async fn refuse(mut stream: TcpStream, answer: &[u8]) {
    if stream.write_all(answer).await.is_ok() {
        end(stream).await;
    }
}

/// Ends a connection so that its last reply arrives.
pub(super) async fn end(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let _ = tokio::time::timeout(LINGER, async {
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut [0; 1024]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
    .await;
}
