//! A connection as the transports see it, with TLS or without.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The most written bytes that TLS buffers until the client takes them: one record. The server notices only
/// by completed writes that a client takes anything at all.
const TLS_UNSENT_BYTES_MAX: usize = 16 * 1024;

/// A connection. The state of TLS is boxed, so that an idle plain connection is no larger for it.
pub(super) enum MaybeTls {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl MaybeTls {
    pub(super) fn tls(mut stream: TlsStream<TcpStream>) -> Self {
        stream.get_mut().1.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
        MaybeTls::Tls(Box::new(stream))
    }

    /// Waits until there is something to read or the connection has ended. Holds no buffer during the wait.
    pub(super) async fn readable(&mut self) -> io::Result<()> {
        match self {
            MaybeTls::Plain(stream) => stream.readable().await,
            MaybeTls::Tls(stream) => stream.fill_buf().await.map(|_| ()),
        }
    }

    /// Waits until the client has sent something or has stopped sending. Unlike `readable`, is never ready
    /// without a reason.
    pub(super) async fn says_more(&mut self) -> io::Result<()> {
        match self {
            MaybeTls::Plain(stream) => stream.peek(&mut [0]).await.map(|_| ()),
            MaybeTls::Tls(stream) => stream.fill_buf().await.map(|_| ()),
        }
    }

    /// Takes the bytes that have arrived, up to the room in the buffer, without waiting.
    pub(super) fn try_read_buf(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let stream = match self {
            MaybeTls::Plain(stream) => return stream.try_read_buf(buffer),
            MaybeTls::Tls(stream) => stream,
        };
        let mut length = 0;
        // TLS gives one record at a time. Reading stops when there is none, so a short read has emptied the
        // connection, as above.
        while length == 0 || buffer.len() < buffer.capacity() {
            // No task is woken: a caller that finds nothing waits by `readable`.
            let mut context = Context::from_waker(Waker::noop());
            let come = match Pin::new(&mut *stream).poll_fill_buf(&mut context) {
                Poll::Ready(Ok(come)) => come,
                // The bytes before the error are returned first; the next read returns the error.
                Poll::Ready(Err(_)) if length > 0 => break,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending if length > 0 => break,
                Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
            };
            if come.is_empty() {
                break;
            }
            let taken = come.len().min((buffer.capacity() - buffer.len()).max(1));
            buffer.extend_from_slice(&come[..taken]);
            Pin::new(&mut *stream).consume(taken);
            length += taken;
        }
        Ok(length)
    }

    /// The client's address, if the client is still there.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.transport().peer_addr().ok()
    }

    /// The address at which the connection arrived.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.transport().local_addr().ok()
    }

    /// The TCP connection below.
    pub(super) fn transport(&self) -> &TcpStream {
        match self {
            MaybeTls::Plain(stream) => stream,
            MaybeTls::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl AsyncRead for MaybeTls {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for MaybeTls {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            MaybeTls::Plain(stream) => stream.is_write_vectored(),
            MaybeTls::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_flush(context),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
