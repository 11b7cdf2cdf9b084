//! The requests of one connection: gRPC's go to the router of gRPC, all others through the guard to a route.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::connection::Connection;
use super::{guard, plain, routes};
use crate::metrics::Transport;
use crate::server::authenticator::WrongTokens;
use crate::server::grpc::{self, Answer, Calls};
use crate::server::maybe_tls::MaybeTls;
use crate::server::service::Service;

/// The requests of one connection.
pub(super) struct Requests(Arc<Connection>);

impl Requests {
    pub(super) fn new(service: Service, stream: &MaybeTls) -> Self {
        Self(Arc::new(Connection::new(service, stream)))
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
            return if protocols.grpc {
                router.call(request, Transport::Grpc)
            } else {
                grpc::not_served(protocols)
            };
        }
        let connection = Arc::clone(&self.0);
        Box::pin(async move { Ok(connection.answer(request).await) })
    }
}

impl Connection {
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
        plain::secure(headers);
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if is_last {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(tonic::body::Body::new)
    }
}
