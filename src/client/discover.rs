//! Discovery of the server: by given addresses, or else by the port file.

use std::path::PathBuf;

use super::ConnectionError;
use crate::catalog::Quoted;
use crate::io_error::describe;
use crate::platform::files::real_path;
use crate::port_file;

/// The way to a server. A client follows the way again before each connection, because a restarted server may
/// have another port.
#[derive(Debug, Clone)]
pub enum Discovery {
    /// The addresses of the shop's servers, each `HOST:PORT`. At least one.
    Addresses(Vec<String>),
    /// The port file of the server.
    PortFile(PathBuf),
}

/// An address that is not `HOST:PORT`.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} não é um endereço de servidor. Nada foi enviado; escreva --server HOST:PORTA, como localhost:8082, com \
     vírgula entre vários",
    Quoted(.0)
)]
pub struct NotAnAddress(String);

impl Discovery {
    /// The way to the server at one address, given as such.
    pub fn at(address: String) -> Self {
        Discovery::Addresses(vec![address])
    }

    /// The way to the servers at `addresses`, separated by commas, or, without any, to the server of `port_file`.
    /// An empty text counts as none, because an empty environment variable means none.
    ///
    /// # Errors
    /// If an address is not `HOST:PORT`.
    pub fn new(addresses: Option<String>, port_file: PathBuf) -> Result<Self, NotAnAddress> {
        let Some(addresses) = addresses.filter(|addresses| !addresses.is_empty()) else {
            return Ok(Discovery::PortFile(port_file));
        };
        let mut each: Vec<String> = Vec::new();
        for address in addresses.split(',').map(str::trim) {
            if !is_address(address) {
                return Err(NotAnAddress(address.to_owned()));
            }
            if !each.iter().any(|other| other == address) {
                each.push(address.to_owned());
            }
        }
        Ok(Discovery::Addresses(each))
    }

    /// The addresses of the servers now.
    ///
    /// # Errors
    /// If the port file cannot be read, or holds no port.
    pub fn find(&self) -> Result<Vec<String>, ConnectionError> {
        match self {
            Discovery::Addresses(addresses) => Ok(addresses.clone()),
            Discovery::PortFile(path) => match port_file::read(path) {
                Ok(place) => Ok(vec![place.to_string()]),
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
            Discovery::Addresses(addresses) => addresses.join(","),
            Discovery::PortFile(path) => {
                let absolute = real_path(path).or_else(|_| std::path::absolute(path));
                absolute.unwrap_or_else(|_| path.clone()).display().to_string()
            }
        }
    }

    /// The name of the shop, for people: the name of the folder of the port file. `None` for servers that were
    /// given by their addresses.
    pub fn shop_name(&self) -> Option<String> {
        let Discovery::PortFile(path) = self else { return None };
        let path = real_path(path).ok()?;
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

/// Whether a text is an address, `HOST:PORT`. A host has only the characters of names and of IP addresses, because
/// an address may come from a server.
pub(super) fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_of_host = |character: char| character.is_alphanumeric() || "-._:[]%".contains(character);
    !host.is_empty() && host.chars().all(is_of_host) && matches!(port.parse::<u16>(), Ok(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        let find = |addresses: &str| Discovery::new(Some(addresses.to_owned()), PathBuf::from("p"));
        for (text, addresses) in [
            ("localhost:8082", &["localhost:8082"][..]),
            ("[::1]:1", &["[::1]:1"]),
            ("192.0.2.1:65535", &["192.0.2.1:65535"]),
            ("loja1:8082, loja2:8082,loja1:8082", &["loja1:8082", "loja2:8082"]),
        ] {
            let found = find(text).unwrap();
            assert_eq!(found.find().unwrap(), addresses, "{text}");
        }
        for addresses in
            ["localhost", ":8082", "localhost:0", "localhost:65536", "8082", "a:1,", "a:1,b", "a b:1"]
        {
            assert!(find(addresses).is_err(), "{addresses}");
        }
        assert!(matches!(find(""), Ok(Discovery::PortFile(_))));
    }
}
