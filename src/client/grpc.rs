//! A client over gRPC, and how it finds out that a server speaks only text.

mod details;

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use prost::Message;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};
use tower::ServiceExt;
use tower::util::MapResponse;

use super::patience::{LOOK, Patience};
use super::{Broken, Client, Failure, Manner, lost, open};
use crate::catalog::Sentence;
use crate::operation::{Reply, Request};
use crate::refusal::{Code, Refusal};
use crate::tls::{Problem, for_grpc, server_name};
use crate::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use crate::wire::grpc::v1::{GetProductRequest, ListProductsRequest};
use crate::wire::{HTTP2_PREFACE, goaway, grpc, text};

/// A frame of HTTP/2 begins with nine bytes, of which the fourth is its type; a server's
/// first frame is SETTINGS (RFC 9113 §3.4, §4.1).
const FRAME_HEADER_BYTES: usize = 9;
const FRAME_TYPE_AT: usize = 3;
const FRAME_TYPE_SETTINGS: u8 = 4;

/// Longest wait for the words behind the SETTINGS of a server that speaks only text, which sends both
/// together. Other servers begin with empty SETTINGS too, and wait for ours.
const REST_WAIT_MAX: Duration = Duration::from_millis(500);

/// tonic's message about an answer that is HTTP and no gRPC.
const NO_GRPC: &str = "grpc-status header missing, mapped from HTTP status code";

/// Largest answer taken: a page of a thousand products is far smaller.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most products taken of a list, as many as fit the longest reply of the text protocol. A
/// server that has always another page is none of ours.
const PRODUCTS_MAX: usize = 1_000_000;

/// tonic's messages about an answer that ended before its message or its status.
const CUT: [&str; 2] = ["Unexpected EOF decoding stream", "protocol error: missing grpc-status"];

/// The connection, with answers that tonic can read.
type Readable = MapResponse<Channel, fn(http::Response<Body>) -> http::Response<Body>>;

/// A connection that speaks gRPC, with a runtime of its own.
pub(super) struct GrpcClient {
    address: String,
    service: InventoryServiceClient<InterceptedService<Readable, ShowToken>>,
    runtime: Runtime,
    patience: Patience,
}

impl GrpcClient {
    /// Connects; `None` where the server says that it speaks only text.
    pub(super) fn connect(
        address: &str,
        manner: &Manner,
        patience: &Patience,
    ) -> Result<Option<Self>, Broken> {
        let stream = open(address, manner, patience)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| lost(address, &error))?;
        let not_ours = || Broken::NotOurs { address: address.to_owned(), protocol: "gRPC" };
        let service = runtime.block_on(async {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            let stream = stream.map_err(|error| lost(address, &error))?;
            let greeted = async {
                let stream: Box<dyn Stream> = match &manner.tls {
                    None => Box::new(stream),
                    Some(config) => Box::new(shake_hands(stream, address, for_grpc(config)).await?),
                };
                greet(stream).await.map_err(|error| lost(address, &error))
            };
            let connection = match patiently(patience, address, greeted).await?? {
                Greeting::Grpc(connection) => connection,
                Greeting::TextOnly => return Ok(None),
                Greeting::TlsOnly => return Err(Broken::TlsOnly { address: address.to_owned() }),
                Greeting::Unknown => return Err(not_ours()),
            };
            let mut connection = Some(TokioIo::new(connection));
            let connector = tower::service_fn(move |_| {
                let connection = connection.take().ok_or(io::ErrorKind::NotConnected.into());
                std::future::ready::<io::Result<_>>(connection)
            });
            let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| not_ours())?;
            let channel = patiently(patience, address, endpoint.connect_with_connector(connector))
                .await?
                .map_err(|error| Broken::Lost(error.to_string()))?;
            let readable: Readable = channel.map_response(details::readable);
            let service = InventoryServiceClient::with_interceptor(readable, ShowToken::of(manner));
            Ok(Some(service.max_decoding_message_size(MESSAGE_BYTES_MAX)))
        })?;
        let patience = patience.clone();
        Ok(service.map(|service| Self { address: address.to_owned(), service, runtime, patience }))
    }

    fn failure(&self, status: &Status) -> Failure {
        if let Some(refusal) = grpc::refusal(status) {
            return refusal.into();
        }
        // Without our error details, tonic or something on the way said it.
        if CUT.iter().any(|cut| status.message().starts_with(cut)) {
            return Broken::Lost("a resposta foi cortada".to_owned()).into();
        }
        match status.code() {
            tonic::Code::Unknown if status.message().starts_with(NO_GRPC) => self.not_ours().into(),
            tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown => {
                // tonic's own words for it are "transport error".
                let told = match status.source() {
                    Some(_) => "o servidor a encerrou",
                    None => status.message(),
                };
                Broken::Lost(Sentence(told).to_string()).into()
            }
            tonic::Code::ResourceExhausted | tonic::Code::OutOfRange => {
                let what = format!(
                    "a mensagem passa de um limite ({}). Nada foi feito; peça menos de uma vez.",
                    Sentence(status.message())
                );
                Refusal::new(Code::ResourceExhausted, what).into()
            }
            _ => self.not_ours().into(),
        }
    }

    fn not_ours(&self) -> Broken {
        Broken::NotOurs { address: self.address.clone(), protocol: "gRPC" }
    }

    /// Waits for an answer.
    fn wait<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Failure> {
        match self.runtime.block_on(patiently(&self.patience, &self.address, call))? {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.failure(&status)),
        }
    }
}

