//! The socket of a connection of any protocol: set up, read, written and closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::maybe_tls::MaybeTls;
use crate::platform::sockets;

/// The time for which a connection that the server ends is still read, and the bytes are thrown away: closing
/// a connection with unread bytes would reset it, and the client would lose the last reply.
const LINGER: Duration = Duration::from_secs(1);

/// The keepalive probes of a silent peer: the time before the first, the time between two, and their number.
/// A peer whose machine or network is gone keeps its place for two minutes.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES_MAX: u32 = 4;

/// Sets the system's options for a new connection.
pub(super) fn prepare(stream: &std::net::TcpStream) -> io::Result<()> {
    // A small reply must not wait for an acknowledgement. hyper does not set this option.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    sockets::keep_alive(&socket, PROBE_AFTER, PROBE_EVERY, Some(PROBES_MAX))?;
    // The probes find a peer that is gone; this timeout, a peer that is there and takes none of its bytes.
    // HTTP/2's ping would not do: an idle client need not read its connection, and our own shell does not.
    sockets::limit_unsent(&socket, PROBE_AFTER + PROBES_MAX * PROBE_EVERY)?;
    Ok(())
}

/// A connection whose first bytes have been read already, for hyper.
pub(super) struct Prefixed {
    first_bytes: Vec<u8>,
    stream: MaybeTls,
    bytes_read: BytesRead,
}

/// The count of the bytes that were read from a connection.
#[derive(Clone, Default)]
pub(super) struct BytesRead(Arc<AtomicUsize>);

impl BytesRead {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Prefixed {
    pub(super) fn new(first_bytes: Vec<u8>, stream: MaybeTls, bytes_read: BytesRead) -> Self {
        Self { first_bytes, stream, bytes_read }
    }

    pub(super) fn into_stream(self) -> MaybeTls {
        self.stream
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first_bytes.is_empty() {
            let before = buffer.filled().len();
            let read = Pin::new(&mut self.stream).poll_read(context, buffer);
            self.bytes_read.0.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
            return read;
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

/// Answers a connection that cannot be served, and ends it.
pub(super) async fn answer_and_close(mut stream: MaybeTls, answer: &[u8]) {
    // Ending the connection also flushes it.
    if tokio::time::timeout(LINGER, stream.write_all(answer)).await.is_ok_and(|sent| sent.is_ok()) {
        close(stream).await;
    }
}

/// The longest time for which a client may take none of its bytes. The bytes that wait take memory, and a
/// client that reads at all takes some in a minute.
pub(super) const STALLED_MAX: Duration = Duration::from_secs(60);

/// Writes to a client, and fails if the client takes nothing for too long.
pub(super) async fn write_all(stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let some = async {
            let length = stream.write(bytes).await?;
            // TLS has taken the last bytes, but perhaps not sent them.
            if length == bytes.len() {
                stream.flush().await?;
            }
            Ok::<usize, io::Error>(length)
        };
        let length = tokio::select! {
            // No timer is made if all bytes are taken without a wait, as nearly always.
            biased;
            length = some => length?,
            () = async { tokio::time::sleep(STALLED_MAX).await } => {
                return Err(io::ErrorKind::TimedOut.into());
            }
        };
        if length == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[length..];
    }
    Ok(())
}

/// Ends a connection so that its last reply arrives.
pub(super) async fn close(mut stream: MaybeTls) {
    if !tokio::time::timeout(LINGER, stream.shutdown()).await.is_ok_and(|shut| shut.is_ok()) {
        return;
    }
    let transport = stream.transport();
    let _ = tokio::time::timeout(LINGER, async {
        while transport.readable().await.is_ok() {
            // Reading does not wait while bytes are there, so a client that sends without end would keep the
            // thread from all others.
            tokio::task::coop::consume_budget().await;
            match transport.try_read(&mut [0; 1024]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::testing;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_looks_for_peers_that_are_gone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        prepare(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(120)));
    }

    #[tokio::test]
    async fn others_come_first_while_the_rest_of_a_connection_is_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().await.unwrap();
        client.set_nonblocking(true).unwrap();
        let mut kib = 0;
        while let Ok(length) = io::Write::write(&mut &client, &[0; 64 * 1024]) {
            kib += length / 1024;
        }
        drop(client);
        let turns = testing::turns();
        close(MaybeTls::Plain(server)).await;
        let turns = turns.load(std::sync::atomic::Ordering::Relaxed);
        assert!(kib >= 256 && turns > kib / 256, "{turns} turns in {kib} KiB");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (mut server, client) = tokio::io::duplex(16);
        let given_up = write_all(&mut server, &[0; 64]).await.unwrap_err();
        assert_eq!(given_up.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
