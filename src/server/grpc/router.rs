//! From a call's path to who answers it: the token, what it may do, and the limits of the call.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use tokio::sync::{Mutex, Notify};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service as _, http};
use tonic::server::NamedService;

use super::adjust_stream::StreamAnswers;
use super::arriving::Arriving;
use super::large_messages::{
    BATCH_BYTES_MAX, IMPORT_BYTES_MAX, WORKER_BATCH_BYTES_MAX, WORKER_IMPORT_BYTES_MAX, in_turn,
};
use super::list_body::List;
use super::{Calls, MESSAGE_BYTES_MAX, head, own_words};
use crate::access::{self, Identity};
use crate::operation::Permission;
use crate::server::Service;
use crate::server::authenticator::{WRONG_MAX, WRONG_WAIT};
use crate::wire::grpc::original::produto_service_server::ProdutoServiceServer;
use crate::wire::grpc::status;
use crate::wire::grpc::v1::inventory_service_server::InventoryServiceServer;

/// The wrong tokens of a connection, which are answered one after the other.
#[derive(Default)]
pub(super) struct WrongTokens {
    count: Mutex<u32>,
    /// There were too many of them.
    pub(super) too_many: Notify,
}

/// Finds the service of a call by its path.
pub(super) struct Services {
    calls: Calls,
    peer: Option<SocketAddr>,
    wrong_tokens: Arc<WrongTokens>,
    inventory: InventoryServiceServer<Calls>,
    batches: InventoryServiceServer<Calls>,
    imports: InventoryServiceServer<Calls>,
    produto: ProdutoServiceServer<Calls>,
}

impl Services {
    pub(super) fn new(calls: &Calls, peer: Option<SocketAddr>, wrong_tokens: &Arc<WrongTokens>) -> Self {
        let inventory =
            |bytes_max| InventoryServiceServer::new(calls.clone()).max_decoding_message_size(bytes_max);
        Self {
            calls: calls.clone(),
            peer,
            wrong_tokens: Arc::clone(wrong_tokens),
            inventory: inventory(MESSAGE_BYTES_MAX),
            batches: inventory(BATCH_BYTES_MAX),
            imports: inventory(IMPORT_BYTES_MAX),
            produto: ProdutoServiceServer::new(calls.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX),
        }
    }

    /// A wrong token is answered late, after those before it on this connection.
    fn wrong_token(&self) -> Answer {
        self.calls.service.authenticator.tell_wrong(self.peer);
        let wrong_tokens = Arc::clone(&self.wrong_tokens);
        let answer = async move {
            let mut count = wrong_tokens.count.lock().await;
            tokio::time::sleep(WRONG_WAIT).await;
            *count += 1;
            if *count >= WRONG_MAX {
                wrong_tokens.too_many.notify_one();
            }
            Ok(status(access::wrong_token()).into_http())
        };
        Answer::new(Box::pin(answer), MESSAGE_BYTES_MAX)
    }
}

/// What a call needs. One that is not known to only read may change something.
fn need(path: &str) -> Permission {
    // All that follows the service, so that no call goes by the name of another.
    let method = path.splitn(3, '/').nth(2);
    match method {
        Some(
            "GetProduct"
            | "ListProducts"
            | "ListarProdutos"
            | "ConsultarProdutoNome"
            | "ConsultarProdutoPreco",
        ) => Permission::Read,
        _ => Permission::Write,
    }
}

