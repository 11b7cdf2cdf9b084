//! A connection that speaks gRPC.

mod details;
mod greeting;

use std::error::Error;
use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};
use tower::ServiceExt;
use tower::util::MapResponse;

use super::stream::{Traffic, open};
use super::{ClientError, ConnectOptions, ConnectionError};
use crate::catalog::Sentence;
use crate::operation::{
    ChangeReply, MovementsReply, MovementsRequest, ProductChangesReply, ProductChangesRequest, ProductReply,
    ProductsRequest, Reply, Request,
};
use crate::refusal::{Code, Refusal};
use crate::tls::for_grpc;
use crate::wire::grpc;
use crate::wire::grpc::v1;
use crate::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use greeting::{Greeting, greet};

/// tonic's message about an answer that is HTTP but not gRPC.
const NO_GRPC: &str = "grpc-status header missing, mapped from HTTP status code";

/// tonic's messages about an answer that ended before its message or its status.
const CUT: [&str; 2] = ["Unexpected EOF decoding stream", "protocol error: missing grpc-status"];

/// The largest answer that is accepted, in bytes: a page of a thousand products is far smaller.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most products of a list: as many as fit in the longest reply of the text protocol. A server that
/// always has another page is none of ours.
const PRODUCTS_MAX: usize = 1_000_000;

/// The generated client of our service, on one connection.
pub type Service = InventoryServiceClient<InterceptedService<Readable, ShowToken>>;

/// The connection, with answers that tonic can read.
type Readable = MapResponse<Channel, fn(http::Response<Body>) -> http::Response<Body>>;

/// A gRPC connection.
pub struct GrpcConnection {
    address: String,
    service: Service,
    traffic: Arc<Traffic>,
}

