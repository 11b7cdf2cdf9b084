//! The cases of Connect's conformance suite (connectrpc/conformance 1.0.5) that apply to any server, and some
//! more from the protocol's specification, each over HTTP/1.1 and HTTP/2.
//!
//! Left out of the suite: cases that ask its own service for what `InventoryService` never does (headers and
//! trailers of the caller's choice, delays, echoes, errors of every code); GET, because no call is declared
//! free of side effects; gRPC-Web, which is not served. Certificates of clients are in `network`.

mod specification;
mod suite;

use flate2::Compression;
use flate2::write::GzEncoder;
use hortifruti::wire::grpc::v1;
use http::Request;
use hyper::body::Bytes;
use prost::Message as _;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::http2;
use crate::support::web::{Answer, Web, envelope, envelopes, path};
use crate::support::{PATIENCE, Server};

/// The limit of a small message.
const BYTES_MAX: usize = 16 * 1024;

/// A request, of which perhaps only the beginning is sent.
struct Sent {
    line: String,
    fields: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    /// Whether the body ends.
    is_whole: bool,
}

/// A case: its name, what is sent, and what must come back.
struct Case(&'static str, Sent, Want);

/// What must come back.
#[derive(Debug, Clone, Copy)]
enum Want {
    /// A message, of the request's content type.
    Message,
    /// An error of a unary call: the status and the code.
    Error(u16, &'static str),
    /// A refusal by HTTP alone: the status, from which a client makes the code `unknown`.
    Http(u16),
    /// A stream of so many messages that ends with this code; empty if it ends well.
    Stream(usize, &'static str),
}

const PROTO: (&str, &str) = ("Content-Type", "application/proto");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const STREAM: (&str, &str) = ("Content-Type", "application/connect+proto");
const JSON_STREAM: (&str, &str) = ("Content-Type", "application/connect+json");
const VERSION: (&str, &str) = ("Connect-Protocol-Version", "1");
/// Ends a watch, which has no end of its own.
const SOON: (&str, &str) = ("Connect-Timeout-Ms", "200");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");
const STREAM_GZIP: (&str, &str) = ("Connect-Content-Encoding", "gzip");

fn sent(line: impl Into<String>, fields: &[(&'static str, &'static str)], body: impl Into<Vec<u8>>) -> Sent {
    Sent { line: line.into(), fields: fields.to_vec(), body: body.into(), is_whole: true }
}

fn call(name: &str, fields: &[(&'static str, &'static str)], body: impl Into<Vec<u8>>) -> Sent {
    sent(path(name), fields, body)
}

/// A call whose body does not end.
fn open(name: &str, fields: &[(&'static str, &'static str)], body: impl Into<Vec<u8>>) -> Sent {
    Sent { is_whole: false, ..call(name, fields, body) }
}

fn get_product() -> Vec<u8> {
    v1::GetProductRequest { name: "Caju".to_owned() }.encode_to_vec()
}

/// A change that changes nothing durable for the next case: one more or one less.
fn change(delta_thousandths: i64) -> Vec<u8> {
    let adjustment = v1::AdjustStockRequest { name: "Caju".into(), delta_thousandths, ..Default::default() };
    v1::StreamAdjustStockRequest { adjustment: Some(adjustment) }.encode_to_vec()
}

/// A message with an unknown field that makes it this long.
fn padded(mut message: Vec<u8>, length: usize) -> Vec<u8> {
    let left = length - message.len() - 1;
    let digits = if left < 0x80 {
        1
    } else if left < 0x4002 {
        2
    } else {
        3
    };
    message.push(15 << 3 | 2);
    prost::encoding::encode_varint((left - digits) as u64, &mut message);
    message.resize(length, b'x');
    message
}

/// A message of a stream with these flags.
fn flagged(flags: u8, message: &[u8]) -> Vec<u8> {
    let mut envelope = envelope(message);
    envelope[0] = flags;
    envelope
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut gzip, bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn the_server_conforms_over_both_versions() {
    let server = Server::start(&[]);
    let mut wrong = Vec::new();
    for Case(name, sent, want) in suite::cases().into_iter().chain(specification::cases()) {
        for (version, ask) in [("1.1", ask_http1 as fn(u16, &Sent) -> Answer), ("2", ask_http2)] {
            let answer = ask(server.port, &sent);
            if let Err(what) = conforms(&sent, &answer, want) {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                wrong.push(format!(
                    "{name} over HTTP/{version}: {what}, not {want:?}: {} {body}",
                    answer.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Over each version, the first of two changes of which the second is too long.
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 62");
}

/// Whether an answer is what must come back.
fn conforms(sent: &Sent, answer: &Answer, want: Want) -> Result<(), String> {
    let is = |what: &str, is: bool| if is { Ok(()) } else { Err(what.to_owned()) };
    let asked_type = sent.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let asked_type = asked_type.map_or("", |(_, value)| value.split(';').next().unwrap()).to_lowercase();
    let content_type = answer.field("content-type").unwrap_or_default();
    match want {
        Want::Message => {
            is("refused", answer.status == 200 && content_type == asked_type)?;
            is("encoded", answer.field("content-encoding").is_none())?;
            is("empty", !answer.body.is_empty())
        }
        Want::Error(status, code) => {
            is("another status", answer.status == status && content_type == "application/json")?;
            let error = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
            is_error(&error, code)
        }
        Want::Http(status) => {
            is("another status", answer.status == status && content_type.starts_with("text/plain"))?;
            is("no method", status != 405 || answer.field("allow").is_some())
        }
        Want::Stream(count, code) => {
            is("no stream", answer.status == 200 && content_type == asked_type)?;
            let mut messages = envelopes(&answer.body);
            let (flags, end) = messages.pop().ok_or("nothing")?;
            is("no end", flags == 2 && messages.iter().all(|(flags, _)| *flags == 0))?;
            is("other messages", messages.len() == count)?;
            let end: Value = serde_json::from_slice(&end).map_err(|error| error.to_string())?;
            if code.is_empty() { is("an error", end == json!({})) } else { is_error(&end["error"], code) }
        }
    }
}

/// Whether this is an error of Connect with this code and our detail.
fn is_error(error: &Value, code: &str) -> Result<(), String> {
    let has_detail = error["details"][0]["type"] == "google.rpc.ErrorInfo";
    let message = error["message"].as_str().unwrap_or_default();
    if error["code"] == code && has_detail && message.ends_with('.') && !message.contains("grpc-timeout") {
        return Ok(());
    }
    Err(format!("another error, {error}"))
}

fn ask_http1(port: u16, sent: &Sent) -> Answer {
    let mut web = Web::connect(port);
    let mut head = format!("{} HTTP/1.1\r\nHost: localhost\r\n", sent.line);
    for (name, value) in &sent.fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let length = sent.body.len() + usize::from(!sent.is_whole);
    head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
    web.send([head.as_bytes(), &sent.body].concat());
    web.answer().expect("an answer")
}

fn ask_http2(port: u16, sent: &Sent) -> Answer {
    let (head, body, _) = exchange(port, sent);
    let mut text = String::new();
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    Answer { status: head.status.as_u16(), head: text, body }
}

/// Asks over HTTP/2: the head, the body and the trailers of the answer.
fn exchange(port: u16, sent: &Sent) -> (http::response::Parts, Vec<u8>, Option<http::HeaderMap>) {
    let exchange = async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (calls, connection) = h2::client::handshake(stream).await.unwrap();
        let driven = tokio::spawn(connection);
        let (method, path) = sent.line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(format!("http://localhost{path}"));
        for (name, value) in &sent.fields {
            request = request.header(*name, value.as_bytes());
        }
        let (answer, mut body) =
            calls.ready().await.unwrap().send_request(request.body(()).unwrap(), false).unwrap();
        // A refusal may come before the end.
        let _ = body.send_data(Bytes::copy_from_slice(&sent.body), sent.is_whole);
        let (head, mut incoming) = answer.await.unwrap().into_parts();
        let mut come = Vec::new();
        while let Some(data) = incoming.data().await {
            let data = data.unwrap();
            incoming.flow_control().release_capacity(data.len()).unwrap();
            come.extend_from_slice(&data);
        }
        let trailers = incoming.trailers().await.unwrap();
        driven.abort();
        (head, come, trailers)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time") })
}

/// The suite's cases for gRPC: `grpc_server_unexpected.yaml` and `grpc_server_proto_subformat.yaml`.
#[test]
fn grpc_conforms() {
    let server = Server::start(&[]);
    let grpc = |name: &str, content_type, fields: &[_], body: Vec<u8>| {
        call(name, &[&[("content-type", content_type), ("te", "trailers")], fields].concat(), body)
    };
    let plain = "application/grpc";
    let one = http2::message(&get_product());
    let two = http2::message(b"").repeat(2);
    let unknown = "POST /connectrpc.conformance.v1.UnknownService/UnknownMethod";
    for (name, sent, code) in [
        ("unary/no-request", grpc("GetProduct", plain, &[], vec![]), Code::Unimplemented),
        ("unary/multiple-requests", grpc("GetProduct", plain, &[], two.clone()), Code::Unimplemented),
        ("server-stream/no-request", grpc("WatchMovements", plain, &[], vec![]), Code::Unimplemented),
        ("server-stream/multiple-requests", grpc("WatchMovements", plain, &[], two), Code::Unimplemented),
        (
            "unexpected-verb",
            Sent { line: path("GetProduct").replace("POST", "DELETE"), ..grpc("", plain, &[], one.clone()) },
            Code::Unimplemented,
        ),
        (
            "unexpected-uri",
            Sent { line: unknown.into(), ..grpc("", plain, &[], one.clone()) },
            Code::Unimplemented,
        ),
        (
            "unexpected-codec",
            grpc("GetProduct", "application/grpc+foo", &[], one.clone()),
            Code::Unimplemented,
        ),
        (
            "unexpected-compression",
            grpc("GetProduct", plain, &[("grpc-encoding", "foo")], one.clone()),
            Code::Unimplemented,
        ),
        (
            // As for Connect, the suite wants `INTERNAL`.
            "unexpected-compressed-message",
            grpc("GetProduct", plain, &[("grpc-encoding", "identity")], flagged(1, &get_product())),
            Code::InvalidArgument,
        ),
        ("with-proto-sub-format", grpc("GetProduct", "application/grpc+proto", &[], one.clone()), Code::Ok),
        ("without-proto-sub-format", grpc("GetProduct", plain, &[], one), Code::Ok),
    ] {
        let (head, _, trailers) = exchange(server.port, &sent);
        let status = Status::from_header_map(trailers.as_ref().unwrap_or(&head.headers));
        assert_eq!(status.map(|status| status.code()), Some(code), "{name}");
    }
}
