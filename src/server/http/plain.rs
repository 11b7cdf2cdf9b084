//! Answers whose body is known: most are one line of text, for people who read them in a browser or after curl.

use std::time::Duration;

#[cfg(feature = "http")]
use axum::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::refusal::Refusal;

/// The media type of such an answer.
const TEXT: &str = "text/plain; charset=utf-8";

/// The time after which a client of a full server should try again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The answer of a server that serves no HTTP.
const NOT_SERVED: &str =
    "este servidor não atende HTTP. Nada foi feito; use um cliente gRPC, ou inicie o servidor com --http.";

/// The answer of a server that speaks only TLS to a request that came without.
const TLS_ONLY: &str = "este servidor atende só por TLS. Nada foi feito; use https:// no lugar de http://.";

/// The security headers of every answer: nothing is loaded from elsewhere, nothing runs but the panel's own
/// files, and no other page frames, embeds or opens this one.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Gives an answer the security headers.
pub(super) fn secure(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// An answer with this status.
#[cfg(feature = "http")]
pub(super) fn answer(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = of_type(TEXT, format!("{text}\n"));
    *response.status_mut() = status;
    response
}

/// An answer of this media type.
#[cfg(feature = "http")]
pub(super) fn of_type(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Why a full server serves nobody else.
pub(super) fn full() -> String {
    Refusal::no_room().message
}

/// The answer of a full server.
pub(super) fn no_room() -> Response<tonic::body::Body> {
    let mut response = Response::new(tonic::body::Body::new(format!("{}\n", full())));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    secure(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
    response
}

/// The whole answer to a request of HTTP/1.1 if the server serves no HTTP.
pub(in crate::server) fn not_served() -> Vec<u8> {
    raw("501 Not Implemented", "", NOT_SERVED)
}

/// The whole answer to a request of HTTP/1.1 without TLS if the server speaks only TLS.
pub(in crate::server) fn tls_only() -> Vec<u8> {
    raw("400 Bad Request", "", TLS_ONLY)
}

/// An answer of HTTP/1.1 after which the connection ends.
pub(super) fn raw(status: &str, fields: &str, text: &str) -> Vec<u8> {
    let length = text.len() + 1;
    let secure = HEADERS.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    format!(
        "HTTP/1.1 {status}\r\n{fields}Content-Type: {TEXT}\r\nContent-Length: {length}\r\n{secure}Connection: \
         close\r\n\r\n{text}\n"
    )
    .into_bytes()
}
