//! The gRPC transport: tonic services ↔ the inventory.

mod arriving;
mod gzip;
mod head;
mod list;
mod own_words;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message;
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service as _, http};
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};

use super::connection::{BytesRead, Prefixed};
use super::long_work::TURN_BYTES;
use super::stream::Stream as Connection;
use super::tokens::{WRONG_MAX, WRONG_WAIT};
use super::{LAST_LOOK, Service};
use crate::access::{self, Grant, Need};
use crate::inventory::{Adjusted, Run};
use crate::operation::{self, AdjustRequest};
use crate::refusal::Refusal;
use crate::wire::grpc::original::produto_service_server::{ProdutoService, ProdutoServiceServer};
use crate::wire::grpc::original::{
    AtualizarRequest, AtualizarResponse, Empty, ListaProdutos, PrecoRequest, ProdutoRequest, ProdutoResponse,
};
use crate::wire::grpc::v1::inventory_service_server::{InventoryService, InventoryServiceServer};
use crate::wire::grpc::v1::{
    AdjustStockRequest, AdjustStockResponse, BatchAdjustStockRequest, BatchAdjustStockResponse,
    GetProductRequest, GetProductResponse, ImportProductsRequest, ImportProductsResponse,
    ListProductsRequest, ListProductsResponse, StreamAdjustStockRequest, StreamAdjustStockResponse,
};
use crate::wire::grpc::{self, Page, original_status, status};
use arriving::Arriving;
use head::HEADER_LIST_BYTES_READ_MAX;
use list::List;

/// Largest message taken: a name as long as it may be written, and a request id.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Largest batch taken: of the most changes, each with the longest name.
const BATCH_BYTES_MAX: usize = 512 * 1024;

/// Largest import taken: of the most rows, each with the longest name.
const IMPORT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Largest batch that a worker reads itself: a fifth of a millisecond. The worker reads no import itself,
/// because an empty row of an import is tiny and still has to be explained.
const WORKER_BATCH_BYTES_MAX: usize = 16 * 1024;
const WORKER_IMPORT_BYTES_MAX: usize = 0;

/// Batches and imports that are being read at one time, over all connections; the others
/// wait unread, where HTTP/2's flow control holds them. An import of nothing but empty rows
/// takes some eighty times its size while it is looked at, a batch likewise.
const BATCHES_MAX: usize = 64;
const IMPORTS_MAX: usize = 2;

/// How long such a message may take to come, once it is its turn: the largest comes in time
/// over a line of a megabit a second.
const LARGE_MESSAGE_WAIT: Duration = Duration::from_secs(40);

/// Calls that one connection may have open, more of which wait with the client. Each may
/// hold what it was sent and what it answers, so they bound the memory of a connection.
const STREAMS_MAX: u32 = 256;

/// Bytes of a call that may come before they are read: HTTP/2's own default. A stream of
/// small changes fills hyper's default (a megabyte) with so many frames that h2 takes a
/// client that merely waits for its answers for an attack, and hangs up.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The same over all calls of a connection: hyper's own default, ours so that no other one of a later
/// version changes how much memory a client can hold.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Bytes of an answer that may wait for a client that has its window open and takes nothing. With
/// hyper's default one connection could hold a hundred MiB of lists.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Streams that a client may reset before the server has looked at them (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 64;

/// Streams that the server resets for a client's errors before it ends the connection.
/// Without a limit each leaves memory behind.
const ERROR_RESETS_MAX: usize = 256;

/// Changes of a stream that are made together at most, as many as one transaction takes; shared by
/// the open streams of a connection. Their answers wait for the client, and so do those of the run
/// before: a client that takes none of them is held at some megabytes, whatever it opens.
const STREAM_RUN_MAX: usize = 4096;

/// Most last looks at a connection from which more comes each time: one or two read what the system has
/// received, and a client that never stops sending is left.
const LAST_LOOKS_MAX: usize = 20;

/// How long the changes of a connection's streams are gathered while others wait, and after how many
/// bytes of changes the time is checked: each may decompress to a thousand times its size.
const GATHERING_MAX: Duration = Duration::from_micros(500);
const GATHERING_LOOK_BYTES: usize = 1024;

/// About the bytes of a change of a stream without its name.
const STREAM_CHANGE_BYTES: usize = 48;