/// Waits for a future for as long as the patience lasts.
async fn patiently<T>(
    patience: &Patience,
    address: &str,
    awaited: impl Future<Output = T>,
) -> Result<T, Broken> {
    let mut awaited = std::pin::pin!(awaited);
    loop {
        match tokio::time::timeout(LOOK, &mut awaited).await {
            Ok(done) => return Ok(done),
            Err(_) => patience.look(address)?,
        }
    }
}

impl Client for GrpcClient {
    fn call(&mut self, request: &Request<'_>) -> Result<Reply, Failure> {
        self.patience.begin_answer();
        // Cloning shares the connection; calls borrow the clone, and waiting borrows `self`.
        let mut service = self.service.clone();
        let product = |message| grpc::product_reply(message).map(Reply::Product).map_err(|_| self.not_ours());
        match request {
            Request::Find { name } => {
                let request = GetProductRequest { name: (*name).to_owned() };
                let response = self.wait(service.get_product(request))?;
                Ok(product(response.product)?)
            }
            Request::Adjust(adjust) => {
                let response = self.wait(service.adjust_stock(grpc::adjust_message(adjust)))?;
                Ok(product(response.product)?)
            }
            Request::Batch(batch) => {
                let response = self.wait(service.batch_adjust_stock(grpc::batch_message(batch)))?;
                let changes = response.results.into_iter().map(grpc::change_reply).collect::<Result<_, _>>();
                Ok(Reply::Batch(changes.map_err(|_| self.not_ours())?))
            }
            Request::Import(import) => {
                let response = self.wait(service.import_products(grpc::import_message(import)))?;
                Ok(Reply::Imported(grpc::import_counts(&response)))
            }
            Request::List { max_price } => {
                let mut products = Vec::new();
                let mut page = ListProductsRequest {
                    max_price_centavos: max_price.map(|price| price.centavos()),
                    page_size: grpc::PAGE_PRODUCTS_MAX as i32,
                    page_token: String::new(),
                };
                loop {
                    let response = self.wait(service.list_products(page.clone()))?;
                    self.patience.heard(response.encoded_len());
                    self.patience.look(&self.address)?;
                    let page_start = products.len();
                    for message in response.products {
                        products.push(grpc::product_reply(Some(message)).map_err(|_| self.not_ours())?);
                    }
                    if response.next_page_token.is_empty() {
                        return Ok(Reply::Products(products));
                    }
                    let is_growing = products.len() > page_start;
                    if !is_growing {
                        return Err(self.not_ours().into());
                    }
                    if products.len() > PRODUCTS_MAX {
                        let what = format!(
                            "o catálogo passa de {PRODUCTS_MAX} produtos, mais do que este cliente guarda. Nada foi \
                             alterado; peça os produtos até um preço."
                        );
                        return Err(Refusal::new(Code::ResourceExhausted, what).into());
                    }
                    page.page_token = response.next_page_token;
                }
            }
            Request::Leave => Ok(Reply::Farewell),
        }
    }
}

/// Shows the token, if there is one, with each call.
#[derive(Clone)]
pub(crate) struct ShowToken(Option<AsciiMetadataValue>);

impl ShowToken {
    pub(crate) fn of(manner: &Manner) -> Self {
        // A secret that was read from a file has only characters that fit in a header.
        Self(manner.token.as_ref().and_then(|token| format!("Bearer {}", token.reveal()).parse().ok()))
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

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Speaks TLS first, so that what goes wrong there is told before anything is sent.
pub(crate) async fn shake_hands<S: Stream>(
    stream: S,
    address: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, Broken> {
    let name = server_name(address)
        .ok_or_else(|| Broken::Tls { address: address.to_owned(), problem: Problem::NoName })?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| lost(address, &error))
}

enum Greeting {
    Grpc(Greeted),
    TextOnly,
    TlsOnly,
    Unknown,
}

/// Sends the preface and looks at the first bytes of the answer.
async fn greet(mut stream: Box<dyn Stream>) -> io::Result<Greeting> {
    let (text_only, tls_only) = (goaway(text::TEXT_ONLY), goaway(text::TLS_ONLY));
    stream.write_all(HTTP2_PREFACE).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(text_only.len());
    loop {
        let is_settings = answer.len() >= FRAME_HEADER_BYTES;
        let read = stream.read_buf(&mut answer);
        let read = match is_settings {
            false => read.await,
            true => match tokio::time::timeout(REST_WAIT_MAX, read).await {
                Ok(read) => read,
                Err(_) => break,
            },
        };
        if read? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if answer.starts_with(&text_only) {
            return Ok(Greeting::TextOnly);
        }
        if answer.starts_with(&tls_only) {
            return Ok(Greeting::TlsOnly);
        }
        // Another program may stop here, and nothing more would come by which to recognise it.
        if answer.get(FRAME_TYPE_AT).is_some_and(|kind| *kind != FRAME_TYPE_SETTINGS) {
            return Ok(Greeting::Unknown);
        }
        let may_become = |known: &[u8]| known.starts_with(&answer);
        if answer.len() >= FRAME_HEADER_BYTES && !may_become(&text_only) && !may_become(&tls_only) {
            break;
        }
    }
    Ok(Greeting::Grpc(Greeted { answer, unsent: HTTP2_PREFACE.len(), stream }))
}

/// A connection on which the preface has been sent and the first bytes of the answer read,
/// for an HTTP/2 client that will do both again.
struct Greeted {
    answer: Vec<u8>,
    /// How much of what the client writes has been sent before.
    unsent: usize,
    stream: Box<dyn Stream>,
}

impl AsyncRead for Greeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answer.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.answer.len().min(buffer.remaining());
        buffer.put_slice(&self.answer[..length]);
        self.answer.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unsent > 0 {
            let length = self.unsent.min(bytes.len());
            self.unsent -= length;
            return Poll::Ready(Ok(length));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
