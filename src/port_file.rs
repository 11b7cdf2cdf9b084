//! The port file, in which a server writes its port for clients: digits and nothing else, because the
//! original's client expects that. If `localhost` does not reach the server, the address file beside the port
//! file has the address.

mod place;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use self::place::Place;
use crate::io_error::describe;
use crate::platform::{files, machine};
use crate::private_file::{self, AtomicFile, NameState, Obstacle};

/// The environment variable with the path of the service's port file on a machine that keeps it elsewhere.
pub const OF_SERVICE_VARIABLE: &str = "HORTIFRUTI_SERVICE_PORT_FILE";

/// The longest content that is read from either file, in bytes: an IPv6 address with its port fits.
const CONTENT_BYTES_MAX: u64 = 64;

/// The suffix of the address file's name, after the name of the port file.
const ADDRESS_SUFFIX: &str = ".address";

/// The marks that editors put before a text and after a line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const LINE_ENDS: [&[u8]; 2] = [b"\r\n", b"\n"];

/// The number of digits of the largest port.
const PORT_DIGITS_MAX: usize = 5;

/// Why a port file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortFileError {
    /// There is no port file.
    #[error("não há arquivo de porta em {path}")]
    Missing {
        /// The path at which it was expected.
        path: String,
    },
    /// The file holds no port.
    #[error("o arquivo de porta {path} não contém uma porta")]
    NotAPort {
        /// The file.
        path: String,
    },
    /// Another file, a folder or a link has the name.
    #[error(
        "{path} {obstacle}, e só um arquivo de porta pode ser substituído. O servidor não foi iniciado e nada foi \
         alterado; indique outro nome com --port-file, ou mude {path} de lugar"
    )]
    NotOurs {
        /// The file.
        path: String,
        /// A description of the thing that has the name.
        obstacle: Obstacle,
    },
    /// The file belongs to another server, which answers.
    #[error(
        "o arquivo de porta {path} é de outro servidor, que responde em {place}. \
         O servidor não foi iniciado; indique outro arquivo com --port-file"
    )]
    InUse {
        /// The file.
        path: String,
        /// The place of the other server.
        place: Place,
    },
    /// Another server is about to write the file.
    #[error(
        "outro servidor está começando com o arquivo de porta {path}. O servidor não foi iniciado; indique outro \
         arquivo com --port-file"
    )]
    Starting {
        /// The file.
        path: String,
    },
    /// The system refuses to read or write the file.
    #[error("não foi possível {action} o arquivo de porta {path}: {}. Confira a pasta e as permissões", describe(.error))]
    Io {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The file.
        path: String,
        /// The reason that the system gives.
        error: io::Error,
    },
}

/// The port file of the server that the system starts, which clients of every user find from every folder.
pub fn of_service() -> PathBuf {
    let elsewhere = env::var_os(OF_SERVICE_VARIABLE).filter(|path| !path.is_empty());
    elsewhere.map_or_else(machine::service_port_file, PathBuf::from)
}

/// The port file by which a client finds its server: `path`, or that of the service if there is none of that name.
pub fn found_or(path: &Path, of_service: &Path) -> PathBuf {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    if !is_there(path) && is_there(of_service) { of_service.to_owned() } else { path.to_owned() }
}

/// Reads the place of the server that wrote a port file.
///
/// # Errors
/// If there is no file, the file holds no port, or a file cannot be read.
pub fn read(path: &Path) -> Result<Place, PortFileError> {
    let shown = || path.display().to_string();
    let content = content(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => PortFileError::Missing { path: shown() },
        _ => PortFileError::Io { action: "ler", path: shown(), error },
    })?;
    let port = port(&content).ok_or_else(|| PortFileError::NotAPort { path: shown() })?;
    // The address is beside the file itself, even if the name is a link to it.
    let address_path = address_path(&files::real_path(path).unwrap_or_else(|_| path.to_owned()));
    let address = match self::content(&address_path) {
        Ok(content) => address(&content),
        // A client that ignored the address could reach another server.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let path = address_path.display().to_string();
            return Err(PortFileError::Io { action: "ler", path, error });
        }
        Err(_) => None,
    };
    // An address with another port was left behind by another server.
    let address = address.filter(|address| address.port() == port);
    Ok(address.map_or(Place::Local(port), Place::At))
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    private_file::open_to_read(path)?.take(CONTENT_BYTES_MAX).read_to_end(&mut content)?;
    Ok(content)
}

