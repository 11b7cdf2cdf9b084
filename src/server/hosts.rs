//! The names of this server, as a browser may have them in an address.

use std::net::IpAddr;

use tonic::codegen::http::uri::Authority;

use crate::platform::machine::host_name;

/// The name of this machine itself, whatever its network calls it.
const LOCAL: &str = "localhost";

/// The names by which clients reach the server. Any other name may belong to a stranger who lets it point
/// here (DNS rebinding).
pub(super) struct Hosts {
    /// The names that the operator gives.
    public: Vec<String>,
    /// The machine's name, alone and as mDNS has it.
    own: Vec<String>,
}

impl Hosts {
    pub(super) fn new(public: Vec<String>) -> Self {
        Self { public, own: machine_names() }
    }

    /// Whether a host of an address is this server, to a client whose connection arrived at `local`.
    pub(super) fn has(&self, host: &str, local: Option<IpAddr>) -> bool {
        if let Some(address) = address(host) {
            return address.is_loopback() || Some(address) == local || self.is_public(host);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let is = |name: &str| name.eq_ignore_ascii_case(host);
        is(LOCAL) || self.own.iter().any(|name| is(name)) || self.is_public(host)
    }

    /// Whether a host is one of the names that the operator gives.
    pub(super) fn is_public(&self, host: &str) -> bool {
        self.public.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// The names of this machine: as mDNS has it, and alone.
pub fn machine_names() -> Vec<String> {
    match host_name() {
        Some(name) if !name.is_empty() => vec![format!("{name}.local"), name],
        _ => Vec::new(),
    }
}

/// Reads a name by which clients reach the server.
///
/// # Errors
/// If the text is more than a host, or none.
pub fn public_name(text: &str) -> Result<String, &'static str> {
    let is_host = text.parse::<Authority>().is_ok_and(|authority| authority.as_str() == authority.host());
    is_host.then(|| text.to_owned()).ok_or("use só o nome ou o endereço, como loja.example")
}

/// The address that a host is, if it is no name.
fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_this_machine_the_bound_address_or_a_public_name() {
        let hosts = Hosts { public: vec!["loja.example".to_owned()], own: vec!["balcao".to_owned()] };
        let local = "192.0.2.7".parse().ok();
        for host in
            ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"]
        {
            assert!(hosts.has(host, None), "{host}");
        }
        for host in ["192.0.2.7", "[::ffff:192.0.2.7]", "Loja.Example", "Balcao"] {
            assert!(hosts.has(host, local), "{host}");
        }
        for host in ["192.0.2.8", "0.0.0.0", "evil.example", "localhost.evil.example", "a.loja.example", ""] {
            assert!(!hosts.has(host, local), "{host}");
        }
    }
}
