//! The byte stream of a connection: TCP, TLS over it if the options say so, and a count of the bytes in both
//! directions.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::{ConnectOptions, ConnectionError};
use crate::tls::{Problem, server_name};

/// The longest time that the system waits for one host to accept a connection; [`Patience`](super::Patience)
/// usually gives up earlier.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection of bytes, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to the first host of an address that accepts a connection. With a TLS configuration, completes
/// the handshake, so that its errors are known before anything is sent.
pub(super) async fn open(
    address: &str,
    options: &ConnectOptions,
    tls: Option<Arc<ClientConfig>>,
) -> Result<(Box<dyn Stream>, Arc<Traffic>), ConnectionError> {
    let traffic = Arc::new(Traffic::default());
    let stream = Counted { stream: dial(address, options).await?, traffic: Arc::clone(&traffic) };
    let Some(config) = tls else { return Ok((Box::new(stream), traffic)) };
    let failed = |problem| ConnectionError::Tls { address: address.to_owned(), problem };
    let name = server_name(address).ok_or_else(|| failed(Problem::NoName))?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    let stream = connected.map_err(|error| ConnectionError::of_io(address, &error))?;
    Ok((Box::new(stream), traffic))
}

async fn dial(address: &str, options: &ConnectOptions) -> Result<TcpStream, ConnectionError> {
    let failed = |error| ConnectionError::Connect { address: address.to_owned(), error };
    let mut last_error = io::ErrorKind::AddrNotAvailable.into();
    for candidate in machines(address).await.map_err(failed)? {
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(candidate)).await {
            Ok(Ok(stream)) => {
                // A request is one small write, which must not wait for more.
                stream.set_nodelay(true).map_err(failed)?;
                if !options.may_show_token_to(candidate.ip()) {
                    return Err(ConnectionError::TokenInTheClear { address: address.to_owned() });
                }
                return Ok(stream);
            }
            Ok(Err(error)) => last_error = error,
            Err(_) => last_error = io::ErrorKind::TimedOut.into(),
        }
    }
    match last_error.kind() {
        // The server's queue of connections is full, or a firewall on the way drops the packets.
        io::ErrorKind::TimedOut => Err(ConnectionError::NotAnswering { address: address.to_owned() }),
        _ => Err(failed(last_error)),
    }
}

/// The hosts of an address. The lookup of a name has its own thread, because it cannot be interrupted; one of
/// tokio's threads would delay the end of the runtime.
async fn machines(address: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Ok(vec![address]);
    }
    let (sender, found) = oneshot::channel();
    let address = address.to_owned();
    std::thread::Builder::new()
        .name("hortifruti-name".to_owned())
        .spawn(move || sender.send(address.to_socket_addrs().map(in_order)))?;
    found.await.unwrap_or_else(|_| Err(io::Error::other("a busca do nome terminou sem resultado")))
}

/// The addresses of a name in the order in which they are tried. Those of this machine begin with 127.0.0.1, on
/// which a server listens by default: Windows takes two seconds to find that nobody listens on
/// `::1`.
fn in_order(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = Vec::from_iter(found);
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        addresses.sort_by_key(SocketAddr::is_ipv6);
    }
    addresses
}

/// The bytes of one connection so far, with the overhead of TLS.
#[derive(Debug, Default)]
pub struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// The bytes received.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// The bytes received and sent.
    pub fn total(&self) -> u64 {
        self.received() + self.sent.load(Ordering::Relaxed)
    }
}

/// A connection that counts its bytes.
struct Counted {
    stream: TcpStream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.traffic.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        poll
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(length)) = &poll {
            self.traffic.sent.fetch_add(*length as u64, Ordering::Relaxed);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
