//! The calls of both services: decode the message, ask the inventory, encode the reply.
//!
//! The three frequent operations (one product, a list, a change of stock) have handlers that copy nothing and
//! serve both services. Every other operation is called by value, by [`Calls::call`].

use std::pin::Pin;
use std::sync::Arc;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderName, HeaderValue, Response};

use super::arriving::Arriving;
use super::calls::{Asked, Calls};
use super::list_body::List;
use super::one_message::{answer, answer_of, answer_with, read, unread_messages, written};
use super::own_words;
use super::router::Method;
use crate::access::{self, Identity};
use crate::inventory::Session;
use crate::operation::{AdjustRequest, Operation, Request};
use crate::refusal::Refusal;
use crate::server::answer_room::{AnswerRoom, Held};
use crate::wire::grpc::original::{AtualizarRequest, Empty, PrecoRequest, ProdutoRequest};
use crate::wire::grpc::{
    self, LegacyCall, Page, RequestMessage, WriteAdjusted, WriteProduct, original_status, status, v1,
};

/// Most rows of a reply that the worker itself writes, in a tenth of a millisecond. Longer replies are written on
/// a thread of their own.
const WRITTEN_AT_ONCE_MAX: usize = 1000;

/// The header of an answer by a server that stands by.
pub(in crate::server) const STANDBY: HeaderName = HeaderName::from_static("hortifruti-standby");

type Answer = Result<Response<Body>, Status>;

/// Marks an answer if the server stands by.
pub(in crate::server) fn mark_standby<B>(answer: &mut Response<B>, session: &Session) {
    if session.stands_by() {
        answer.headers_mut().insert(STANDBY, HeaderValue::from_static("true"));
    }
}

impl Calls {
    /// Answers a call.
    pub(super) async fn answer(
        self: Arc<Self>,
        method: Method,
        identity: Identity,
        body: Arriving,
        asked: Asked,
    ) -> Response<Body> {
        let calls = Arc::clone(&self);
        let mut answer = match method {
            Method::Exact(operation) => self.answer_exact(operation, identity, body, asked).await,
            Method::Legacy(call) => self.answer_legacy(call, identity, body).await,
        };
        match &answer {
            // Each change of a stream is counted when it is answered.
            Ok(_) if method == Method::Exact(Operation::StreamAdjustStock) => {}
            Ok(_) => calls.note(Some(method.operation()), None, asked),
            Err(refused) => calls.note(Some(method.operation()), Some(grpc::code(refused)), asked),
        }
        if let Ok(answer) = &mut answer {
            mark_standby(answer, &calls.service.inventory);
        }
        answer.unwrap_or_else(Status::into_http)
    }

    /// Answers a call of `InventoryService`.
    async fn answer_exact(
        self: Arc<Self>,
        operation: Operation,
        identity: Identity,
        body: Arriving,
        asked: Asked,
    ) -> Answer {
        let bytes_max = operation.spec().message.map_or(0, |message| message.bytes_max);
        match operation {
            Operation::GetProduct => {
                let message: v1::GetProductRequest = read(body, bytes_max).await?;
                self.get_product(&message.name, grpc::write_found).await.map_err(status)
            }
            Operation::ListProducts => {
                let message: v1::ListProductsRequest = read(body, bytes_max).await?;
                let page = Page::from_message(&message).map_err(status)?;
                let list = self.list_products(page, grpc::write_product, grpc::write_list_end);
                list.await.map_err(status)
            }
            Operation::AdjustStock => {
                let message: v1::AdjustStockRequest = read(body, bytes_max).await?;
                let request = grpc::adjust_request(&message).map_err(status)?;
                self.adjust_stock(identity, request, grpc::write_adjusted).await.map_err(status)
            }
            Operation::StreamAdjustStock => {
                let messages = unread_messages(body, bytes_max);
                let answers = self.begin_adjust_stream(identity, messages, bytes_max, asked.transport);
                Ok(answer_with(answers))
            }
            Operation::BatchAdjustStock => {
                self.call::<v1::BatchAdjustStockRequest>(identity, body, bytes_max).await
            }
            Operation::ImportProducts => {
                self.call::<v1::ImportProductsRequest>(identity, body, bytes_max).await
            }
            Operation::CountStock => self.call::<v1::CountStockRequest>(identity, body, bytes_max).await,
            Operation::UndoMovement => self.call::<v1::UndoMovementRequest>(identity, body, bytes_max).await,
            Operation::UpdateProduct => {
                self.call::<v1::UpdateProductRequest>(identity, body, bytes_max).await
            }
            Operation::ListProductChanges => {
                self.call::<v1::ListProductChangesRequest>(identity, body, bytes_max).await
            }
            Operation::MergeProducts => {
                self.call::<v1::MergeProductsRequest>(identity, body, bytes_max).await
            }
            Operation::UndoImport => self.call::<v1::UndoImportRequest>(identity, body, bytes_max).await,
            Operation::ClearExamples => {
                self.call::<v1::ClearExamplesRequest>(identity, body, bytes_max).await
            }
            Operation::ListMovements => {
                self.call::<v1::ListMovementsRequest>(identity, body, bytes_max).await
            }
            Operation::WatchMovements => {
                let deadline = body.deadline();
                let message: v1::WatchMovementsRequest = read(body, bytes_max).await?;
                let request = grpc::watch_request(&message);
                let stream = self.watch(identity, request, asked.events, deadline).await;
                stream.map(answer_with).map_err(status)
            }
            Operation::SummarizeMovements => {
                self.call::<v1::SummarizeMovementsRequest>(identity, body, bytes_max).await
            }
            Operation::ListLowStock => self.call::<v1::ListLowStockRequest>(identity, body, bytes_max).await,
            Operation::ListExpiringStock => {
                self.call::<v1::ListExpiringStockRequest>(identity, body, bytes_max).await
            }
            Operation::TracePurchases => {
                self.call::<v1::TracePurchasesRequest>(identity, body, bytes_max).await
            }
            Operation::GetStatus => self.call::<v1::GetStatusRequest>(identity, body, bytes_max).await,
            Operation::Leave => Err(status(own_words::no_such_call())),
        }
    }

