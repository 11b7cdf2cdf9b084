//! The options of a connection: protocol, TLS and token.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::access::Secret;
use crate::wire::Protocol;

/// The options with which a client connects.
#[derive(Clone, Default)]
pub struct ConnectOptions {
    /// The protocol. Without one, the client finds out which protocol the server speaks.
    pub protocol: Option<Protocol>,
    /// The TLS configuration, if the connection uses TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// The token with which the client authenticates.
    pub token: Option<Secret>,
    /// Whether the token may go to another machine without TLS.
    pub is_insecure: bool,
}

impl ConnectOptions {
    /// Whether the token, if there is one, may go to this address: not if others on the way could read it.
    pub(super) fn may_show_token_to(&self, peer: IpAddr) -> bool {
        self.token.is_none() || self.tls.is_some() || self.is_insecure || peer.to_canonical().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_only_where_nobody_else_can_read_it() {
        let secret = || Secret::parse("segredo");
        let open = ConnectOptions { token: secret(), ..ConnectOptions::default() };
        for (peer, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
            ("::", false),
        ] {
            assert_eq!(open.may_show_token_to(peer.parse().unwrap()), may, "{peer}");
        }
        let stranger: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(ConnectOptions::default().may_show_token_to(stranger));
        let insecure = ConnectOptions { token: secret(), is_insecure: true, ..ConnectOptions::default() };
        assert!(insecure.may_show_token_to(stranger));
        let tls = Some(crate::client::tests::no_authority());
        let hidden = ConnectOptions { token: secret(), tls, ..ConnectOptions::default() };
        assert!(hidden.may_show_token_to(stranger));
    }
}
