//! The file in which a server leaves its port for the clients: bare digits and nothing
//! else, because the original's client reads it so.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::private_file::Unfinished;
use crate::system_error::told;

/// How long a port in the file has to accept a connection before it counts as left behind.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// Longest content read: five digits, and room for spaces or a line end.
const CONTENT_BYTES_MAX: u64 = 32;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortFileError {
    /// There is none.
    #[error("não há arquivo de porta em {path}")]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// It holds no port.
    #[error("o arquivo de porta {path} não contém uma porta")]
    NotAPort {
        /// The file.
        path: String,
    },
    /// Another server that answers is in it.
    #[error(
        "o arquivo de porta {path} é de outro servidor, que responde na porta {port}. \
             O servidor não foi iniciado; indique outro arquivo com --port-file"
    )]
    InUse {
        /// The file.
        path: String,
        /// The port in it.
        port: u16,
    },
    /// The file system refused something.
    #[error("não foi possível {action} o arquivo de porta {path}: {}. Confira a pasta e as permissões", told(.error))]
    Io {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
}

/// The port in a file.
///
/// # Errors
/// Where there is no file, or no port in it.
pub fn read(path: &Path) -> Result<u16, PortFileError> {
    use io::Read;
    let shown = || path.display().to_string();
    let mut content = String::new();
    let read =
        fs::File::open(path).and_then(|file| file.take(CONTENT_BYTES_MAX).read_to_string(&mut content));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PortFileError::Missing { path: shown() });
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(PortFileError::NotAPort { path: shown() });
        }
        Err(error) => return Err(PortFileError::Io { action: "ler", path: shown(), error }),
    }
    match content.trim().parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(PortFileError::NotAPort { path: shown() }),
    }
}

/// A port file that this process wrote.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
    port: u16,
}

/// Refuses where the file belongs to a server that still answers, on another port than
/// this one. A file that was left behind, or that holds no port, is free to take.
///
/// # Errors
/// Names the server that has the file.
pub fn check_free(path: &Path, own_port: u16) -> Result<(), PortFileError> {
    match read(path) {
        Ok(port) if port != own_port && answers(port) => {
            Err(PortFileError::InUse { path: path.display().to_string(), port })
        }
        _ => Ok(()),
    }
}

/// Writes the file in one step: a temporary file beside it, then a rename, so that nobody
/// reads half a port and no symbolic link is followed.
///
/// # Errors
/// Where another server that answers has it, or it cannot be written.
pub fn publish(path: &Path, port: u16) -> Result<Published, PortFileError> {
    check_free(path, port)?;
    Unfinished::begin(path)
        .and_then(|made| {
            write!(made.file(), "{port}")?;
            // A port is worth nothing once the power has gone.
            made.name(true)
        })
        .map_err(|error| PortFileError::Io { action: "escrever", path: path.display().to_string(), error })?;
    Ok(Published { path: path.to_owned(), port })
}

impl Published {
    /// Removes the file, if it still holds this server's port.
    pub fn remove(self) {
        if matches!(read(&self.path), Ok(port) if port == self.port)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the port file could not be removed");
        }
    }
}

/// Whether a server answers at this port of `localhost`, by either of its addresses.
fn answers(port: u16) -> bool {
    let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    addresses
        .iter()
        .any(|address| TcpStream::connect_timeout(&SocketAddr::new(*address, port), PROBE_TIMEOUT).is_ok())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_is_left_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let published = publish(&path, 8082).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "8082");
        assert_eq!(read(&path).unwrap(), 8082);
        fs::write(&path, "9999").unwrap();
        published.remove();
        assert!(path.exists(), "another server's file is left alone");
        for content in ["", "x", "0", "70000", "-1", "8082 8083", "\u{0}\u{ff}"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(read(&path), Err(PortFileError::NotAPort { .. })), "{content:?}");
        }
        publish(&path, 8082).unwrap().remove();
        assert!(matches!(read(&path), Err(PortFileError::Missing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_living_servers_file_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let living = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = living.local_addr().unwrap().port();
        fs::write(&path, port.to_string()).unwrap();
        assert!(matches!(publish(&path, 1), Err(PortFileError::InUse { .. })));
        drop(living);
        publish(&path, 1).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let target = folder.path().join("alheio");
        fs::write(&target, "conteúdo").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        publish(&path, 8082).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "conteúdo");
        assert!(!path.symlink_metadata().unwrap().is_symlink());
    }
}