    /// Answers a call of `ProdutoService`, which is another codec for the same operations.
    async fn answer_legacy(&self, call: LegacyCall, identity: Identity, body: Arriving) -> Answer {
        let bytes_max = call.operation().spec().message.map_or(0, |message| message.bytes_max);
        let answer = match call {
            LegacyCall::ListarProdutos => {
                let Empty {} = read(body, bytes_max).await?;
                self.list_products(Page::whole(None), grpc::write_original_product, |_, _| ()).await
            }
            LegacyCall::ConsultarProdutoPreco => {
                let PrecoRequest { preco_max } = read(body, bytes_max).await?;
                let max_price = grpc::price_from_float(preco_max).map_err(original_status)?;
                let page = Page::whole(Some(max_price));
                self.list_products(page, grpc::write_original_product, |_, _| ()).await
            }
            LegacyCall::ConsultarProdutoNome => {
                let ProdutoRequest { nome } = read(body, bytes_max).await?;
                self.get_product(&nome, grpc::write_original_found).await
            }
            LegacyCall::AtualizarEstoque => {
                let AtualizarRequest { nome, quantidade } = read(body, bytes_max).await?;
                let request = AdjustRequest::of_units(&nome, quantidade);
                self.adjust_stock(identity, request, grpc::write_adjusted_line).await
            }
        };
        answer.map_err(original_status)
    }

    async fn get_product(&self, name: &str, write: WriteProduct) -> Result<Response<Body>, Refusal> {
        self.service.console.command(Request::GetProduct { name });
        let found = self.service.inventory.find(name, |product| answer(|out| write(product, out)));
        found.await
    }

    async fn list_products(
        &self,
        page: Page,
        write: WriteProduct,
        write_end: fn(Option<String>, &mut Vec<u8>),
    ) -> Result<Response<Body>, Refusal> {
        self.service.console.command(Request::ListProducts(page.request()));
        let list = List::new(&self.service, &self.progress, page, write, write_end).await?;
        Ok(answer_with(list.body()))
    }

    async fn adjust_stock(
        &self,
        identity: Identity,
        request: AdjustRequest<'_>,
        write: WriteAdjusted,
    ) -> Result<Response<Body>, Refusal> {
        self.service.console.command(&request);
        access::check(&identity, request.permission())?;
        let _waiting = self.wait();
        let adjusted = self.service.session(&identity).adjust(request).await?;
        Ok(answer(|out| write(&adjusted.product, &adjusted.movement, out)))
    }

    /// Calls an operation by value. The future is boxed, so that the futures of frequent calls need no room
    /// for it.
    fn call<M: RequestMessage>(
        &self,
        identity: Identity,
        body: Arriving,
        bytes_max: usize,
    ) -> Pin<Box<impl Future<Output = Answer>>> {
        Box::pin(async move {
            let message: M = read(body, bytes_max).await?;
            let mut request = message.request().map_err(status)?;
            match &request {
                Request::BatchAdjustStock(batch) => {
                    batch.adjustments.iter().for_each(|line| self.service.console.command(line))
                }
                request => self.service.console.command(request),
            }
            access::admit(&identity, &mut request).map_err(status)?;
            let mut room = AnswerRoom::of(&mut request).map_err(status)?;
            let _waiting = self.wait();
            let reply = self.service.session(&identity).call(request).await.map_err(status)?;
            room.hold_rows(reply.row_count()).map_err(status)?;
            let is_short = reply.row_count() <= WRITTEN_AT_ONCE_MAX;
            let write = move || written(|out| grpc::write_reply(&reply, out));
            let message = match is_short {
                true => write(),
                false => {
                    let written = tokio::task::spawn_blocking(write).await;
                    written.map_err(|_| status(own_words::defect()))?
                }
            };
            Held::new(message, room).map(answer_of).map_err(status)
        })
    }
}
