//! Discovery of the server: by a given address, or else by the port file.

use std::path::PathBuf;

use super::ConnectionError;
use crate::catalog::Quoted;
use crate::io_error::describe;
use crate::port_file;

/// The way to a server. A client follows the way again before each connection, because a restarted server may
/// have another port.
#[derive(Debug, Clone)]
pub enum Discovery {
    /// The address of the server, `HOST:PORT`.
    Address(String),
    /// The port file of the server.
    PortFile(PathBuf),
}

/// An address that is not `HOST:PORT`.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} não é um endereço de servidor. Nada foi enviado; escreva --server HOST:PORTA, como localhost:8082",
    Quoted(.0)
)]
pub struct NotAnAddress(String);

impl Discovery {
    /// The way to the server at `address` or, without one, to the server of `port_file`. An empty address
    /// counts as none, because an empty environment variable means none.
    ///
    /// # Errors
    /// If the address is not `HOST:PORT`.
    pub fn new(address: Option<String>, port_file: PathBuf) -> Result<Self, NotAnAddress> {
        let Some(address) = address.filter(|address| !address.is_empty()) else {
            return Ok(Discovery::PortFile(port_file));
        };
        let port = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        match port {
            Some((host, Ok(1..))) if !host.is_empty() => Ok(Discovery::Address(address)),
            _ => Err(NotAnAddress(address)),
        }
    }

    /// The server's address now.
    ///
    /// # Errors
    /// If the port file cannot be read, or holds no port.
    pub fn find(&self) -> Result<String, ConnectionError> {
        match self {
            Discovery::Address(address) => Ok(address.clone()),
            Discovery::PortFile(path) => match port_file::read(path) {
                Ok(place) => Ok(place.to_string()),
                Err(error) => Err(ConnectionError::NoServer(format!(
                    "{error}. Nada foi enviado; inicie um servidor com `hortifruti serve` nesta pasta, \
                     ou diga onde ele está com --server HOST:PORTA ou --port-file"
                ))),
            },
        }
    }

    /// The name of the shop that this way leads to. Shells that find the server in the same way share their
    /// changes in doubt.
    pub fn shop(&self) -> String {
        match self {
            Discovery::Address(address) => address.clone(),
            Discovery::PortFile(path) => {
                let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
                absolute.unwrap_or_else(|_| path.clone()).display().to_string()
            }
        }
    }

    /// The name of the shop, for people: the name of the folder of the port file. `None` for a server that was
    /// given by its address.
    pub fn shop_name(&self) -> Option<String> {
        let Discovery::PortFile(path) = self else { return None };
        let path = path.canonicalize().ok()?;
        Some(path.parent()?.file_name()?.to_string_lossy().into_owned())
    }

    /// The error of a connection, with a note if the port file is stale: nothing accepts connections at its
    /// address.
    pub(super) fn explain(&self, error: ConnectionError) -> ConnectionError {
        match (self, error) {
            (Discovery::PortFile(path), ConnectionError::Connect { address, error }) => {
                ConnectionError::NoServer(format!(
                    "o arquivo de porta {} está obsoleto: nada responde em {address} ({}). \
                     Nada foi enviado; inicie um servidor com `hortifruti serve`",
                    path.display(),
                    describe(&error)
                ))
            }
            (_, error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        let find = |address: &str| Discovery::new(Some(address.to_owned()), PathBuf::from("p"));
        for address in ["localhost:8082", "[::1]:1", "192.0.2.1:65535"] {
            assert!(matches!(find(address), Ok(Discovery::Address(same)) if same == address), "{address}");
        }
        for address in ["localhost", ":8082", "localhost:0", "localhost:65536", "8082"] {
            assert!(find(address).is_err(), "{address}");
        }
        assert!(matches!(find(""), Ok(Discovery::PortFile(_))));
    }
}
