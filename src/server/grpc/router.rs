//! The router of calls: finds the method, checks the token, its permission and the limits, and waits for the
//! call's turn.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};

use super::arriving::{Arriving, CallBody};
use super::calls::{Asked, Calls};
use super::health::{self, HealthCall};
use super::reflection::{self, Reflection};
use super::{head, own_words};
use crate::access::{self, Identity};
use crate::metrics::Transport;
use crate::operation::{Operation, Permission};
use crate::refusal::Refusal;
use crate::server::authenticator::WrongTokens;
use crate::server::service::Protocols;
use crate::wire::grpc::{INVENTORY_SERVICE, LegacyCall, PRODUTO_SERVICE, status};

/// The method that a call's path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A call of `InventoryService`.
    Exact(Operation),
    /// A call of `ProdutoService`.
    Legacy(LegacyCall),
}

impl Method {
    /// The method of a path, if there is one.
    fn of(path: &str) -> Option<Self> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        match service {
            INVENTORY_SERVICE => {
                let operation = Operation::by_name(method)?;
                operation.spec().message.is_some().then_some(Method::Exact(operation))
            }
            PRODUTO_SERVICE => LegacyCall::by_name(method).map(Method::Legacy),
            _ => None,
        }
    }

    pub(super) fn operation(self) -> Operation {
        match self {
            Method::Exact(operation) => operation,
            Method::Legacy(call) => call.operation(),
        }
    }
}

/// The router of one connection.
pub(in crate::server) struct Router {
    calls: Arc<Calls>,
    peer: Option<SocketAddr>,
    wrong_tokens: Arc<WrongTokens>,
}

/// The answer to come.
pub(in crate::server) type Answer = BoxFuture<http::Response<Body>, Infallible>;

impl Router {
    pub(in crate::server) fn new(calls: Arc<Calls>, peer: Option<SocketAddr>) -> Self {
        Self { calls, peer, wrong_tokens: Arc::default() }
    }

    pub(in crate::server) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// The answer to a wrong token.
    fn wrong_token(&self, operation: Option<Operation>, asked: Asked) -> Answer {
        let (calls, wrong_tokens) = (Arc::clone(&self.calls), Arc::clone(&self.wrong_tokens));
        let peer = self.peer;
        Box::pin(async move {
            let (authenticator, stopping) = (&calls.service.authenticator, calls.service.stopping());
            let (refusal, _) = wrong_tokens.answer(authenticator, peer, stopping).await;
            calls.note(operation, Some(refusal.code), asked);
            Ok(status(refusal).into_http())
        })
    }

    /// An answer that does not depend on the message.
    fn refuse(&self, operation: Option<Operation>, refusal: Refusal, asked: Asked) -> Answer {
        self.calls.note(operation, Some(refusal.code), asked);
        now(status(refusal).into_http())
    }

    pub(in crate::server) fn wrong_tokens(&self) -> &Arc<WrongTokens> {
        &self.wrong_tokens
    }

    /// The identity of the client that sent these header fields. A wrong token is answered late.
    ///
    /// # Errors
    /// If the token is wrong.
    pub(in crate::server) async fn identity(&self, headers: &http::HeaderMap) -> Result<Identity, Refusal> {
        let authenticator = &self.calls.service.authenticator;
        let Some(secret) = head::bearer(headers) else { return Ok(authenticator.anonymous()) };
        match authenticator.identify(secret) {
            Identity::Unknown => {
                let stopping = self.calls.service.stopping();
                Err(self.wrong_tokens.answer(authenticator, self.peer, stopping).await.0)
            }
            identity => Ok(identity),
        }
    }