/// Changes that a stopping server still takes from a stream: all that can have come before, and an
/// end for a client that never stops sending.
const LAST_CHANGES_MAX: usize = 4096;

/// About the bytes of an answer of a stream, for which room is made beforehand: of a name of the market's
/// list, without a request id.
const STREAM_ANSWER_BYTES: usize = 96;

/// How long no change may be on its way, and no answer taken, before a stopping server ends a
/// connection that is left. A graceful HTTP/2 stop asks each client for a sign of life (RFC 9113 §6.8), and
/// a client that does not look at its idle connection would hold the stop for ever.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// The services on one connection, how many of its calls wait for a change, and how many streams of
/// changes it has whose answers are not taken.
#[derive(Clone)]
struct Calls {
    service: Service,
    waiting: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
    progress: Progress,
    bytes_read: BytesRead,
}

/// Counts on with each call, with the changes that come together on a stream, with each part of a
/// large message that comes, and with each part of an answer that is taken: while it does, a
/// connection is neither idle nor left.
#[derive(Clone, Default)]
struct Progress(Arc<AtomicUsize>);

impl Progress {
    fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Turns of the calls whose messages may be large, over all connections.
#[derive(Clone)]
pub(super) struct Turns {
    batches: Arc<Semaphore>,
    imports: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            batches: Arc::new(Semaphore::new(BATCHES_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
        }
    }
}

/// The wrong tokens of a connection, which are answered one after the other.
#[derive(Default)]
struct WrongTokens {
    count: Mutex<u32>,
    /// There were too many of them.
    too_many: Notify,
}

/// Waits for a call's turn, and answers the call, on the side thread if its message is large. A call
/// whose message does not come gives its turn away; a message that has come is never cut off.
async fn in_turn(
    turns: Arc<Semaphore>,
    calls: Calls,
    request: http::Request<Arriving>,
    mut service: InventoryServiceServer<Calls>,
    worker_bytes_max: usize,
) -> Result<http::Response<Body>, Infallible> {
    let waiting = calls.wait();
    let _turn = tokio::select! {
        // The semaphore is never closed; even without a turn the call would be answered.
        turn = turns.acquire_owned() => turn,
        refusal = request.body().too_late() => return Ok(status(refusal).into_http()),
    };
    drop(waiting);
    calls.progress.note();
    let mut request = request.map(|body| body.patiently(LARGE_MESSAGE_WAIT, calls.progress));
    let is_large = request.body_mut().is_large(worker_bytes_max).await;
    let answer = service.call(request);
    if is_large { calls.service.side_tasks.run(answer).await } else { answer.await }
}

/// One of what is counted, as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Calls {
    /// Counts a call that waits for a change. Calls that only read do not wait.
    fn wait(&self) -> Counted {
        Counted::one_more(&self.waiting)
    }

    /// Answers a stream of changes until the client ends it, or is gone, or the server stops.
    /// What has come together is made together. Each run asks anew whether the token still holds.
    /// While answers are not taken, nothing more is read, and HTTP/2's flow control holds the
    /// client back.
    async fn adjust_stream(
        mut self,
        mut grant: Grant,
        mut requests: Streaming<StreamAdjustStockRequest>,
        answers: mpsc::Sender<Result<Bytes, Status>>,
    ) {
        let mut stopped = pin!(self.all_has_come());
        let mut last_changes = LAST_CHANGES_MAX;
        loop {
            let Ok(room) = answers.reserve().await else { return };
            let first = tokio::select! {
                biased;
                request = requests.message(), if last_changes > 0 => request,
                () = &mut stopped => {
                    // Not as if all that the client has sent were answered.
                    room.send(Err(status(Refusal::stopping())));
                    return;
                }
            };
            let Gathered { mut run, refused, end } = self.gather(first, &mut requests);
            if let Some((name, refusal)) = refused {
                run.refuse(self.service.inventory.explain(&name, refusal).await);
            }
            if self.service.is_stopping() {
                last_changes = last_changes.saturating_sub(run.len());
            }
            self.service.gate.renew(&mut grant);
            if !access::permits(grant, Need::Write) {
                room.send(Err(status(access::refusal(grant))));
                return;
            }
            let mut answered = Vec::with_capacity(run.len() * STREAM_ANSWER_BYTES);
            {
                let _waiting = self.wait();
                let write = |answer: Result<(&_, &_), _>| grpc::write_stream_answer(answer, &mut answered);
                self.service.inventory.adjust_all(run, write).await;
            }
            room.send(Ok(answered.into()));
            if let Some(end) = end {
                if let Err(failure) = end {
                    let _ = answers.send(Err(failure)).await;
                }
                return;
            }
        }
    }

