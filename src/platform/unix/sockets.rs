//! Options of TCP sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, Socket, TcpKeepalive};

pub(crate) use super::kernel::{acknowledge_now, limit_unsent};

/// Whether a read may wait for bytes that do not come: its time is kept, and the connection goes on.
pub(crate) const MAY_READ_IN_VAIN: bool = true;

/// Lets the system ask a silent peer whether it is still there: after this time, this often, and so many times if
/// a number is given.
pub(crate) fn keep_alive(
    socket: &SockRef<'_>,
    after: Duration,
    every: Duration,
    times: Option<u32>,
) -> io::Result<()> {
    let probes = TcpKeepalive::new().with_time(after).with_interval(every);
    socket.set_tcp_keepalive(&times.into_iter().fold(probes, TcpKeepalive::with_retries))
}

/// Gives a socket that will listen an address whose port may have last connections that the system still remembers,
/// as after a restart, but no port that another socket listens on.
pub(crate) fn bind(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}