impl hyper::service::Service<http::Request<Incoming>> for Services {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: http::Request<Incoming>) -> Answer {
        self.calls.progress.note();
        if let Some(refused) = head::refuse(&request) {
            return Answer::now(refused);
        }
        let Service { authenticator, turns, .. } = &self.calls.service;
        let identity = match head::bearer(request.headers()) {
            Some(secret) => match authenticator.identify(secret) {
                Identity::Unknown => return self.wrong_token(),
                identity => identity,
            },
            None => authenticator.anonymous(),
        };
        if !access::permits(identity, need(request.uri().path())) {
            let refused = status(access::refusal(identity)).into_http();
            return Answer::now(refused);
        }
        let deadline = match head::deadline(request.headers()) {
            Ok(deadline) => deadline,
            Err(refusal) => return Answer::now(status(refusal).into_http()),
        };
        let Some(is_gzip) = head::take_gzip(request.headers_mut()) else {
            return Answer::now(head::unknown_encoding());
        };
        // For a stream, which asks again as it goes on.
        if !matches!(identity, Identity::Open) {
            request.extensions_mut().insert(identity);
        }
        const INVENTORY: &str = InventoryServiceServer::<Calls>::NAME;
        const PRODUTO: &str = ProdutoServiceServer::<Calls>::NAME;
        let mut path = request.uri().path().splitn(3, '/').skip(1);
        let (service, method) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        let whole = |bytes_max| {
            move |body| Arriving::one_message(body, deadline).decompressed(is_gzip.then_some(bytes_max))
        };
        match (service, method) {
            (INVENTORY, "BatchAdjustStock") => {
                let (turns, calls) = (Arc::clone(&turns.batches), self.calls.clone());
                let service = self.batches.clone();
                let request = request.map(whole(BATCH_BYTES_MAX));
                let answer = in_turn(turns, calls, request, service, WORKER_BATCH_BYTES_MAX);
                Answer::new(Box::pin(answer), BATCH_BYTES_MAX)
            }
            (INVENTORY, "ImportProducts") => {
                let (turns, calls) = (Arc::clone(&turns.imports), self.calls.clone());
                let service = self.imports.clone();
                let request = request.map(whole(IMPORT_BYTES_MAX));
                let answer = in_turn(turns, calls, request, service, WORKER_IMPORT_BYTES_MAX);
                Answer::new(Box::pin(answer), IMPORT_BYTES_MAX)
            }
            (INVENTORY, "StreamAdjustStock") => {
                let bytes_max = is_gzip.then_some(MESSAGE_BYTES_MAX);
                let request = request.map(|body| Arriving::stream(body, deadline).decompressed(bytes_max));
                Answer::new(self.inventory.clone().call(request), MESSAGE_BYTES_MAX)
            }
            (INVENTORY, _) => {
                let request = request.map(whole(MESSAGE_BYTES_MAX));
                Answer::new(self.inventory.clone().call(request), MESSAGE_BYTES_MAX)
            }
            (PRODUTO, _) => {
                let request = request.map(whole(MESSAGE_BYTES_MAX));
                Answer::new(self.produto.clone().call(request), MESSAGE_BYTES_MAX)
            }
            _ => Answer::now(status(own_words::no_such_call()).into_http()),
        }
    }
}

/// A call's answer to come.
pub(super) struct Answer {
    answer: BoxFuture<http::Response<Body>, Infallible>,
    /// The limit of the call's message.
    bytes_max: usize,
}

impl Answer {
    fn new(answer: BoxFuture<http::Response<Body>, Infallible>, bytes_max: usize) -> Self {
        Self { answer, bytes_max }
    }

    /// One that does not depend on the message.
    fn now(response: http::Response<Body>) -> Self {
        Self::new(Box::pin(std::future::ready(Ok(response))), MESSAGE_BYTES_MAX)
    }
}

impl Future for Answer {
    type Output = Result<http::Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let bytes_max = self.bytes_max;
        self.answer.as_mut().poll(context).map_ok(|mut response| {
            if let Some(list) = response.extensions_mut().remove::<List>() {
                return response.map(|_| Body::new(list.body()));
            }
            if let Some(answers) = response.extensions_mut().remove() {
                return response.map(|_| Body::new::<StreamAnswers>(answers));
            }
            own_words::answer(response, bytes_max)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_call_that_is_known_to_read_needs_no_more() {
        assert_eq!(need("/ProdutoService/ListarProdutos"), Permission::Read);
        for path in
            ["/ProdutoService/AtualizarEstoque", "/ProdutoService/AtualizarEstoque/ListarProdutos", ""]
        {
            assert_eq!(need(path), Permission::Write, "{path}");
        }
    }
}
