//! The requests of one connection: gRPC's go to the router of gRPC, all others through the guard to a route.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::{HeaderMap, HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::{guard, routes};
use crate::server::authenticator::WrongTokens;
use crate::server::grpc::{self, Answer, Calls, Router};
use crate::server::maybe_tls::MaybeTls;
use crate::server::service::Service;

/// The most requests of a connection of HTTP/1.1. A browser opens another; what a connection holds on to is
/// given back.
const REQUESTS_MAX: u32 = 10_000;

/// The security headers of every answer: nothing is loaded from elsewhere, nothing runs but the panel's own
/// files, and no other page frames, embeds or opens this one.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The requests of one connection.
pub(super) struct Requests(Arc<Connection>);

/// Everything that a route needs of the connection over which a request came.
pub(super) struct Connection {
    pub(super) router: Router,
    /// The address at which the connection arrived.
    pub(super) local: Option<IpAddr>,
    asked: AtomicU32,
}

impl Requests {
    pub(super) fn new(service: Service, stream: &MaybeTls) -> Self {
        let local = stream.local().map(|address| address.ip().to_canonical());
        let router = Router::new(Calls::new(service), stream.peer());
        Self(Arc::new(Connection { router, local, asked: AtomicU32::new(0) }))
    }

    pub(super) fn calls(&self) -> Arc<Calls> {
        Arc::clone(self.0.router.calls())
    }

    pub(super) fn wrong_tokens(&self) -> Arc<WrongTokens> {
        Arc::clone(self.0.router.wrong_tokens())
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = axum::http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let router = &self.0.router;
        router.calls().note_request();
        let protocols = router.calls().service.protocols;
        if !protocols.http || (request.version() == Version::HTTP_2 && grpc::is_grpc(request.headers())) {
            return if protocols.grpc { router.call(request) } else { grpc::not_served(protocols) };
        }
        let connection = Arc::clone(&self.0);
        Box::pin(async move { Ok(connection.answer(request).await) })
    }
}

impl Connection {
    pub(super) fn service(&self) -> &Service {
        &self.router.calls().service
    }

    /// Answers a request that is no gRPC.
    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> axum::http::Response<tonic::body::Body> {
        let is_last = request.version() != Version::HTTP_2 && self.is_last(request.headers());
        let mut response = match guard::check(&request, &self.service().hosts, self.local) {
            Err(refused) => refused.answer(),
            Ok(()) => {
                request.extensions_mut().insert(Arc::clone(&self));
                let Ok(response) = routes::routes().oneshot(request).await;
                response
            }
        };
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if is_last {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(tonic::body::Body::new)
    }

    /// Whether a request of HTTP/1.1 is the last of its connection. A body in chunks ends the connection,
    /// because a length beside the chunks, which a proxy may have gone by, is not seen here: what follows
    /// could be a request that the proxy has not checked (RFC 9112 §6.1).
    fn is_last(&self, headers: &HeaderMap) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_MAX
            || headers.contains_key(header::TRANSFER_ENCODING)
    }
}
