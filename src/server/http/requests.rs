//! The requests of one connection: gRPC's go to the router of gRPC, all others to the routes.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
#[cfg(feature = "http")]
use tonic::codegen::http::Version;
use tonic::codegen::http::{Request, Response};

use super::connection::Connection;
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
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let router = &self.0.router;
        router.calls().note_request();
        let protocols = router.calls().service.protocols;
        #[cfg(feature = "http")]
        if protocols.http && !(request.version() == Version::HTTP_2 && grpc::is_grpc(request.headers())) {
            return super::routes::answer(Arc::clone(&self.0), request);
        }
        match protocols.grpc {
            true => router.call(request, Transport::Grpc),
            false => grpc::not_served(protocols),
        }
    }
}
