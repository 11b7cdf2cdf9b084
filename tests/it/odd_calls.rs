//! gRPC calls that are cut, late, doubled, squeezed or not what they say.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use h2::Reason;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Bytes;
use prost::Message;
use tokio::net::TcpStream;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, GetProductResponse, ImportProductsRequest,
    ListProductsResponse, MovementKind, Product, ProductDraft, StreamAdjustStockRequest,
};

use crate::http2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, frame, message, serve_calls};
use crate::support::waiting::accept;
use crate::support::{FOUR_PRODUCTS, PATIENCE, Server, hortifruti, run};

const GET: &str = "/hortifruti.v1.InventoryService/GetProduct";
const LIST: &str = "/hortifruti.v1.InventoryService/ListProducts";
const ADJUST: &str = "/hortifruti.v1.InventoryService/AdjustStock";
const BATCH: &str = "/hortifruti.v1.InventoryService/BatchAdjustStock";
const STREAM: &str = "/hortifruti.v1.InventoryService/StreamAdjustStock";
const IMPORT: &str = "/hortifruti.v1.InventoryService/ImportProducts";
const ORIGINAL_GET: &str = "/ProdutoService/ConsultarProdutoNome";
const ORIGINAL_LIST: &str = "/ProdutoService/ListarProdutos";
const ORIGINAL_ADJUST: &str = "/ProdutoService/AtualizarEstoque";

/// The calls that change something, each with a message that would.
fn changes() -> [(&'static str, Vec<u8>); 4] {
    let adjust = adjust("Caju", 1000);
    let batch = BatchAdjustStockRequest { adjustments: vec![adjust.clone()], request_id: String::new() };
    let products = vec![ProductDraft { name: "Uva".into(), price_centavos: 100, ..Default::default() }];
    let import = ImportProductsRequest { products, ..Default::default() };
    [
        (ADJUST, message(&adjust.encode_to_vec())),
        (BATCH, message(&batch.encode_to_vec())),
        (IMPORT, message(&import.encode_to_vec())),
        // nome: "Caju", quantidade: 1
        (ORIGINAL_ADJUST, message(b"\x0a\x04Caju\x10\x01")),
    ]
}

fn adjust(name: &str, delta_thousandths: i64) -> AdjustStockRequest {
    AdjustStockRequest { name: name.into(), delta_thousandths, ..Default::default() }
}

fn streamed(name: &str, delta_thousandths: i64) -> Vec<u8> {
    let adjustment = Some(adjust(name, delta_thousandths));
    message(&StreamAdjustStockRequest { adjustment }.encode_to_vec())
}

/// Any call by its path.
fn call(path: &str) -> Request<()> {
    Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap()
}

/// The same, with this field too.
fn call_with(path: &str, name: &'static str, value: impl AsRef<[u8]>) -> Request<()> {
    let mut request = call(path);
    request.headers_mut().append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
    request
}

/// An HTTP/2 connection that sends what it is told to.
struct Connection {
    calls: SendRequest<Bytes>,
    driven: tokio::task::JoinHandle<()>,
}

/// What a call was answered.
#[derive(Debug)]
struct Answer {
    http: StatusCode,
    headers: HeaderMap,
    messages: Vec<u8>,
    status: Status,
}

impl Answer {
    /// That the call was refused with this, in the words of the contract.
    #[track_caller]
    fn is_refused(&self, code: Code, reason: &str) -> &Self {
        let Self { status, .. } = self;
        assert_eq!(status.code(), code, "{self:?}");
        let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo in {self:?}"));
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("hortifruti", reason), "{self:?}");
        assert!(status.message().contains(". Nada foi "), "{self:?}");
        self
    }
}