impl GrpcConnection {
    /// Connects. `None` if the server answers that it speaks only text.
    pub(super) async fn connect(
        address: &str,
        options: &ConnectOptions,
    ) -> Result<Option<Self>, ConnectionError> {
        let (stream, traffic) = open(address, options, options.tls.as_ref().map(for_grpc)).await?;
        let greeting = greet(stream).await.map_err(|error| ConnectionError::of_io(address, &error))?;
        let connection = match greeting {
            Greeting::Grpc(connection) => connection,
            Greeting::TextOnly => return Ok(None),
            Greeting::TlsOnly => return Err(ConnectionError::TlsOnly { address: address.to_owned() }),
            Greeting::Unknown => return Err(not_ours(address)),
        };
        let mut connection = Some(TokioIo::new(connection));
        let connector = tower::service_fn(move |_| {
            let connection = connection.take().ok_or(io::ErrorKind::NotConnected.into());
            std::future::ready::<io::Result<_>>(connection)
        });
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| not_ours(address))?;
        let channel = endpoint.connect_with_connector(connector).await;
        let channel = channel.map_err(|error| ConnectionError::Lost(error.to_string()))?;
        let readable: Readable = channel.map_response(details::readable);
        let service = InventoryServiceClient::with_interceptor(readable, ShowToken::of(options))
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Some(Self { address: address.to_owned(), service, traffic }))
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// The generated client, for calls without a [`Request`] and for concurrent calls. All clones share the
    /// connection.
    pub fn service(&self) -> Service {
        self.service.clone()
    }

    pub(super) async fn call(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        match request {
            Request::GetProduct { name } => {
                let request = v1::GetProductRequest { name: (*name).to_owned() };
                let response = self.answer(self.service().get_product(request).await)?;
                self.product(response.product).map(Reply::Product)
            }
            Request::ListProducts(products) => self.list(products).await.map(Reply::Products),
            Request::AdjustStock(adjust) => {
                let request = grpc::adjust_message(adjust);
                let response = self.answer(self.service().adjust_stock(request).await)?;
                self.change(response).map(Reply::Change)
            }
            Request::BatchAdjustStock(batch) => {
                let request = grpc::batch_message(batch);
                let response = self.answer(self.service().batch_adjust_stock(request).await)?;
                self.changes(response.results)
            }
            Request::ImportProducts(import) => {
                let request = grpc::import_message(import);
                let response = self.answer(self.service().import_products(request).await)?;
                Ok(Reply::Imported(grpc::import_reply(response).map_err(|_| self.not_ours())?))
            }
            Request::CountStock(count) => {
                let request = grpc::count_message(count);
                let response = self.answer(self.service().count_stock(request).await)?;
                self.changes(response.results)
            }
            Request::UndoMovement(undo) => {
                let request = grpc::undo_message(undo);
                let response = self.answer(self.service().undo_movement(request).await)?;
                self.changes(response.results)
            }
            Request::UpdateProduct(update) => {
                let request = grpc::update_message(update);
                let response = self.answer(self.service().update_product(request).await)?;
                self.product(response.product).map(Reply::Product)
            }
            Request::MergeProducts(merge) => {
                let request = grpc::merge_message(merge);
                let response = self.answer(self.service().merge_products(request).await)?;
                self.changes(response.results)
            }
            Request::UndoImport(undo) => {
                let request = grpc::undo_import_message(undo);
                let response = self.answer(self.service().undo_import(request).await)?;
                Ok(Reply::Imported(grpc::undo_import_reply(response).map_err(|_| self.not_ours())?))
            }
            Request::ClearExamples { request_id } => {
                let request = grpc::clear_examples_message(request_id.as_ref());
                let response = self.answer(self.service().clear_examples(request).await)?;
                self.changes(response.results)
            }
            Request::ListProductChanges(request) => {
                self.product_changes(request).await.map(Reply::ProductChanges)
            }
            Request::ListMovements(request) => self.movements(request).await.map(Reply::Movements),
            Request::WatchMovements(_) => {
                Err(Refusal::invalid("command", "acompanhar responde com um fluxo, e não com uma resposta")
                    .into())
            }
            Request::SummarizeMovements(summary) => {
                let request = grpc::summary_message(summary);
                let response = self.answer(self.service().summarize_movements(request).await)?;
                Ok(Reply::Summaries(grpc::summaries(response).map_err(|_| self.not_ours())?))
            }
            Request::ListLowStock(low) => {
                let request = grpc::low_stock_message(low);
                let response = self.answer(self.service().list_low_stock(request).await)?;
                Ok(Reply::LowStock(grpc::low_stock(response).map_err(|_| self.not_ours())?))
            }
            Request::ListExpiringStock(expiring) => {
                let request = grpc::expiring_message(expiring);
                let response = self.answer(self.service().list_expiring_stock(request).await)?;
                Ok(Reply::Expiring(grpc::expiring_stock(response).map_err(|_| self.not_ours())?))
            }
            Request::TracePurchases(trace) => {
                let request = grpc::trace_message(trace);
                let response = self.answer(self.service().trace_purchases(request).await)?;
                Ok(Reply::Traced(grpc::traced(response).map_err(|_| self.not_ours())?))
            }
            Request::GetStatus => {
                let response = self.answer(self.service().get_status(v1::GetStatusRequest {}).await)?;
                Ok(Reply::Status(Box::new(grpc::status_reply(response).map_err(|_| self.not_ours())?)))
            }
            Request::Leave => Ok(Reply::Farewell),
        }
    }

    /// Reads a list, page by page.
    async fn list(&mut self, request: &ProductsRequest<'_>) -> Result<Vec<ProductReply>, ClientError> {
        let mut products = Vec::new();
        let mut request = grpc::products_message(request);
        loop {
            let page = self.answer(self.service().list_products(request.clone()).await)?;
            let page_start = products.len();
            for message in page.products {
                products.push(self.product(Some(message))?);
            }
            if page.next_page_token.is_empty() {
                return Ok(products);
            }
            if products.len() == page_start {
                return Err(self.not_ours().into());
            }
            if products.len() > PRODUCTS_MAX {
                let what = format!(
                    "o catálogo passa de {PRODUCTS_MAX} produtos, mais do que este cliente guarda. Nada foi \
                     alterado; peça os produtos até um preço."
                );
                return Err(Refusal::new(Code::ResourceExhausted, what).into());
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Reads movements, page by page, until the requested number is reached.
    async fn movements(&mut self, request: &MovementsRequest<'_>) -> Result<MovementsReply, ClientError> {
        let mut movements = Vec::new();
        let mut message = grpc::movements_message(request, request.count_max);
        loop {
            let page = self.answer(self.service().list_movements(message.clone()).await)?;
            for movement in page.movements {
                movements.push(grpc::movement_reply(movement).map_err(|_| self.not_ours())?);
            }
            let missing = request.count_max.saturating_sub(movements.len());
            let next_page_token = Some(page.next_page_token).filter(|token| !token.is_empty());
            match next_page_token {
                Some(token) if missing > 0 => {
                    message = grpc::movements_message(request, missing);
                    message.page_token = token;
                }
                next_page_token => return Ok(MovementsReply { movements, next_page_token }),
            }
        }
    }

    /// Reads changes of terms, page by page, until the requested number is reached.
    async fn product_changes(
        &mut self,
        request: &ProductChangesRequest<'_>,
    ) -> Result<ProductChangesReply, ClientError> {
        let mut changes = Vec::new();
        let mut message = grpc::product_changes_message(request, request.count_max);
        loop {
            let page = self.answer(self.service().list_product_changes(message.clone()).await)?;
            let has_more = !page.changes.is_empty();
            for change in page.changes {
                changes.push(grpc::product_change(change).map_err(|_| self.not_ours())?);
            }
            let missing = request.count_max.saturating_sub(changes.len());
            let next_page_token = Some(page.next_page_token).filter(|token| !token.is_empty() && has_more);
            match next_page_token {
                Some(token) if missing > 0 => {
                    message = grpc::product_changes_message(request, missing);
                    message.page_token = token;
                }
                next_page_token => return Ok(ProductChangesReply { changes, next_page_token }),
            }
        }
    }

    /// The message of an answer.
    fn answer<M>(&self, answer: Result<Response<M>, Status>) -> Result<M, ClientError> {
        answer.map(Response::into_inner).map_err(|status| self.error_of(&status))
    }

    /// The error of a call that ended with this status.
    pub fn error_of(&self, status: &Status) -> ClientError {
        if let Some(has_text) = grpc::has_text_instead(status) {
            return ConnectionError::NoGrpc { address: self.address.clone(), has_text }.into();
        }
        if let Some(refusal) = grpc::refusal(status) {
            return refusal.into();
        }
        // A status without our error details comes from tonic or from a proxy on the way.
        if CUT.iter().any(|cut| status.message().starts_with(cut)) {
            return ConnectionError::Lost("a resposta foi cortada".to_owned()).into();
        }
        match status.code() {
            tonic::Code::Unknown if status.message().starts_with(NO_GRPC) => self.not_ours().into(),
            tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown => {
                // tonic's own text is only "transport error".
                let reason = match status.source() {
                    Some(_) => "o servidor a encerrou",
                    None => status.message(),
                };
                ConnectionError::Lost(Sentence(reason).to_string()).into()
            }
            tonic::Code::ResourceExhausted | tonic::Code::OutOfRange => {
                let what = format!(
                    "a mensagem passa de um limite ({}). Nada foi feito; divida o pedido.",
                    Sentence(status.message())
                );
                Refusal::new(Code::ResourceExhausted, what).into()
            }
            _ => self.not_ours().into(),
        }
    }

    pub(super) fn not_ours(&self) -> ConnectionError {
        not_ours(&self.address)
    }

    fn change(&self, message: v1::AdjustStockResponse) -> Result<ChangeReply, ClientError> {
        Ok(grpc::change_reply(message).map_err(|_| self.not_ours())?)
    }

    fn changes(&self, messages: Vec<v1::AdjustStockResponse>) -> Result<Reply, ClientError> {
        messages.into_iter().map(|message| self.change(message)).collect::<Result<_, _>>().map(Reply::Changes)
    }

    fn product(&self, message: Option<v1::Product>) -> Result<ProductReply, ClientError> {
        Ok(grpc::product_reply(message).map_err(|_| self.not_ours())?)
    }
}

fn not_ours(address: &str) -> ConnectionError {
    ConnectionError::NotOurs { address: address.to_owned(), protocol: "gRPC" }
}

/// Sends the token, if there is one, with each call.
#[derive(Clone)]
pub struct ShowToken(Option<AsciiMetadataValue>);

impl ShowToken {
    fn of(options: &ConnectOptions) -> Self {
        // A secret from a file has only characters that a header may have.
        Self(options.token.as_ref().and_then(|token| format!("Bearer {}", token.reveal()).parse().ok()))
    }
}

impl Interceptor for ShowToken {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}
