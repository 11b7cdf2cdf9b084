//! The gRPC transport: HTTP/2 connections, whose calls are answered by the inventory.

mod adjust_stream;
mod arriving;
mod calls;
mod gzip;
mod head;
mod large_messages;
mod list_body;
mod message_bytes;
mod one_message;
mod own_words;
mod progress;
mod router;
mod trailers;
mod unary;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::body::Body;
use tonic::codegen::http;

use super::authenticator::WrongTokens;
use super::io::{BytesRead, Prefixed};
use super::maybe_tls::MaybeTls;
use super::service::Service;
use crate::refusal::Refusal;
use crate::wire::grpc::status;
use calls::Calls;
use head::HEADER_LIST_BYTES_READ_MAX;
use progress::Progress;
use router::Router;

/// The most open calls of one connection; further calls wait at the client. Each call holds its request and
/// its answer, so this number bounds the memory of a connection.
const STREAMS_MAX: u32 = 256;

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

/// Serves a gRPC connection until the client closes it, or the server stops and no call is left.
///
/// hyper serves the connection directly: tonic's own server puts a router and several layers before each
/// call, which cost a fifth of a small call, and does not report the end of a connection.
pub(super) async fn serve(service: Service, stream: MaybeTls, first_bytes: Vec<u8>) {
    let stopping = service.stopping();
    let peer = stream.peer();
    let wrong_tokens = Arc::new(WrongTokens::default());
    let calls = Arc::new(Calls {
        service,
        waiting: Arc::default(),
        streams: Arc::default(),
        progress: Progress::default(),
        bytes_read: BytesRead::default(),
    });
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, calls.bytes_read.clone()));
    let connection = http2_server().serve_connection(stream, Router::new(&calls, peer, &wrong_tokens));
    let mut connection = pin!(connection);
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
                () = calls.settled() => return tracing::debug!("an idle gRPC connection was ended"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a gRPC connection broke");
    }
}

/// The HTTP/2 server with its limits.
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

/// Refuses every call of a client because the server is full, until the client closes the connection.
pub(super) async fn turn_away(stream: MaybeTls, first_bytes: Vec<u8>) {
    let service = hyper::service::service_fn(|_: http::Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(status(Refusal::no_room()).into_http::<Body>()))
    });
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, BytesRead::default()));
    let _ = http2_server().serve_connection(stream, service).await;
}

#[cfg(test)]
mod testing;
