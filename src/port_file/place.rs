//! The place of a server (its host and port), and whether a server answers at that place.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// The time in which a port must accept a connection, or its server counts as gone.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

/// The place of a server, as `HOST:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A port of `localhost`.
    Local(u16),
    /// An address that `localhost` does not reach.
    At(SocketAddr),
}

impl Place {
    /// The place at which clients of this machine reach a server that listens at this address.
    pub fn of(listening: SocketAddr) -> Self {
        let ip = listening.ip().to_canonical();
        match ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            true => Place::Local(listening.port()),
            false => Place::At(SocketAddr::new(ip, listening.port())),
        }
    }

    /// The port.
    pub fn port(self) -> u16 {
        match self {
            Place::Local(port) => port,
            Place::At(address) => address.port(),
        }
    }

    /// Whether a server at this place would be on this machine.
    pub fn is_of_this_machine(self) -> bool {
        match self {
            Place::Local(_) => true,
            Place::At(address) => is_of_this_machine(address.ip()),
        }
    }

    /// The address, unless it is `localhost`'s.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Place::Local(_) => None,
            Place::At(address) => Some(address.ip()),
        }
    }

    /// Whether a server other than the one that listens at `own` answers at this place.
    pub(super) fn answers(self, own: SocketAddr) -> bool {
        if self == Place::of(own) {
            // The system gave this address to the calling server itself.
            return false;
        }
        let local = |ip: IpAddr| SocketAddr::new(ip, self.port());
        let addresses = match self {
            Place::Local(_) => vec![local(Ipv4Addr::LOCALHOST.into()), local(Ipv6Addr::LOCALHOST.into())],
            Place::At(address) => vec![address],
        };
        addresses.iter().filter(|address| !listens_at(own, **address)).any(|address| {
            match TcpStream::connect_timeout(address, PROBE_TIMEOUT) {
                Ok(_) => true,
                // The accept queue of a busy server may be full. A port of this machine without a server
                // refuses immediately, and does not time out.
                Err(error) if error.kind() == ErrorKind::TimedOut => is_of_this_machine(address.ip()),
                Err(_) => false,
            }
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Local(port) => write!(f, "localhost:{port}"),
            Place::At(address) => write!(f, "{address}"),
        }
    }
}

/// Whether the address belongs to this machine.
pub(super) fn is_of_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// Whether a connection to `address` reaches the server that listens at `own`.
fn listens_at(own: SocketAddr, address: SocketAddr) -> bool {
    let (ip, own_ip) = (address.ip().to_canonical(), own.ip().to_canonical());
    let takes_all = own_ip.is_unspecified() && (own_ip.is_ipv6() || ip.is_ipv4());
    own.port() == address.port() && (takes_all || own_ip == ip)
}
