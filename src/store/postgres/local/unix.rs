//! Sockets in folders.

use std::io;
use std::path::Path;

use tokio::net::UnixStream;
use tokio_postgres::config;

use super::Host;

/// The host that the library read from an address.
pub(in crate::store::postgres) fn host(host: &config::Host) -> Host {
    match host {
        config::Host::Tcp(name) => Host::Tcp(name.clone()),
        config::Host::Unix(folder) => Host::Folder(folder.clone()),
    }
}

/// Connects to the engine that listens in a folder.
pub(in crate::store::postgres) async fn connect(folder: &Path, port: u16) -> io::Result<UnixStream> {
    UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await
}
