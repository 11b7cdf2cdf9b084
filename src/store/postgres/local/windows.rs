//! No sockets in folders: every host is reached over TCP.

use std::io;
use std::path::Path;

pub(in crate::store::postgres) use tokio::net::TcpStream as Stream;
use tokio_postgres::config;

use super::Host;

/// The host that the library read from an address.
pub(in crate::store::postgres) fn host(host: &config::Host) -> Host {
    let config::Host::Tcp(name) = host;
    Host::Tcp(name.clone())
}

/// Connects to the engine that listens in a folder, which no engine does.
pub(in crate::store::postgres) async fn connect(_: &Path, _: u16) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}