impl Connection {
    async fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        let (calls, connection) = h2::client::handshake(stream).await.unwrap();
        let driven = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self { calls, driven }
    }

    /// Begins a call with these bytes, and leaves it open.
    async fn begin(
        &mut self,
        request: Request<()>,
        bytes: Vec<u8>,
    ) -> (h2::client::ResponseFuture, h2::SendStream<Bytes>) {
        let mut calls = self.calls.clone().ready().await.unwrap();
        let (answer, mut body) = calls.send_request(request, false).unwrap();
        body.send_data(bytes.into(), false).unwrap();
        (answer, body)
    }

    /// Makes a whole call of these bytes.
    async fn ask(&mut self, request: Request<()>, bytes: Vec<u8>) -> Answer {
        let (answer, mut body) = self.begin(request, bytes).await;
        // A refusal may come before the end.
        let _ = body.send_data(Bytes::new(), true);
        read(answer).await
    }

    /// Waits until the server has looked at all that was sent before.
    async fn settle(&mut self) {
        let asked = self.ask(call(ADJUST), message(&adjust("Pera", 1000).encode_to_vec())).await;
        assert_eq!(asked.status.code(), Code::Ok, "{asked:?}");
    }
}

async fn read(answer: h2::client::ResponseFuture) -> Answer {
    tokio::time::timeout(PATIENCE, async {
        let (head, mut body) = answer.await.unwrap().into_parts();
        let mut messages = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            messages.extend_from_slice(&data);
        }
        let trailers = body.trailers().await.unwrap();
        let status = Status::from_header_map(trailers.as_ref().unwrap_or(&head.headers)).expect("a status");
        Answer { http: head.status, headers: head.headers, messages, status }
    })
    .await
    .expect("an answer in time")
}

fn products(server: &Server) -> String {
    server.connect().ask("4")
}

/// The four products after so many settled connections.
fn four_products(settled: usize) -> String {
    FOUR_PRODUCTS.replace("Pera: R$5.0, Estoque: 15", &format!("Pera: R$5.0, Estoque: {}", 15 + settled))
}

