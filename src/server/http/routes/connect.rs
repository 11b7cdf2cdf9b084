//! The Connect protocol: a codec before the router of gRPC. A request becomes a gRPC request, which the router
//! answers with all its checks and limits, and the answer becomes one of Connect.

mod answer;
mod events;
mod format;
mod request_body;

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, HttpBody as _};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, header};

use crate::metrics::Transport;
use crate::operation::Operation;
use crate::refusal::{Code, Refusal};
use crate::server::grpc::{CallBody, EventEncoding, STANDBY};
use crate::server::http::connection::Connection;
use crate::server::http::plain;
use crate::wire::connect::{self, Codec, Kind};
use crate::wire::grpc::{INVENTORY_SERVICE, status};
use crate::wire::json::Call;
pub(super) use answer::{json, refused};
use format::Format;
use request_body::{NoBody, StreamBody, UnaryBody};

/// Answers a call of `InventoryService`.
pub(super) async fn answer(
    Extension(connection): Extension<Arc<Connection>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(kind) = content_type.and_then(Kind::of) else { return other_type() };
    let operation = Operation::by_name(&name).filter(|operation| operation.spec().message.is_some());
    let call = operation.and_then(Call::of);
    if call.is_some_and(|call| call.is_stream != kind.is_stream) {
        return other_type();
    }
    let answered = match grpc_request(request, kind, operation.zip(call), &name) {
        Ok(request) => {
            let Ok(answered) = connection.router.call(request, Transport::Http).await;
            answered
        }
        Err(refusal) => status(refusal).into_http(),
    };
    let mark = answered.headers().get(STANDBY).cloned();
    let mut answer = if kind.is_stream {
        // The events of a watch are written as JSON already.
        answer::stream(kind, call.filter(|_| operation != Some(Operation::WatchMovements)), answered)
    } else {
        answer::unary(kind, operation.zip(call), answered).await
    };
    if let Some(mark) = mark {
        answer.headers_mut().insert(STANDBY, mark);
    }
    answer
}

fn other_type() -> Response<Body> {
    let what = "esta chamada precisa de content-type application/json ou application/proto, ou de \
                application/connect+json ou application/connect+proto se tem um fluxo de mensagens. Nada foi feito.";
    plain::answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, what)
}

/// The gRPC request for a request of Connect.
fn grpc_request(
    request: Request<Body>,
    kind: Kind,
    call: Option<(Operation, &'static Call)>,
    name: &str,
) -> Result<Request<CallBody>, Refusal> {
    let (head, body) = request.into_parts();
    let fields = &head.headers;
    if let Some(version) = text(fields, &HeaderName::from_static(connect::VERSION))? {
        connect::check_version(version)?;
    }
    let encoding = if kind.is_stream {
        HeaderName::from_static(connect::STREAM_ENCODING)
    } else {
        header::CONTENT_ENCODING
    };
    let is_gzip = match text(fields, &encoding)? {
        None | Some("identity") => false,
        Some("gzip") => true,
        Some(_) => return Err(unknown_encoding()),
    };
    let mut request = Request::post(format!("/{INVENTORY_SERVICE}/{name}"))
        .header(header::CONTENT_TYPE, "application/grpc");
    if let Some(timeout) = text(fields, &HeaderName::from_static(connect::TIMEOUT))? {
        // gRPC has at most eight digits. Seconds are enough for a longer time.
        let timeout = connect::parse_timeout(timeout)?;
        let timeout = match u32::try_from(timeout.as_millis()) {
            Ok(milliseconds) if milliseconds < 100_000_000 => format!("{milliseconds}m"),
            _ => format!("{}S", timeout.as_secs()),
        };
        request = request.header("grpc-timeout", timeout);
    }
    if kind.codec == Codec::Json {
        request = request.extension(EventEncoding(&events::JSON));
    }
    for secret in fields.get_all(header::AUTHORIZATION) {
        request = request.header(header::AUTHORIZATION, secret);
    }
    let body = match call {
        Some((operation, call)) => {
            let bytes_max = operation.spec().message.map_or(0, |message| message.bytes_max);
            let is_end_said = head.version == Version::HTTP_2;
            made(body, Format { kind, call, bytes_max, is_gzip, is_end_said })
        }
        // Nobody reads the body of a call that does not exist.
        None => CallBody::Made { body: Box::pin(NoBody), bytes: Some(0) },
    };
    request.body(body).map_err(|_| Refusal::invalid("method", "o nome da chamada não pode ser"))
}

/// The body of a gRPC call from that of a request.
fn made(body: Body, format: Format) -> CallBody {
    let bytes = body.size_hint().exact().filter(|_| !format.is_gzip);
    if format.kind.is_stream {
        CallBody::Made { body: Box::pin(StreamBody::new(body, format)), bytes: None }
    } else {
        CallBody::Made { body: Box::pin(UnaryBody::new(body, format)), bytes }
    }
}

/// The text of a header field, if it is given.
///
/// # Errors
/// If it is given several times or is no text (`INVALID_ARGUMENT`).
fn text<'h>(fields: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Refusal> {
    let mut values = fields.get_all(name).iter().map(HeaderValue::to_str);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(Refusal::invalid("header", format!("o cabeçalho {name} vem duas vezes ou não é texto"))),
    }
}

fn unknown_encoding() -> Refusal {
    let what = "a compressão da mensagem não é aceita por este servidor. \
                Nada foi feito; envie-a com gzip ou sem compressão.";
    Refusal::new(Code::UnknownCommand, what)
}
