//! Connections of HTTP/1.1.

use std::pin::Pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::plain;
use super::requests::Requests;
use crate::server::io::{Prefixed, close};
use crate::server::maybe_tls::MaybeTls;
use crate::server::service::Service;

/// The most bytes of a request's line and header fields: a token and what browsers send fit. Also the most
/// bytes that are read before they are needed.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most header fields of a request: browsers send some twenty.
const HEAD_FIELDS_MAX: usize = 64;

/// The longest time until the head of the next request has arrived, from the end of the last answer on. So a
/// connection that a browser only keeps ends too, as such connections do everywhere.
const HEAD_WAIT: Duration = Duration::from_secs(30);

/// Serves a connection until the client closes it or asks nothing more, or the server stops and the answer
/// that it owes is taken.
pub(in crate::server) async fn serve(service: Service, stream: MaybeTls, first_bytes: Vec<u8>) {
    // A request that came before the stop is answered; hyper answers none after it.
    let stopped = service.stopped();
    let requests = Requests::new(service, &stream);
    let calls = requests.calls();
    let wrong_tokens = requests.wrong_tokens();
    let stream = TokioIo::new(Prefixed::new(first_bytes, stream, calls.bytes_read.clone()));
    let mut connection = server().serve_connection(stream, requests);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => Some(ended),
        () = stopped => None,
        () = calls.idle() => None,
        () = wrong_tokens.are_too_many() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = calls.settled() => return tracing::debug!("an idle HTTP/1.1 connection was ended"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP/1.1 connection broke");
    }
    close(connection.into_parts().io.into_inner().into_stream()).await;
}

/// The HTTP/1.1 server with its limits.
fn server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_FIELDS_MAX);
    server
}

/// The whole answer to a request that is refused because the server is full.
pub(in crate::server) fn turn_away() -> Vec<u8> {
    plain::raw(
        "503 Service Unavailable",
        &format!("Retry-After: {}\r\n", plain::RETRY_AFTER.as_secs()),
        &plain::full(),
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    use super::*;
    use crate::catalog::original_products;
    use crate::inventory::Inventory;
    use crate::server::testing;
    use crate::store::sqlite::SqliteStore;

    // Tokio's time is paused: it jumps to the next timer when nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_ends_its_request_is_ended() {
        let body = "POST /hortifruti.v1.InventoryService/GetProduct HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
        let import = body.replace("GetProduct", "ImportProducts").replace("Length: 9", "Length: 3900000");
        let watch = body.replace("GetProduct", "WatchMovements").replace("/json", "/connect+json");
        for (sent, seconds, answer) in [
            ("GET / HTTP/1.1\r\nHost: loc", 30, ""),
            ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 30, "HTTP/1.1 200 OK"),
            (body, 40, "HTTP/1.1 4"),
            (&import, 40, "HTTP/1.1 4"),
            (&watch, 40, "HTTP/1.1 200 OK"),
        ] {
            let store = Box::new(SqliteStore::in_memory().unwrap());
            let (inventory, _committer) = Inventory::open(store, &original_products()).unwrap();
            let (_drain, draining) = tokio::sync::watch::channel(false);
            let service = Service { idle: None, ..testing::service(&inventory, draining) };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            client.write_all(sent.as_bytes()).await.unwrap();
            let start = Instant::now();
            let reading = async {
                let mut come = Vec::new();
                client.read_to_end(&mut come).await.unwrap();
                (String::from_utf8(come).unwrap(), start.elapsed().as_secs())
            };
            let ((come, took), ()) =
                tokio::join!(reading, serve(service, MaybeTls::Plain(stream), Vec::new()));
            assert!(come.starts_with(answer), "{sent}: {come}");
            assert!((seconds - 1..=seconds).contains(&took), "{sent}: {took} seconds");
        }
    }
}