/// The port in the content of a port file.
fn port(content: &[u8]) -> Option<u16> {
    let digits = line(content)?;
    let is_bare = digits.len() <= PORT_DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_bare && *port > 0)
}

/// The address in the content of an address file.
fn address(content: &[u8]) -> Option<SocketAddr> {
    line(content)?.parse().ok().filter(|address: &SocketAddr| address.port() > 0)
}

fn line(content: &[u8]) -> Option<&str> {
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let line = LINE_ENDS.iter().find_map(|end| content.strip_suffix(*end)).unwrap_or(content);
    str::from_utf8(line).ok()
}

/// The path of the address file that belongs to a port file.
fn address_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ADDRESS_SUFFIX);
    name.into()
}

/// The names that a server may write: that of the port file and that of the address file.
pub fn names(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), address_path(path)]
}

/// A port file that is written but has no name yet. No other server can write it until then.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    place: Place,
    port_file: AtomicFile,
    /// The address file, if `localhost` does not reach the server.
    address_file: Option<AtomicFile>,
}

/// Writes the port file under a temporary name, before the server writes any other file. The final name must
/// be free, or belong to a port file whose server does not answer any more.
///
/// # Errors
/// If another thing has the name, another server uses the file, or the file cannot be written.
pub fn prepare(path: &Path, own: SocketAddr) -> Result<Prepared, PortFileError> {
    let place = Place::of(own);
    let address_path = address_path(path);
    refuse_other(path, |head| port(head).is_some())?;
    if matches!(place, Place::At(_)) {
        refuse_other(&address_path, |head| address(head).is_some())?;
    }
    match read(path) {
        Ok(place) if place.answers(own) => {
            return Err(PortFileError::InUse { path: path.display().to_string(), place });
        }
        _ => {}
    }
    let of_service = of_service();
    let begin = |path: &Path, content: String| {
        // The folder of the service's port file has the address file too.
        let begun = match of_service.parent().is_some_and(|folder| path.starts_with(folder)) {
            // Clients of other users read it.
            true => AtomicFile::begin_shared(path),
            false => AtomicFile::begin(path),
        };
        let begun = begun.and_then(|made| {
            made.file().write_all(content.as_bytes())?;
            Ok(made)
        });
        begun.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => PortFileError::Starting { path: path.display().to_string() },
            _ => not_written(path, error),
        })
    };
    let port_file = begin(path, place.port().to_string())?;
    let address_file = match place {
        Place::Local(_) => None,
        Place::At(address) => Some(begin(&address_path, address.to_string())?),
    };
    Ok(Prepared { path: path.to_owned(), place, port_file, address_file })
}

fn refuse_other(path: &Path, is_ours: impl Fn(&[u8]) -> bool) -> Result<(), PortFileError> {
    match NameState::at(path, is_ours).map_err(|error| not_written(path, error))? {
        NameState::Free | NameState::Ours => Ok(()),
        NameState::Other(obstacle) => {
            Err(PortFileError::NotOurs { path: path.display().to_string(), obstacle })
        }
    }
}

fn not_written(path: &Path, error: io::Error) -> PortFileError {
    PortFileError::Io { action: "escrever", path: path.display().to_string(), error }
}

impl Prepared {
    /// Gives the complete file its name, so that nobody reads half a port. The file is synced first, because
    /// a power cut could leave an empty file, which the next start would not recognise as a port file.
    ///
    /// # Errors
    /// If the file cannot be written, or another program has taken its name since.
    pub fn publish(self) -> Result<Published, PortFileError> {
        let Self { path, place, port_file, address_file } = self;
        let address_path = address_path(&path);
        let published = Published { path, place };
        // The address file is written first, because clients read it after the port file.
        let addressed = match address_file {
            Some(file) => file.finish_over(|head| address(head).is_some()),
            None => remove_if(&address_path, |head| address(head).is_some()),
        };
        let named = addressed.map_err(|error| (&address_path, error)).and_then(|()| {
            port_file.finish_over(|head| port(head).is_some()).map_err(|error| (&published.path, error))
        });
        match named {
            Ok(()) => Ok(published),
            Err((path, error)) => {
                let error = not_written(path, error);
                published.remove();
                Err(error)
            }
        }
    }
}