    /// Waits until the server stops and all that it had received before has been read. A busy worker
    /// needs several turns for that, and may make changes between them for longer than a last look
    /// takes.
    fn all_has_come(&self) -> impl Future<Output = ()> + Send + 'static {
        let (stopping, bytes_read) = (self.service.stopping(), self.bytes_read.clone());
        async move {
            stopping.await;
            for _ in 0..LAST_LOOKS_MAX {
                let before = bytes_read.count();
                tokio::time::sleep(LAST_LOOK).await;
                // The worker looks at its connections once more.
                tokio::task::yield_now().await;
                if bytes_read.count() == before {
                    return;
                }
            }
        }
    }

    /// The changes of a stream that have come already, this first: as many as are made together, or
    /// up to one that is refused at once.
    fn gather(
        &self,
        first: Result<Option<StreamAdjustStockRequest>, Status>,
        requests: &mut Streaming<StreamAdjustStockRequest>,
    ) -> Gathered {
        self.progress.note();
        let streams = self.streams.load(Ordering::Relaxed).clamp(1, STREAMS_MAX as usize);
        let (run_max, time_max) = (STREAM_RUN_MAX / streams, GATHERING_MAX / streams as u32);
        let mut run = Run::default();
        let mut reader = self.service.inventory.reader();
        // Nobody is woken by this: whoever waits for the next asks again.
        let mut context = Context::from_waker(Waker::noop());
        let mut next = first;
        let (begun, mut unlooked) = (Instant::now(), 0);
        let (refused, end) = loop {
            match next {
                Ok(Some(request)) => {
                    let message = request.adjustment.unwrap_or_default();
                    let added = grpc::adjust_request(&message).and_then(|adjust| {
                        self.service.console.command(&adjust);
                        reader.add(&mut run, adjust)
                    });
                    if let Err(refusal) = added {
                        break (Some((message.name, refusal)), None);
                    }
                    if run.len() >= run_max {
                        break (None, None);
                    }
                    unlooked += STREAM_CHANGE_BYTES + message.name.len();
                    if unlooked >= GATHERING_LOOK_BYTES {
                        unlooked = 0;
                        if begun.elapsed() >= time_max {
                            break (None, None);
                        }
                    }
                }
                Ok(None) => break (None, Some(Ok(()))),
                Err(refused) => {
                    break (None, Some(Err(own_words::refusal(refused, MESSAGE_BYTES_MAX))));
                }
            }
            let Poll::Ready(come) = pin!(requests.message()).poll(&mut context) else { break (None, None) };
            next = come;
        };
        Gathered { run, refused, end }
    }

    /// All products up to a price, as the original's contract lists them.
    async fn original_list(&self, page: Page) -> Result<Response<ListaProdutos>, Status> {
        let write = grpc::write_original_product;
        let list = List::new(&self.service, &self.progress, page, write, |_| Vec::new()).await;
        Ok(list.map_err(original_status)?.answer())
    }

    /// Is ready once nothing has been asked or taken for as long as a connection may be silent,
    /// or up to twice as long.
    async fn idle(&self) {
        let Some(limit) = self.service.idle else { return std::future::pending().await };
        let mut count = self.progress.count();
        loop {
            tokio::time::sleep(limit).await;
            let before = std::mem::replace(&mut count, self.progress.count());
            if before == count {
                return;
            }
        }
    }

    /// Is ready once no call has waited for a while, and no answer was taken.
    async fn settled(&self) {
        let mut before = None;
        loop {
            tokio::time::sleep(SETTLED_AFTER).await;
            let is_waiting = self.waiting.load(Ordering::Relaxed) > 0;
            let idle_at = (!is_waiting).then(|| self.progress.count());
            if idle_at.is_some() && idle_at == before {
                return;
            }
            before = idle_at;
        }
    }
}

