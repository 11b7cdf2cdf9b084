//! Connections of HTTP/2.

use std::convert::Infallible;
use std::pin::pin;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};

use super::plain;
use super::requests::Requests;
use crate::server::grpc::{self, HEADER_LIST_BYTES_READ_MAX, STREAMS_MAX};
use crate::server::io::{BytesRead, Prefixed};
use crate::server::maybe_tls::MaybeTls;
use crate::server::service::{Protocols, Service};

/// The most bytes of a call that may arrive before they are read: HTTP/2's own default. Small changes fill
/// hyper's default (a megabyte) with so many frames that h2 treats a client that only waits for its answers
/// as an attacker, and hangs up.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The most bytes that may arrive before they are read, over all calls of a connection: hyper's own default,
/// set here so that a later version of hyper does not change how much memory a client can hold.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// The most bytes of an answer that wait for a client whose window is open and that takes nothing. With
/// hyper's default, one connection could hold a hundred MiB of lists.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The most streams that a client may reset before the server has accepted them (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 64;

/// The most streams that the server resets for a client's errors before it ends the connection. Without a
/// limit, each would leave memory behind.
const ERROR_RESETS_MAX: usize = 256;

/// Serves a connection until the client closes it, or the server stops and no call is left.
///
/// hyper serves the connection directly: tonic's own server puts a router and several layers before each
/// call, which cost a fifth of a small call, and does not report the end of a connection.
pub(in crate::server) async fn serve(service: Service, stream: MaybeTls, first_bytes: Vec<u8>) {
    let stopping = service.stopping();
    let requests = Requests::new(service, &stream);
    let calls = requests.calls();
    let wrong_tokens = requests.wrong_tokens();
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, calls.bytes_read.clone()));
    let mut connection = pin!(server().serve_connection(stream, requests));
    let ended = tokio::select! {
        biased;
        ended = &mut connection => Some(ended),
        () = stopping => None,
        () = calls.idle() => None,
        () = wrong_tokens.are_too_many() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = calls.settled() => return tracing::debug!("an idle HTTP/2 connection was ended"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP/2 connection broke");
    }
}

/// The HTTP/2 server with its limits.
fn server() -> http2::Builder<TokioExecutor> {
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

/// Refuses every call of a client because the server is full, until the client closes the connection.
pub(in crate::server) async fn turn_away(protocols: Protocols, stream: MaybeTls, first_bytes: Vec<u8>) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let is_grpc = !protocols.http || grpc::is_grpc(request.headers());
        let response: Response<Body> = if is_grpc { grpc::no_room() } else { plain::no_room() };
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, BytesRead::default()));
    let _ = server().serve_connection(stream, service).await;
}