/// The port file that this process wrote.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
    place: Place,
}

impl Published {
    /// Removes the port file, and the address file beside it, if they are still this server's.
    pub fn remove(self) {
        let Self { path, place } = self;
        let is_own_port = |head: &[u8]| port(head) == Some(place.port());
        let is_own_address = |head: &[u8]| address(head).map(Place::At) == Some(place);
        let removed =
            remove_if(&path, is_own_port).and_then(|()| remove_if(&address_path(&path), is_own_address));
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "the port file could not be removed");
        }
    }
}

/// Removes a file if `is_ours` recognises its content.
fn remove_if(path: &Path, is_ours: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    match NameState::at(path, is_ours)? {
        NameState::Ours => files::remove(path),
        NameState::Free | NameState::Other(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    use super::place::is_of_this_machine;
    use super::*;

    fn local(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    fn publish(path: &Path, own: SocketAddr) -> Result<Published, PortFileError> {
        prepare(path, own)?.publish()
    }

    #[test]
    fn a_port_is_left_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let published = publish(&path, local(8082)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "8082");
        assert_eq!(read(&path).unwrap(), Place::Local(8082));
        fs::write(&path, "9999").unwrap();
        published.remove();
        assert!(path.exists(), "another server's file is left alone");
        for (content, expected) in
            [("8082", 8082), ("1\n", 1), ("65535\r\n", 65535), ("\u{feff}80", 80), ("\u{feff}80\r\n", 80)]
        {
            fs::write(&path, content).unwrap();
            assert_eq!(read(&path).unwrap(), Place::Local(expected), "{content:?}");
            publish(&path, local(8082)).unwrap();
        }
        publish(&path, local(8082)).unwrap().remove();
        assert!(matches!(read(&path), Err(PortFileError::Missing { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_port_is_neither_believed_nor_replaced_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let long = format!("8082{}", " ".repeat(100));
        for content in [
            "",
            "\n",
            "x",
            "0",
            "70000",
            "080820",
            "-1",
            "+8082",
            "8082 8083",
            "8082\n\n",
            " 8082",
            "80,82",
            "8082\nnome",
            "\u{0}\u{ff}",
            &long,
        ] {
            fs::write(&path, content).unwrap();
            assert!(matches!(read(&path), Err(PortFileError::NotAPort { .. })), "{content:?}");
            let refused = prepare(&path, local(8082)).unwrap_err().to_string();
            assert!(refused.contains("é outro arquivo") && refused.contains("--port-file"), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        // Another program puts a file there after the start.
        fs::remove_file(&path).unwrap();
        let prepared = prepare(&path, local(8082)).unwrap();
        fs::write(&path, "importante").unwrap();
        prepared.publish().unwrap_err();
        fs::remove_file(&path).unwrap();
        let published = publish(&path, local(8082)).unwrap();
        fs::write(&path, "8082 importante").unwrap();
        published.remove();
        assert_eq!(fs::read_to_string(&path).unwrap(), "8082 importante");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_services_file_is_the_last_place_to_look() {
        let folder = tempfile::tempdir().unwrap();
        let (own, of_service) = (folder.path().join("server_port.txt"), folder.path().join("do-servico"));
        assert_eq!(found_or(&own, &of_service), own);
        fs::write(&of_service, "8082").unwrap();
        assert_eq!(found_or(&own, &of_service), of_service);
        fs::write(&own, "velho").unwrap();
        assert_eq!(found_or(&own, &of_service), own);
    }

    #[test]
    fn a_living_servers_file_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let living = TcpListener::bind(local(0)).unwrap();
        let port = living.local_addr().unwrap().port();
        fs::write(&path, port.to_string()).unwrap();
        for own in [local(1), ([127, 0, 0, 2], port).into(), ([0, 0, 0, 0], 1).into()] {
            assert!(matches!(publish(&path, own), Err(PortFileError::InUse { .. })), "{own}");
        }
        drop(living);
        let first = prepare(&path, local(1)).unwrap();
        assert!(matches!(prepare(&path, local(2)), Err(PortFileError::Starting { .. })));
        first.publish().unwrap();
    }

    #[test]
    fn a_server_whose_queue_is_full_is_there() {
        use socket2::{Domain, Socket, Type};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let busy = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        busy.bind(&local(0).into()).unwrap();
        busy.listen(0).unwrap();
        let address = busy.local_addr().unwrap().as_socket().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100));
        let waiting: Vec<_> = std::iter::from_fn(|| connect().ok()).take(1000).collect();
        assert!(waiting.len() < 1000, "the queue has no end");
        fs::write(&path, address.port().to_string()).unwrap();
        assert!(matches!(publish(&path, local(1)), Err(PortFileError::InUse { .. })));
        drop((waiting, busy));
        publish(&path, local(1)).unwrap();
        assert!(is_of_this_machine([127, 0, 0, 2].into()) && !is_of_this_machine([192, 0, 2, 99].into()));
    }

    #[test]
    fn an_address_that_localhost_does_not_reach_stands_beside_the_port() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let beside = folder.path().join("server_port.txt.address");
        for reached in ["127.0.0.1:80", "0.0.0.0:80", "[::]:80", "[::ffff:127.0.0.1]:80"] {
            let published = publish(&path, reached.parse().unwrap()).unwrap();
            assert!(!beside.exists(), "{reached}");
            published.remove();
        }
        for (listening, reached) in [
            ("127.0.0.2:80", "127.0.0.2:80"),
            ("[::1]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[::ffff:127.0.0.2]:80", "127.0.0.2:80"),
        ] {
            let published = publish(&path, listening.parse().unwrap()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "80");
            assert_eq!(fs::read_to_string(&beside).unwrap(), reached);
            assert_eq!(read(&path).unwrap().to_string(), reached);
            published.remove();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }

        // An address that was left behind is ignored, and the next server removes it.
        let living = TcpListener::bind("127.0.0.2:0").unwrap();
        let address = living.local_addr().unwrap();
        publish(&path, address).unwrap();
        assert!(matches!(publish(&path, local(1)), Err(PortFileError::InUse { .. })));
        assert!(matches!(publish(&path, local(address.port())), Err(PortFileError::InUse { .. })));
        drop(living);
        fs::write(&path, "81").unwrap();
        assert_eq!(read(&path).unwrap(), Place::Local(81));
        publish(&path, local(80)).unwrap();
        assert!(!beside.exists());

        // A file without an address is kept, and only a server that must write its address is refused.
        fs::write(&beside, "importante").unwrap();
        publish(&path, local(80)).unwrap();
        assert_eq!(read(&path).unwrap(), Place::Local(80));
        let refused = publish(&path, ([127, 0, 0, 2], 80).into()).unwrap_err().to_string();
        assert!(refused.contains("server_port.txt.address é outro arquivo"), "{refused}");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "importante");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_neither_followed_nor_replaced() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        let target = folder.path().join("alheio");
        fs::write(&target, "8081").unwrap();
        symlink(&target, &path).unwrap();
        let refused = publish(&path, local(8082)).unwrap_err().to_string();
        assert!(refused.contains("é um link simbólico"), "{refused}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "8081");
        assert!(path.is_symlink());
        // A client may follow a link, and find the address beside its target.
        assert_eq!(read(&path).unwrap(), Place::Local(8081));
        fs::write(folder.path().join("alheio.address"), "127.0.0.2:8081").unwrap();
        assert_eq!(read(&path).unwrap().to_string(), "127.0.0.2:8081");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server_port.txt");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(read(&path), Err(PortFileError::Io { .. })));
        assert!(matches!(prepare(&path, local(1)), Err(PortFileError::NotOurs { .. })));
        // A pipe beside the port is not waited for either.
        let beside = address_path(&path);
        fs::rename(&path, &beside).unwrap();
        fs::write(&path, "80").unwrap();
        assert_eq!(read(&path).unwrap(), Place::Local(80));
    }
}