#[tokio::test]
async fn a_call_that_did_not_end_is_not_made() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let mut settled = 0;
    for (path, bytes) in changes() {
        for reason in [Reason::NO_ERROR, Reason::CANCEL, Reason::REFUSED_STREAM, Reason::INTERNAL_ERROR] {
            // With the whole message or without its last byte, looked at before the cut or not.
            for (length, is_looked_at) in [(0, false), (0, true), (1, true)] {
                let (_answer, mut body) =
                    connection.begin(call(path), bytes[..bytes.len() - length].to_vec()).await;
                if is_looked_at {
                    connection.settle().await;
                    settled += 1;
                }
                body.send_reset(reason);
                connection.settle().await;
                settled += 1;
                assert_eq!(products(&server), four_products(settled), "{path} {reason:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_call_of_a_connection_that_breaks_is_not_made() {
    let server = Server::start(&[]);
    for (path, bytes) in changes() {
        let mut connection = Connection::open(&server).await;
        let (_answer, _body) = connection.begin(call(path), bytes).await;
        connection.settle().await;
        connection.driven.abort();
        let _ = (&mut connection.driven).await;
        drop(connection);
        let mut other = Connection::open(&server).await;
        let asked = other.ask(call(ADJUST), message(&adjust("Pera", -1000).encode_to_vec())).await;
        assert_eq!(asked.status.code(), Code::Ok);
        assert_eq!(products(&server), FOUR_PRODUCTS, "{path}");
    }
}

#[tokio::test]
async fn trailers_are_an_end() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let (path, bytes) = changes()[0].clone();
    let (answer, mut body) = connection.begin(call(path), bytes).await;
    body.send_trailers(HeaderMap::new()).unwrap();
    assert_eq!(read(answer).await.status.code(), Code::Ok);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 61");
    // Not in the middle of the message.
    let (answer, mut body) = connection.begin(call(path), vec![0, 0, 0]).await;
    body.send_trailers(HeaderMap::new()).unwrap();
    read(answer).await.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
    // Nor of a stream's, whose whole messages before are answered.
    let whole = streamed("Caju", 1000);
    let squeezed = compressed(&gzip(&whole[5..]));
    for (request, bytes) in [(call(STREAM), whole), (call_with(STREAM, "grpc-encoding", "gzip"), squeezed)] {
        for length in [bytes.len() - 1, 3] {
            let (answer, mut body) =
                connection.begin(request.clone(), [&bytes, &bytes[..length]].concat()).await;
            body.send_trailers(HeaderMap::new()).unwrap();
            let answer = read(answer).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
            assert!(!answer.messages.is_empty(), "{answer:?}");
        }
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 65");
}

#[tokio::test]
async fn what_came_whole_on_a_stream_is_answered_before_what_is_wrong_with_the_rest() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let whole = streamed("Caju", 1000);
    let big = message(&[b'x'; 20_000]);
    let cases: [(&[u8], Code, &str); 7] = [
        (&whole[..whole.len() - 1], Code::InvalidArgument, "INVALID_ARGUMENT"),
        (&whole[..3], Code::InvalidArgument, "INVALID_ARGUMENT"),
        // A name that is not UTF-8, and what is no message.
        (&message(b"\x0a\x07\x0a\x05Caj\xff\xff"), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (&message(b"\xff\xff\xff"), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (b"\x07\0\0\0\0", Code::InvalidArgument, "INVALID_ARGUMENT"),
        (b"\x01\0\0\0\0", Code::InvalidArgument, "INVALID_ARGUMENT"),
        (&big, Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    ];
    for (index, (rest, code, reason)) in cases.into_iter().enumerate() {
        let answer = connection.ask(call(STREAM), [&whole, rest].concat()).await;
        answer.is_refused(code, reason);
        assert_eq!(answer.messages[0], 0);
        let length = u32::from_be_bytes(answer.messages[1..5].try_into().unwrap());
        assert_eq!(answer.messages.len(), 5 + length as usize, "one answer");
        assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {}", 61 + index));
    }
    let empty = connection.ask(call(STREAM), vec![]).await;
    assert_eq!((empty.status.code(), empty.messages.len()), (Code::Ok, 0));
}

#[tokio::test]
async fn a_stream_that_is_cut_inside_a_change_does_not_make_it() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let whole = streamed("Caju", 1000);
    let (answer, mut body) = connection.begin(call(STREAM), whole.clone()).await;
    let mut answers = answer.await.unwrap().into_body();
    let answered = tokio::time::timeout(PATIENCE, answers.data()).await.unwrap().unwrap().unwrap();
    assert!(!answered.is_empty());
    body.send_data(whole[..whole.len() - 1].to_vec().into(), false).unwrap();
    body.send_reset(Reason::NO_ERROR);
    connection.settle().await;
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 61");
}

#[tokio::test]
async fn a_call_of_one_message_has_one() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    for (path, bytes) in changes() {
        for wrong in
            [bytes.repeat(2), [&bytes[..], &message(&[])].concat(), [&bytes[..], b"\0"].concat(), vec![]]
        {
            let answer = connection.ask(call(path), wrong).await;
            answer.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
        }
        for cut in [bytes[..bytes.len() - 1].to_vec(), vec![0, 0]] {
            let answer = connection.ask(call(path), cut).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
        }
        // Without a frame of data at all.
        let mut calls = connection.calls.clone().ready().await.unwrap();
        let (answer, _) = calls.send_request(call(path), true).unwrap();
        read(answer).await.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
        // Each byte in a frame of its own, and then another.
        let (answer, mut body) = connection.begin(call(path), vec![]).await;
        for byte in &bytes {
            body.send_data(vec![*byte].into(), false).unwrap();
        }
        let _ = body.send_data(vec![0].into(), true);
        read(answer).await.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
    }
    for path in [GET, LIST, ORIGINAL_GET, ORIGINAL_LIST] {
        let answer = connection.ask(call(path), message(&[]).repeat(2)).await;
        answer.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
    }
    assert_eq!(products(&server), FOUR_PRODUCTS);
    // The same bytes in frames of their own are made.
    let (path, bytes) = changes()[0].clone();
    let (answer, mut body) = connection.begin(call(path), vec![]).await;
    for (index, byte) in bytes.iter().enumerate() {
        body.send_data(vec![*byte].into(), index == bytes.len() - 1).unwrap();
    }
    assert_eq!(read(answer).await.status.code(), Code::Ok);
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    for path in [GET, LIST, ADJUST, BATCH, IMPORT, ORIGINAL_GET, ORIGINAL_LIST, ORIGINAL_ADJUST] {
        for wrong in [
            message(b"\xff\xff\xff\xff"),
            // A field of any number, longer than the message.
            message(b"\x7a\x7f"),
            // Compressed, it says, but not how; and a flag that is none.
            b"\x01\0\0\0\0".to_vec(),
            b"\x02\0\0\0\0".to_vec(),
        ] {
            let answer = connection.ask(call(path), wrong).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
            assert_eq!(answer.http, StatusCode::OK);
        }
    }
    for (path, not_utf8, field) in [
        (GET, &b"\x0a\x05Caj\xff\xff"[..], "name"),
        (ADJUST, b"\x0a\x05Caj\xff\xff\x10\x05", "name"),
        (ADJUST, b"\x0a\x04Caju\x10\x05\x1a\x01\xff", "request_id"),
        (BATCH, b"\x0a\x07\x0a\x05Caj\xff\xff", "name"),
        (IMPORT, b"\x0a\x07\x0a\x05Caj\xff\xff", "name"),
        (ORIGINAL_GET, b"\x0a\x05Caj\xff\xff", "nome"),
        (ORIGINAL_ADJUST, b"\x0a\x05Caj\xff\xff\x10\x05", "nome"),
    ] {
        let answer = connection.ask(call(path), message(not_utf8)).await;
        answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
        let info = answer.status.get_details_error_info().unwrap();
        assert_eq!(info.metadata.get("field").map(String::as_str), Some(field), "{path}");
        assert!(answer.status.message().contains(field), "{answer:?}");
    }
    assert_eq!(products(&server), FOUR_PRODUCTS);
}

#[tokio::test]
async fn a_deadline_that_has_passed_or_cannot_be_read_makes_nothing() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    for (path, bytes) in changes().into_iter().chain([(STREAM, streamed("Caju", 1000))]) {
        for passed in ["0n", "0H", "00000000m"] {
            let answer =
                connection.ask(call_with(path, "grpc-timeout", passed.as_bytes()), bytes.clone()).await;
            answer.is_refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
        }
        for wrong in
            ["", "1", "S", "1s", "123456789S", "-1S", "+1S", " 1S x", "1 S", "1.5S", "0x1S", "1SS", "\u{b9}S"]
        {
            let answer =
                connection.ask(call_with(path, "grpc-timeout", wrong.as_bytes()), bytes.clone()).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
            assert_eq!(answer.status.get_details_error_info().unwrap().metadata["field"], "grpc-timeout");
        }
        let mut two = call_with(path, "grpc-timeout", "1H");
        two.headers_mut().append("grpc-timeout", HeaderValue::from_static("2H"));
        connection.ask(two, bytes).await.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
    }
    assert_eq!(products(&server), FOUR_PRODUCTS);
    let (path, bytes) = changes()[0].clone();
    for unit in ["99999999H", "10000M", "100S", "100000m", "99999999u"] {
        let answer = connection.ask(call_with(path, "grpc-timeout", unit.as_bytes()), bytes.clone()).await;
        assert_eq!(answer.status.code(), Code::Ok, "{unit}");
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 65");
}

#[tokio::test]
async fn a_deadline_that_passes_before_the_end_of_a_call_is_reported() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    for (path, bytes) in changes() {
        // The end never comes.
        let (answer, body) = connection.begin(call_with(path, "grpc-timeout", b"30m"), bytes.clone()).await;
        read(answer).await.is_refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
        drop(body);
        // It comes too late: the server has seen the beginning, and sees the end after the deadline.
        let (answer, mut body) = connection.begin(call_with(path, "grpc-timeout", "30m"), vec![]).await;
        connection.settle().await;
        server.pause();
        tokio::time::sleep(Duration::from_millis(30)).await;
        let _ = body.send_data(bytes.into(), true);
        server.signal("CONT");
        read(answer).await.is_refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    }
    let (answer, body) =
        connection.begin(call_with(STREAM, "grpc-timeout", "2S"), streamed("Caju", 1000)).await;
    let answer = read(answer).await;
    answer.is_refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    drop(body);
    assert!(!answer.messages.is_empty(), "what came in time is answered");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 61");
}

#[tokio::test]
async fn a_deadline_passes_while_a_large_message_waits_for_its_turn() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let (path, bytes) = changes()[2].clone();
    let first = connection.begin(call(path), vec![0]).await;
    let second = connection.begin(call(path), vec![0]).await;
    let answer = connection.ask(call_with(path, "grpc-timeout", b"30m"), bytes.clone()).await;
    answer.is_refused(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    for (answer, mut body) in [first, second] {
        body.send_data(bytes[1..].to_vec().into(), true).unwrap();
        assert_eq!(read(answer).await.status.code(), Code::Ok);
    }
}

#[tokio::test]
async fn only_post_is_a_call() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let (path, bytes) = changes()[0].clone();
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD", "QUERY", "post"] {
        let mut request = call(path);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = connection.ask(request, bytes.clone()).await;
        assert_eq!(answer.http, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers["allow"], "POST");
        answer.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
    }
    let mut request = call(path);
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = "localhost:80".parse().unwrap();
    let answer = connection.ask(request, bytes).await;
    assert_eq!(answer.http, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(products(&server), FOUR_PRODUCTS);
}

#[tokio::test]
async fn a_call_that_there_is_not_is_refused_in_the_words_of_the_contract() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    for path in [
        "/",
        "//",
        "/hortifruti.v1.InventoryService",
        "/hortifruti.v1.InventoryService/",
        "/hortifruti.v1.InventoryService/getProduct",
        "/hortifruti.v1.InventoryService/GetProduct/",
        "/hortifruti.v1.InventoryService/BatchAdjustStock/x",
        "/hortifruti.v1.InventoryService/ImportProducts/x",
        "/ProdutoService/Apagar",
        "/hortifruti.v2.InventoryService/GetProduct",
        "/grpc.health.v1.Nada/Check",
    ] {
        let answer = connection.ask(call(path), message(&[])).await;
        answer.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
    }
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused_in_the_words_of_the_contract() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let (path, bytes) = changes()[0].clone();
    for length in [16 * 1024, 20_000, 60_000] {
        let long = "x".repeat(length);
        let answer = connection.ask(call_with(path, "x-longo", long.as_bytes()), bytes.clone()).await;
        answer.is_refused(Code::ResourceExhausted, "RESOURCE_EXHAUSTED");
        let answer = connection.ask(call(&format!("{path}{long}")), bytes.clone()).await;
        answer.is_refused(Code::ResourceExhausted, "RESOURCE_EXHAUSTED");
    }
    assert_eq!(products(&server), FOUR_PRODUCTS);
    let long = "x".repeat(15 * 1024);
    let answer = connection.ask(call_with(path, "x-longo", long.as_bytes()), bytes).await;
    assert_eq!(answer.status.code(), Code::Ok);
}