/// The part of a stream that has come.
struct Gathered {
    run: Run,
    /// The change behind the run that could not be added to it: the name of its product, and why.
    refused: Option<(String, Refusal)>,
    /// How the stream ended behind these changes, if it did.
    end: Option<Result<(), Status>>,
}

/// The answers of a stream, as the client takes them. A handler leaves them with an empty answer,
/// whose body they become.
#[derive(Clone)]
struct StreamAnswers {
    progress: Progress,
    /// Shared with nobody, but what an answer carries must be able to be cloned.
    runs: Arc<mpsc::Receiver<Result<Bytes, Status>>>,
    /// What has been answered and is not taken yet.
    run: Bytes,
    has_ended: bool,
    /// They take memory until they are taken, also where the client sends no more.
    _counted: Arc<Counted>,
}

impl hyper::body::Body for StreamAnswers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if !self.run.is_empty() {
                self.progress.note();
                let length = self.run.len().min(TURN_BYTES);
                return Poll::Ready(Some(Ok(Frame::data(self.run.split_to(length)))));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            let Some(runs) = Arc::get_mut(&mut self.runs) else { return Poll::Ready(None) };
            let status = match ready!(runs.poll_recv(context)) {
                Some(Ok(run)) => {
                    self.run = run;
                    continue;
                }
                Some(Err(status)) => status,
                None => Status::ok(""),
            };
            self.has_ended = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))));
        }
    }
}

/// What a call ends with.
fn trailers(status: &Status) -> http::HeaderMap {
    let mut trailers = http::HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Only where its text cannot be a header.
        trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from(status.code() as i32));
    }
    trailers
}

/// Serves a gRPC connection until the client goes, or the server stops and no call is left.
///
/// hyper serves it directly: tonic's own server puts a router and several layers before
/// each call, which cost a fifth of a small one, and hides when a connection ends.
pub(super) async fn serve(service: Service, stream: Connection, first_bytes: Vec<u8>) {
    let stopping = service.stopping();
    let peer = stream.peer();
    let wrong_tokens = Arc::new(WrongTokens::default());
    let calls = Calls {
        service,
        waiting: Arc::default(),
        streams: Arc::default(),
        progress: Progress::default(),
        bytes_read: BytesRead::default(),
    };
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, calls.bytes_read.clone()));
    let connection = http2_server().serve_connection(stream, Services::new(&calls, peer, &wrong_tokens));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => Some(ended),
        () = stopping => None,
        () = calls.idle() => None,
        () = wrong_tokens.too_many.notified() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = calls.settled() => return tracing::debug!("an idle gRPC connection was ended"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a gRPC connection broke");
    }
}

/// HTTP/2 with its limits.
fn http2_server() -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_MAX)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_header_list_size(HEADER_LIST_BYTES_READ_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX);
    server
}

/// Answers every call of a newcomer for whom there is no room, until it goes.
pub(super) async fn turn_away(stream: Connection, first_bytes: Vec<u8>) {
    let service = hyper::service::service_fn(|_: http::Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(status(Refusal::no_room()).into_http::<Body>()))
    });
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, BytesRead::default()));
    let _ = http2_server().serve_connection(stream, service).await;
}

/// Finds the service of a call by its path.
struct Services {
    calls: Calls,
    peer: Option<SocketAddr>,
    wrong_tokens: Arc<WrongTokens>,
    inventory: InventoryServiceServer<Calls>,
    batches: InventoryServiceServer<Calls>,
    imports: InventoryServiceServer<Calls>,
    produto: ProdutoServiceServer<Calls>,
}

