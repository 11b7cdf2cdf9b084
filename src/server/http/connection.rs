//! A connection, as the routes see it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use tonic::codegen::http::{HeaderMap, header};

use crate::server::grpc::{Calls, Router};
use crate::server::maybe_tls::MaybeTls;
use crate::server::service::Service;

/// The most requests of a connection of HTTP/1.1. A browser opens another; what a connection holds on to is
/// given back.
const REQUESTS_MAX: u32 = 10_000;

/// Everything that a route needs of the connection over which a request came.
pub(super) struct Connection {
    pub(super) router: Router,
    /// The address at which the connection arrived.
    pub(super) local: Option<IpAddr>,
    asked: AtomicU32,
}

impl Connection {
    pub(super) fn new(service: Service, stream: &MaybeTls) -> Self {
        let local = stream.local().map(|address| address.ip().to_canonical());
        let router = Router::new(Calls::new(service), stream.peer());
        Self { router, local, asked: AtomicU32::new(0) }
    }

    pub(super) fn service(&self) -> &Service {
        &self.router.calls().service
    }

    /// Whether a request of HTTP/1.1 is the last of its connection. A body in chunks ends the connection,
    /// because a length beside the chunks, which a proxy may have gone by, is not seen here: what follows
    /// could be a request that the proxy has not checked (RFC 9112 §6.1).
    pub(super) fn is_last(&self, headers: &HeaderMap) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_MAX
            || headers.contains_key(header::TRANSFER_ENCODING)
    }
}