#[tokio::test]
async fn metadata_that_is_no_text_hurts_nobody() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let odd: [(&str, &[u8]); 4] = [
        ("authorization", b"Bearer \xff\xfe"),
        ("authorization", b"\xe7"),
        ("x-coisa-bin", b"!!! no base64"),
        ("user-agent", b"\xc3\xa7"),
    ];
    for (name, value) in odd {
        let (path, bytes) = changes()[0].clone();
        let answer = connection.ask(call_with(path, name, value), bytes).await;
        assert_eq!(answer.status.code(), Code::Ok, "{name}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A message that says that it is compressed.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut message = message(bytes);
    message[0] = 1;
    message
}

#[tokio::test]
async fn requests_may_be_compressed_with_gzip() {
    let server = Server::start(&[]);
    let mut client = InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port))
        .await
        .unwrap()
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let change = AdjustStockRequest { kind: MovementKind::Sale.into(), ..adjust("caju", -1000) };
    client.adjust_stock(change.clone()).await.unwrap();
    let batch =
        BatchAdjustStockRequest { adjustments: vec![change.clone(); 1000], request_id: String::new() };
    assert_eq!(client.batch_adjust_stock(batch).await.unwrap_err().code(), Code::FailedPrecondition);
    let products =
        (0..10_000).map(|index| ProductDraft { name: format!("Uva {index}"), ..Default::default() });
    let import = ImportProductsRequest { products: products.collect(), dry_run: true, ..Default::default() };
    client.import_products(import).await.unwrap();
    let streamed = StreamAdjustStockRequest { adjustment: Some(change) };
    let answers = client.stream_adjust_stock(tokio_stream::iter(vec![streamed; 3])).await.unwrap();
    assert_eq!(tokio_stream::StreamExt::collect::<Vec<_>>(answers.into_inner()).await.len(), 3);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 56");

    let mut connection = Connection::open(&server).await;
    let gzipped = |path| call_with(path, "grpc-encoding", "gzip");
    for (path, bytes) in [(ORIGINAL_ADJUST, &b"\x0a\x04Caju\x10\x01"[..]), (GET, b"\x0a\x04Caju")] {
        let answer = connection.ask(gzipped(path), compressed(&gzip(bytes))).await;
        assert_eq!(answer.status.code(), Code::Ok, "{path}");
        // Not each message need be.
        assert_eq!(connection.ask(gzipped(path), message(bytes)).await.status.code(), Code::Ok);
        let wrong = [compressed(bytes), compressed(&gzip(bytes)[..10]), compressed(&[])];
        for wrong in wrong {
            let answer = connection.ask(gzipped(path), wrong).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
        }
        let two = connection.ask(gzipped(path), compressed(&gzip(bytes)).repeat(2)).await;
        two.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
        for unknown in [&b"deflate"[..], b"zstd", b"snappy", b"\xff", b"GZIP", b""] {
            let answer = connection.ask(call_with(path, "grpc-encoding", unknown), compressed(bytes)).await;
            answer.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
            assert_eq!(answer.headers["grpc-accept-encoding"], "gzip,identity");
        }
    }
}

