//! Options of TCP sockets.

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

/// Whether a read may wait for bytes that do not come. Winsock waits for half a second at least, and does not promise
/// that a connection whose read has timed out can be used.
pub(crate) const MAY_READ_IN_VAIN: bool = false;

/// Lets the system ask a silent peer whether it is still there: after this time, this often, and so many times if
/// a number is given and the system takes one, as Windows does since version 10 1703.
pub(crate) fn keep_alive(
    socket: &SockRef<'_>,
    after: Duration,
    every: Duration,
    times: Option<u32>,
) -> io::Result<()> {
    let probes = TcpKeepalive::new().with_time(after).with_interval(every);
    socket.set_tcp_keepalive(&probes)?;
    if let Some(times) = times {
        let _ = socket.set_tcp_keepalive(&probes.with_retries(times));
    }
    Ok(())
}

/// Ends a connection whose peer acknowledges nothing: Windows does that after some seconds by itself.
pub(crate) fn limit_unsent(_: &SockRef<'_>, _: Duration) -> io::Result<()> {
    Ok(())
}

/// Does nothing: a delayed acknowledgement cannot be hastened for one connection.
pub(crate) fn acknowledge_now(_: &SockRef<'_>) {}

/// Gives a socket that will listen an address with a free port. The last connections of an ended server do not block
/// the port.
///
/// Windows lets a second socket listen at one address of a port on which the first listens at all, and the other way
/// round; `SO_EXCLUSIVEADDRUSE`, which would prevent that, has no safe call. A server therefore also holds its port at
/// all addresses, with a socket that never listens, and of such sockets a port has only one.
pub(crate) fn bind(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
    let everywhere: IpAddr = match bound {
        _ if bound.ip().is_unspecified() => return Ok(()),
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let holder = Socket::new(Domain::for_address(bound), Type::STREAM, None)?;
    match holder.bind(&SocketAddr::new(everywhere, bound.port()).into()) {
        // A port that the system chose may be another program's at other addresses.
        Err(error) if error.kind() == ErrorKind::AddrInUse && address.port() != 0 => Err(error),
        // Held until the process ends.
        _ => Ok(mem::forget(holder)),
    }
}
