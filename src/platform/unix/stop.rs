//! The end of a server of this machine that another process asks for.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::time::Duration;

use super::kernel;

/// Does nothing: signals reach every server.
pub(crate) fn accept(_: u16) -> io::Result<()> {
    Ok(())
}

/// Stops this program's server at an address of this machine, or at `localhost`, as SIGTERM does, and waits for its end.
/// Returns whether the server ended within this time.
///
/// # Errors
/// If no process of this program that the caller may look at listens there ([`ErrorKind::NotFound`]), or if the
/// system has no means to find one ([`ErrorKind::Unsupported`]).
pub(crate) fn stop(ip: Option<IpAddr>, port: u16, wait: Duration) -> io::Result<bool> {
    let process = kernel::listener(ip, port)?.ok_or(ErrorKind::NotFound)?;
    process.end()?;
    Ok(process.has_ended_within(wait))
}