#[tokio::test]
async fn a_compressed_message_is_read_whole_or_refused() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let gzipped = |path| call_with(path, "grpc-encoding", "gzip");
    let mut calls: Vec<_> = changes().map(|(path, bytes)| (path, bytes[5..].to_vec())).into();
    calls.extend([
        (STREAM, streamed("Caju", 1000)[5..].to_vec()),
        (GET, b"\x0a\x04Caju".to_vec()),
        (ORIGINAL_GET, b"\x0a\x04Caju".to_vec()),
    ]);
    for (path, bytes) in &calls {
        let whole = gzip(bytes);
        let mut wrong_sum = whole.clone();
        wrong_sum[whole.len() - 8] ^= 1;
        let mut wrong_length = whole.clone();
        wrong_length[whole.len() - 4] ^= 1;
        for wrong in [
            // Bytes behind the end that are no member, or not a whole one.
            [&whole[..], b"lixo"].concat(),
            [&whole[..], &[0; 8]].concat(),
            [&whole, &whole[..whole.len() - 1]].concat(),
            [&whole, &whole[..5]].concat(),
            [&whole, &wrong_sum[..]].concat(),
            whole[..whole.len() - 1].to_vec(),
            whole[..12].to_vec(),
            wrong_sum,
            wrong_length,
            vec![],
            // More of the smallest members than anyone needs.
            gzip(b"").repeat(800),
        ] {
            // So many are not too many for the largest messages, but then there is no content.
            let answer = connection.ask(gzipped(path), compressed(&wrong)).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
            assert!(answer.messages.is_empty(), "{path} {answer:?}");
            assert_eq!(answer.http, StatusCode::OK);
        }
        // Compressed, it says, but not how.
        for said in [call(path), call_with(path, "grpc-encoding", "identity")] {
            let answer = connection.ask(said, compressed(&whole)).await;
            answer.is_refused(Code::InvalidArgument, "INVALID_ARGUMENT");
        }
        // In several ways, of which the first could be read.
        let mut twice = gzipped(path);
        twice.headers_mut().append("grpc-encoding", HeaderValue::from_static("deflate"));
        connection.ask(twice, compressed(&whole)).await.is_refused(Code::Unimplemented, "UNKNOWN_COMMAND");
    }
    assert_eq!(products(&server), FOUR_PRODUCTS);
    let two = gzip(&calls[0].1).repeat(2);
    for (path, bytes) in &calls {
        // Cut into members anywhere: inside a name, or before a field that would be left out.
        let members: Vec<_> = bytes.chunks(1).flat_map(gzip).collect();
        let answer = connection.ask(gzipped(path), compressed(&members)).await;
        assert_eq!(answer.status.code(), Code::Ok, "{path} {answer:?}");
        assert!(!answer.messages.is_empty(), "{path} {answer:?}");
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 64");
    // Of a field that comes twice the last counts, as in one member.
    let more = [two, gzip(&adjust("", 5000).encode_to_vec())].concat();
    assert_eq!(connection.ask(gzipped(ADJUST), compressed(&more)).await.status.code(), Code::Ok);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 69");
}

