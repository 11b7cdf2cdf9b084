//! Sockets in folders.

use std::io;
use std::path::Path;

pub(in crate::store::postgres) use tokio::net::UnixStream as Stream;
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
pub(in crate::store::postgres) async fn connect(folder: &Path, port: u16) -> io::Result<Stream> {
    Stream::connect(folder.join(format!(".s.PGSQL.{port}"))).await
}
