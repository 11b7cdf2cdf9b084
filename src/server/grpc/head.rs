//! The header fields of a call, which are checked before its message is read.

use std::time::Duration;

use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::refusal::{Code, Refusal};
use crate::wire::grpc::status;

/// The most bytes of header fields, as HTTP/2 counts them, in a call that is served: a token and the usual
/// metadata fit.
pub(super) const HEADER_LIST_BYTES_MAX: usize = 16 * 1024;

/// The most bytes of header fields that are read, so that our own text can refuse them; HTTP/2 itself refuses
/// more with the bare status 431. A connection may hold this much for each of its open calls.
pub(in crate::server) const HEADER_LIST_BYTES_READ_MAX: u32 = 64 * 1024;

/// Bytes that HTTP/2 adds for each field (RFC 9113 §6.5.2).
const FIELD_BYTES: usize = 32;

/// The header fields for the compression of a call's messages, and for the compressions that this server
/// reads.
const ENCODING: &str = "grpc-encoding";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const ACCEPTED_ENCODINGS: HeaderValue = HeaderValue::from_static("gzip,identity");

const TIMEOUT: &str = "grpc-timeout";

/// The most digits of a `grpc-timeout`.
const TIMEOUT_DIGITS_MAX: usize = 8;

/// The answer to a request that has too large a head or is not a gRPC call; `None` for any other request.
pub(super) fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES);
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if path + fields.sum::<usize>() > HEADER_LIST_BYTES_MAX {
        let what = format!(
            "os cabeçalhos do pedido passam de {HEADER_LIST_BYTES_MAX} bytes. Nada foi feito; envie menos metadados."
        );
        return Some(status(Refusal::new(Code::ResourceExhausted, what)).into_http());
    }
    if request.method() != Method::POST {
        let mut response = refused(":method", "uma chamada gRPC é um POST");
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Some(response);
    }
    let what = if !is_grpc(request.headers()) {
        "este pedido HTTP não é gRPC (content-type application/grpc)"
    } else if !has_known_codec(request.headers()) {
        "as mensagens deste pedido não são protobuf (content-type application/grpc ou application/grpc+proto)"
    } else {
        return None;
    };
    let mut response = refused("content-type", what);
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Some(response)
}

/// The answer to a request that no gRPC client makes, by its field.
fn refused(field: &'static str, what: &str) -> Response<Body> {
    let what = format!("{what}. Nada foi feito; use um cliente gRPC.");
    let metadata = vec![("field", field.to_owned())];
    status(Refusal { metadata, ..Refusal::new(Code::UnknownCommand, what) }).into_http()
}

/// Whether a request has the content type of gRPC. A web page can make a browser send any bytes to any server
/// that speaks TLS, even with the client's certificate, but not with this content type, for which a browser
/// asks the server first. (gRPC over HTTP/2, "Requests": without it, status 415.)
pub(in crate::server) fn is_grpc(headers: &HeaderMap) -> bool {
    behind_grpc(headers).is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Whether the messages of a gRPC request are protobuf.
fn has_known_codec(headers: &HeaderMap) -> bool {
    let codec = behind_grpc(headers).and_then(|rest| rest.split(|byte| *byte == b';').next());
    codec.is_some_and(|codec| matches!(codec.trim_ascii(), b"" | b"+proto"))
}

/// The content type behind `application/grpc`.
fn behind_grpc(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(header::CONTENT_TYPE)?.as_bytes().strip_prefix(b"application/grpc")
}

/// The secret of `authorization: Bearer SECRET` (RFC 6750 §2.1), if there is one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Whether the messages of a call may be compressed with gzip; `None` if the field names another compression,
/// or several. The field is removed, because this server decompresses the messages before tonic sees them.
pub(super) fn take_gzip(headers: &mut HeaderMap) -> Option<bool> {
    let mut encodings = headers.get_all(ENCODING).iter().map(HeaderValue::as_bytes);
    let is_gzip = match (encodings.next(), encodings.next()) {
        (None | Some(b"identity"), None) => false,
        (Some(b"gzip"), None) => true,
        _ => return None,
    };
    headers.remove(ENCODING);
    Some(is_gzip)
}

/// The answer to a call with an unsupported compression.
pub(super) fn unknown_encoding() -> Response<Body> {
    let what = "a compressão da mensagem não é aceita por este servidor. \
                Nada foi feito; envie-a com gzip ou sem compressão.";
    let metadata = vec![("field", ENCODING.to_owned())];
    let mut response =
        status(Refusal { metadata, ..Refusal::new(Code::UnknownCommand, what) }).into_http::<Body>();
    response.headers_mut().insert(ACCEPT_ENCODING, ACCEPTED_ENCODINGS);
    response
}

/// The time after which the client does not wait for the answer any more, if the client gives one.
///
/// # Errors
/// If the field cannot be read (`INVALID_ARGUMENT`): without the error, a change could be made after its
/// deadline.
pub(super) fn deadline(headers: &HeaderMap) -> Result<Option<Instant>, Refusal> {
    let Some(first) = headers.get(TIMEOUT) else { return Ok(None) };
    let is_one = headers.get_all(TIMEOUT).iter().nth(1).is_none();
    let timeout = first.to_str().ok().and_then(parse_timeout).filter(|_| is_one);
    let wrong = || {
        let what = "prazo inválido: use de 1 a 8 algarismos e uma unidade, H, M, S, m, u ou n";
        Refusal::invalid(TIMEOUT, what)
    };
    // A deadline beyond the range of clocks is no deadline.
    Ok(Instant::now().checked_add(timeout.ok_or_else(wrong)?))
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=TIMEOUT_DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    let count: u64 = is_number.then(|| digits.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_digits_and_a_unit() {
        for (text, timeout) in [
            ("0n", Some(Duration::ZERO)),
            ("00000001n", Some(Duration::from_nanos(1))),
            ("10u", Some(Duration::from_micros(10))),
            ("10m", Some(Duration::from_millis(10))),
            ("10S", Some(Duration::from_secs(10))),
            ("10M", Some(Duration::from_secs(600))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("123456789S", None),
            ("+1S", None),
            ("-1S", None),
            ("1.5S", None),
            ("1 S", None),
            ("1ç", None),
        ] {
            assert_eq!(parse_timeout(text), timeout, "{text:?}");
        }
    }
}