#[tokio::test]
async fn a_stream_may_mix_compressed_changes_in_frames_of_any_length() {
    let server = Server::start(&[]);
    let mut connection = Connection::open(&server).await;
    let plain = streamed("Caju", 1000);
    let (first, rest) = plain[5..].split_at(4);
    let squeezed = compressed(&[gzip(first), gzip(rest)].concat());
    let both = [&plain[..], &squeezed].concat();
    let mut stock = 60;
    // A client that sends very many tiny frames is taken for an attacker.
    for (count, length) in [(3, 1), (20, 7), (100, 1000), (100, usize::MAX)] {
        let (answer, mut body) = connection.begin(call_with(STREAM, "grpc-encoding", "gzip"), vec![]).await;
        for part in both.repeat(count).chunks(length) {
            body.send_data(part.to_vec().into(), false).unwrap();
        }
        body.send_data(Bytes::new(), true).unwrap();
        let answer = read(answer).await;
        assert_eq!(answer.status.code(), Code::Ok, "{answer:?}");
        stock += 2 * count;
        assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {stock}"));
    }
}

#[test]
fn an_answer_that_is_cut_is_no_answer() {
    let product = |price_centavos| Product {
        name: "Maca".into(),
        price_centavos,
        stock_thousandths: 1000,
        unit: "un".into(),
        ..Default::default()
    };
    let found = |price| GetProductResponse { product: Some(product(price)) }.encode_to_vec();
    let listed =
        |price| ListProductsResponse { products: vec![product(price)], ..Default::default() }.encode_to_vec();
    let answers = [
        (&["query", "Maca"][..], message(&found(666)), message(&found(300))),
        (&["query"], message(&listed(666)), message(&listed(300))),
    ];
    let head = http2::fields([(":status", "200"), ("content-type", "application/grpc")]);
    let trailers = http2::fields([("grpc-status", "0")]);
    for (args, wrong, right) in answers {
        let part = &wrong[..wrong.len() - 1];
        for (bytes, end) in [
            (&wrong[..], None),
            (part, None),
            (&[], None),
            (&wrong, Some(Reason::NO_ERROR)),
            (part, Some(Reason::NO_ERROR)),
            (&[], Some(Reason::NO_ERROR)),
            (&wrong, Some(Reason::CANCEL)),
            (&wrong, Some(Reason::INTERNAL_ERROR)),
        ] {
            let cut = |id| {
                let head = frame(HEADERS, END_HEADERS, id, &head);
                let end = match end {
                    Some(reason) => frame(RST_STREAM, 0, id, &u32::from(reason).to_be_bytes()),
                    None => frame(DATA, END_STREAM, id, &[]),
                };
                [head, frame(DATA, 0, id, bytes), end].concat()
            };
            let whole = |id| {
                let head = frame(HEADERS, END_HEADERS, id, &head);
                let end = frame(HEADERS, END_HEADERS | END_STREAM, id, &trailers);
                [head, frame(DATA, 0, id, &right), end].concat()
            };
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let folder = tempfile::tempdir().unwrap();
            let ended = std::thread::scope(|scope| {
                scope.spawn(|| {
                    serve_calls(accept(&listener), cut);
                    serve_calls(accept(&listener), whole);
                });
                let ended = run(hortifruti(folder.path()).args(args).args(["--server", &address]), "");
                // The server waits for a client that asks again.
                let _ = std::net::TcpStream::connect(&address);
                ended
            });
            let told = format!("{args:?} {} bytes, {end:?}: {ended:?}", bytes.len());
            assert_eq!((ended.code, ended.out.as_str()), (0, "Maca: R$3.0, Estoque: 1\n"), "{told}");
            assert!(!ended.err.contains("protocol") && !ended.err.contains("EOF"), "{told}");
        }
    }
}
