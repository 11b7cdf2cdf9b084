//! Answers of one line of text, for people who read them in a browser or after curl.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::refusal::Refusal;

/// The media type of such an answer.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// The time after which a client of a full server should try again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The answer of a server that serves no HTTP.
pub(super) const NOT_SERVED: &str =
    "este servidor não atende HTTP. Nada foi feito; use um cliente gRPC, ou inicie o servidor com --http.";

/// The answer of a server that speaks only TLS to a request that came without.
pub(super) const TLS_ONLY: &str =
    "este servidor atende só por TLS. Nada foi feito; use https:// no lugar de http://.";

/// An answer with this status.
pub(super) fn answer(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}

/// Why a full server serves nobody else.
pub(super) fn full() -> String {
    Refusal::no_room().message
}

/// The answer of a full server.
pub(super) fn no_room() -> Response<tonic::body::Body> {
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, &full());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
    response.map(tonic::body::Body::new)
}
