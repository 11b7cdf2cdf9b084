//! Options of TCP sockets.

use std::io;
use std::time::Duration;

use socket2::{SockRef, Socket, TcpKeepalive};

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

/// Lets a listening socket have a free port: without an option, no other socket can take the port of one that
/// listens, and the last connections of an ended server do not block it. `SO_REUSEADDR` would let a second server
/// listen on the port of the first.
pub(crate) fn take_free_port(_: &Socket) -> io::Result<()> {
    Ok(())
}