impl Services {
    fn new(calls: &Calls, peer: Option<SocketAddr>, wrong_tokens: &Arc<WrongTokens>) -> Self {
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
        self.calls.service.gate.tell_wrong(self.peer);
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
fn need(path: &str) -> Need {
    // All that follows the service, so that no call goes by the name of another.
    let method = path.splitn(3, '/').nth(2);
    match method {
        Some(
            "GetProduct"
            | "ListProducts"
            | "ListarProdutos"
            | "ConsultarProdutoNome"
            | "ConsultarProdutoPreco",
        ) => Need::Read,
        _ => Need::Write,
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
        let Service { gate, turns, .. } = &self.calls.service;
        let grant = match head::bearer(request.headers()) {
            Some(secret) => match gate.grant(secret) {
                Grant::Stranger => return self.wrong_token(),
                grant => grant,
            },
            None => gate.newcomer(),
        };
        if !access::permits(grant, need(request.uri().path())) {
            let refused = status(access::refusal(grant)).into_http();
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
        if !matches!(grant, Grant::Open) {
            request.extensions_mut().insert(grant);
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
struct Answer {
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

fn adjust_response(adjusted: &Adjusted) -> AdjustStockResponse {
    grpc::adjust_response(&adjusted.product, &adjusted.movement)
}

#[tonic::async_trait]
impl InventoryService for Calls {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<GetProductResponse>, Status> {
        let name = &request.get_ref().name;
        self.service.console.command(&operation::Request::Find { name });
        let product = self.service.inventory.find(name, grpc::product_message).await.map_err(status)?;
        Ok(Response::new(GetProductResponse { product: Some(product) }))
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        let page = Page::from_message(request.get_ref()).map_err(status)?;
        self.service.console.command(&operation::Request::List { max_price: page.max_price });
        let end = |next_page_token: Option<String>| {
            let next_page_token = next_page_token.unwrap_or_default();
            ListProductsResponse { products: Vec::new(), next_page_token }.encode_to_vec()
        };
        let list = List::new(&self.service, &self.progress, page, grpc::write_product, end).await;
        Ok(list.map_err(status)?.answer())
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        let adjust = grpc::adjust_request(request.get_ref()).map_err(status)?;
        self.service.console.command(&adjust);
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust(adjust).await.map_err(status)?;
        Ok(Response::new(adjust_response(&adjusted)))
    }

    async fn batch_adjust_stock(
        &self,
        request: Request<BatchAdjustStockRequest>,
    ) -> Result<Response<BatchAdjustStockResponse>, Status> {
        let batch = grpc::batch_request(request.get_ref()).map_err(status)?;
        for adjust in &batch.adjustments {
            self.service.console.command(adjust);
        }
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust_together(batch).await.map_err(status)?;
        let results = adjusted.iter().map(adjust_response).collect();
        Ok(Response::new(BatchAdjustStockResponse { results }))
    }

    type StreamAdjustStockStream = tokio_stream::Empty<Result<StreamAdjustStockResponse, Status>>;

    async fn stream_adjust_stock(
        &self,
        request: Request<Streaming<StreamAdjustStockRequest>>,
    ) -> Result<Response<Self::StreamAdjustStockStream>, Status> {
        // While one run is taken, another is made.
        let (answers, runs) = mpsc::channel(1);
        let grant = request.extensions().get().copied().unwrap_or_else(|| self.service.gate.newcomer());
        tokio::spawn(self.clone().adjust_stream(grant, request.into_inner(), answers));
        let progress = self.progress.clone();
        let (runs, counted) = (Arc::new(runs), Arc::new(Counted::one_more(&self.streams)));
        let answers =
            StreamAnswers { progress, runs, run: Bytes::new(), has_ended: false, _counted: counted };
        let mut response = Response::new(tokio_stream::empty());
        response.extensions_mut().insert(answers);
        Ok(response)
    }

    async fn import_products(
        &self,
        request: Request<ImportProductsRequest>,
    ) -> Result<Response<ImportProductsResponse>, Status> {
        let import = grpc::import_request(request.into_inner()).map_err(status)?;
        self.service.console.command(&import);
        let _waiting = self.wait();
        let counts = self.service.inventory.import(import).await.map_err(status)?;
        Ok(Response::new(grpc::import_response(counts)))
    }
}

#[tonic::async_trait]
impl ProdutoService for Calls {
    async fn listar_produtos(&self, _: Request<Empty>) -> Result<Response<ListaProdutos>, Status> {
        self.service.console.command(&operation::Request::List { max_price: None });
        self.original_list(Page::whole(None)).await
    }

    async fn consultar_produto_nome(
        &self,
        request: Request<ProdutoRequest>,
    ) -> Result<Response<ProdutoResponse>, Status> {
        let name = &request.get_ref().nome;
        self.service.console.command(&operation::Request::Find { name });
        let produto =
            self.service.inventory.find(name, grpc::original_product).await.map_err(original_status)?;
        Ok(Response::new(ProdutoResponse { produto: Some(produto) }))
    }

    async fn consultar_produto_preco(
        &self,
        request: Request<PrecoRequest>,
    ) -> Result<Response<ListaProdutos>, Status> {
        let max_price = grpc::price_from_float(request.get_ref().preco_max).map_err(original_status)?;
        self.service.console.command(&operation::Request::List { max_price: Some(max_price) });
        self.original_list(Page::whole(Some(max_price))).await
    }

    async fn atualizar_estoque(
        &self,
        request: Request<AtualizarRequest>,
    ) -> Result<Response<AtualizarResponse>, Status> {
        let AtualizarRequest { nome, quantidade } = request.get_ref();
        let adjust = AdjustRequest::of_units(nome, *quantidade);
        self.service.console.command(&adjust);
        let _waiting = self.wait();
        let adjusted = self.service.inventory.adjust(adjust).await.map_err(original_status)?;
        Ok(Response::new(AtualizarResponse { mensagem: grpc::product_line(&adjusted.product) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::server::testing;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn only_a_call_that_is_known_to_read_needs_no_more() {
        assert_eq!(need("/ProdutoService/ListarProdutos"), Need::Read);
        for path in
            ["/ProdutoService/AtualizarEstoque", "/ProdutoService/AtualizarEstoque/ListarProdutos", ""]
        {
            assert_eq!(need(path), Need::Write, "{path}");
        }
    }

    fn calls(inventory: Inventory, draining: tokio::sync::watch::Receiver<bool>) -> Calls {
        Calls {
            service: testing::service(inventory, draining),
            waiting: Arc::default(),
            streams: Arc::default(),
            progress: Progress::default(),
            bytes_read: BytesRead::default(),
        }
    }

    /// The body of a call, which has come whole.
    struct Come(Bytes);

    impl hyper::body::Body for Come {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let come = std::mem::take(&mut self.0);
            Poll::Ready((!come.is_empty()).then(|| Ok(Frame::data(come))))
        }
    }

    #[tokio::test]
    async fn many_streams_share_the_time_in_which_changes_are_gathered() {
        use tonic::codec::Codec as _;
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &crate::catalog::original_products()).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let calls = calls(inventory, draining);
        let _streams: Vec<_> = (0..STREAMS_MAX).map(|_| Counted::one_more(&calls.streams)).collect();
        // Each message takes longer than one of so many streams may gather.
        let name = format!("Caju{}", " ".repeat(MESSAGE_BYTES_MAX - 64));
        let adjustment = AdjustStockRequest { name, delta_thousandths: 1000, ..Default::default() };
        let message = StreamAdjustStockRequest { adjustment: Some(adjustment) }.encode_to_vec();
        let message = [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
        let body = Come(message.repeat(100).into());
        let mut codec = tonic_prost::ProstCodec::<(), StreamAdjustStockRequest>::default();
        let mut requests = Streaming::new_request(codec.decoder(), body, None, Some(MESSAGE_BYTES_MAX));
        let first = requests.message().await;
        let Gathered { run, refused, end } = calls.gather(first, &mut requests);
        assert!(refused.is_none() && end.is_none());
        assert!((1..4).contains(&run.len()), "{} changes", run.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_left_once_nothing_is_taken_any_more() {
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &[]).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let calls = calls(inventory, draining);
        let progress = calls.progress.clone();
        let service = calls.service.clone();
        tokio::spawn(async move {
            let (page, write) = (Page::whole(None), grpc::write_product);
            let list = List::new(&service, &progress, page, write, |_| Vec::new()).await.unwrap();
            // As a client that takes a piece from time to time.
            for _ in 0..12 {
                tokio::time::sleep(Duration::from_millis(400)).await;
                let mut list = pin!(list.clone().body());
                std::future::poll_fn(|context| hyper::body::Body::poll_frame(list.as_mut(), context)).await;
            }
        });
        let start = tokio::time::Instant::now();
        calls.settled().await;
        assert_eq!(start.elapsed().as_millis(), 5500);
        calls.idle().await;
        assert_eq!(start.elapsed().as_millis(), 7500);
    }
}