    /// Answers a call.
    pub(in crate::server) fn call(
        &self,
        mut request: http::Request<impl Into<CallBody>>,
        transport: Transport,
    ) -> Answer {
        let events = request.extensions().get().copied().unwrap_or_default();
        let asked = Asked { at: Instant::now(), transport, events };
        if let Some(refused) = head::refuse(&request) {
            return now(refused);
        }
        if let Some(call) = HealthCall::of(request.uri().path()) {
            let calls = Arc::clone(&self.calls);
            return match arriving(request, health::MESSAGE_BYTES_MAX, false) {
                Ok(request) => {
                    Box::pin(async move { Ok(calls.answer_health(call, request.into_body()).await) })
                }
                Err(refused) => refused,
            };
        }
        let method = Method::of(request.uri().path());
        let operation = method.map(Method::operation);
        let authenticator = &self.calls.service.authenticator;
        let identity = match head::bearer(request.headers()) {
            Some(secret) => match authenticator.identify(secret) {
                Identity::Unknown => return self.wrong_token(operation, asked),
                identity => identity,
            },
            None => authenticator.anonymous(),
        };
        // A client without a valid token does not learn which calls there are. What a message asks for may need
        // more.
        let permission = operation.map_or(Permission::Read, |operation| operation.spec().permission);
        if let Err(refusal) = access::check(&identity, permission) {
            return self.refuse(operation, refusal, asked);
        }
        if let Some(reflection) = Reflection::of(request.uri().path()) {
            return match arriving(request, reflection::MESSAGE_BYTES_MAX, true) {
                Ok(request) => reflection.answer(request),
                Err(refused) => refused,
            };
        }
        let Some(method) = method else { return self.refuse(None, own_words::no_such_call(), asked) };
        let deadline = match head::deadline(request.headers()) {
            Ok(deadline) => deadline,
            Err(refusal) => return self.refuse(operation, refusal, asked),
        };
        let Some(is_gzip) = head::take_gzip(request.headers_mut()) else {
            return now(head::unknown_encoding());
        };
        let operation = method.operation();
        let Some(limit) = &operation.spec().message else {
            return self.refuse(Some(operation), own_words::no_such_call(), asked);
        };
        let body = match operation {
            Operation::StreamAdjustStock => Arriving::stream(request.into_body().into(), deadline),
            _ => Arriving::one_message(request.into_body().into(), deadline),
        };
        let body = body.decompressed(is_gzip.then_some(limit.bytes_max));
        let calls = Arc::clone(&self.calls);
        match &limit.large {
            None => Box::pin(async move { Ok(calls.answer(method, identity, body, asked).await) }),
            Some(large) => Box::pin(async move {
                let answer = move |calls: Arc<Calls>, body| calls.answer(method, identity, body, asked);
                Ok(calls.in_turn(operation, large, body, asked, answer).await)
            }),
        }
    }
}

/// A request of one of gRPC's own services with its body as it arrives, or the answer that refuses it.
fn arriving(
    mut request: http::Request<impl Into<CallBody>>,
    bytes_max: usize,
    is_stream: bool,
) -> Result<http::Request<Arriving>, Answer> {
    let deadline = head::deadline(request.headers()).map_err(|refusal| now(status(refusal).into_http()))?;
    let is_gzip = head::take_gzip(request.headers_mut()).ok_or_else(|| now(head::unknown_encoding()))?;
    let arriving = if is_stream { Arriving::stream } else { Arriving::one_message };
    let gzip_bytes_max = is_gzip.then_some(bytes_max);
    Ok(request.map(|body| arriving(body.into(), deadline).decompressed(gzip_bytes_max)))
}

/// The answer to a call if the server serves no gRPC.
pub(in crate::server) fn not_served(protocols: Protocols) -> Answer {
    now(status(Refusal::no_grpc(protocols.socket)).into_http())
}

/// An answer that does not depend on the message.
fn now(response: http::Response<Body>) -> Answer {
    Box::pin(std::future::ready(Ok(response)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OPERATIONS;

    #[test]
    fn a_path_names_one_method_and_no_other_goes_by_its_name() {
        for spec in &OPERATIONS {
            let found = Method::of(&format!("/{INVENTORY_SERVICE}/{}", spec.name));
            assert_eq!(found, spec.message.map(|_| Method::Exact(spec.operation)));
        }
        for call in LegacyCall::ALL {
            let path = format!("/{PRODUTO_SERVICE}/{}", call.name());
            assert_eq!(Method::of(&path), Some(Method::Legacy(call)));
            for other in [&path[1..], &format!("{path}/"), &format!("/{path}"), &path.to_lowercase()] {
                assert_eq!(Method::of(other), None, "{other}");
            }
        }
        for path in ["", "/", "//", "/ProdutoService", "/ProdutoService/GetProduct", "/x/ListarProdutos"] {
            assert_eq!(Method::of(path), None, "{path}");
        }
        let path = "/ProdutoService/AtualizarEstoque/ListarProdutos";
        assert_eq!(Method::of(path), None);
    }
}
