//! The client: a connection to a server over either transport, and a blocking client that uses it.
//!
//! ```text
//! shell, one-shots, bench ── Client         blocks, on a runtime of its own
//!                              │
//!                           reconnect        finds the server again, repeats by request id
//!                              │  ├ route     the servers of the shop, and which is tried first
//!                              │  └ patience  how long to wait, and who hears of it
//!                           Connection       one server, one call at a time
//!                            ├ text           lines
//!                            └ grpc           generated client; greeting, details
//!                              │
//!                            stream          TCP, TLS, bytes counted
//! ```
//!
//! [`Discovery`] says where the server is, [`ConnectOptions`] how to speak to it, and [`ClientError`] why
//! there is no reply. A new operation needs one arm in `grpc`; text needs none here.

mod connection;
mod discover;
mod error;
mod grpc;
mod options;
mod patience;
mod reconnect;
mod route;
mod stream;
mod text;
mod watch;

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::io_error::describe;
use crate::operation::{Reply, Request, WatchRequest};
pub use connection::Connection;
pub use discover::{Discovery, NotAnAddress};
pub use error::{ClientError, ConnectionError};
pub use grpc::{GrpcConnection, Service};
pub use options::ConnectOptions;
pub use patience::{News, Patience, interrupt};
pub use reconnect::new_request_id;
pub use stream::Traffic;
pub use text::TextConnection;
pub use watch::HearEvent;

use reconnect::Reconnecting;

/// A blocking client, which finds the server again if it goes away.
pub struct Client {
    runtime: Runtime,
    server: Reconnecting,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If no server is there now. A server that hangs up may be restarting, and one that does not answer may
    /// be busy: in these two cases the client tries for as long as for a request.
    pub fn connect(
        discovery: Discovery,
        options: ConnectOptions,
        patience: Patience,
    ) -> Result<Self, ClientError> {
        let mut client = Self::unconnected(discovery, options, patience)?;
        client.runtime.block_on(client.server.connect())?;
        Ok(client)
    }

    /// A client that connects with its first request.
    ///
    /// # Errors
    /// If the system refuses a runtime.
    pub fn unconnected(
        discovery: Discovery,
        options: ConnectOptions,
        patience: Patience,
    ) -> Result<Self, ConnectionError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ConnectionError::Lost(describe(&error)))?;
        Ok(Self { runtime, server: Reconnecting::new(discovery, options, patience) })
    }

    /// The address of the server that the client is connected to now.
    pub fn address(&self) -> Option<&str> {
        self.server.address()
    }

    /// Sends a request, and waits for its reply. If the connection breaks, looks for the server and repeats
    /// the request. A change has a request id, so it is made once.
    ///
    /// # Errors
    /// If the server refuses the request (its refusal), or there is no answer (a [`ConnectionError`], which
    /// says so if a change may have been made).
    pub fn call(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        self.runtime.block_on(self.server.call(request, false))
    }

    /// Sends a request once, waits no longer than `time_max`, and does not look for a server that is gone.
    ///
    /// # Errors
    /// If [`Client::call`] would fail, or has no reply in this time.
    pub fn call_once(&mut self, request: &Request<'_>, time_max: Duration) -> Result<Reply, ClientError> {
        self.runtime.block_on(self.server.call_once(request, time_max))
    }

    /// Watches the shop until `hear` breaks or Ctrl-C is pressed. Finds the server again without limit, and hears
    /// every movement once and in order.
    ///
    /// # Errors
    /// If the server refuses the request, or there is none when the watch begins.
    pub fn watch(&mut self, request: &WatchRequest<'_>, hear: &mut HearEvent<'_>) -> Result<(), ClientError> {
        self.runtime.block_on(self.server.watch(request, hear))
    }

    /// Repeats a change that may have been made before, under its id.
    ///
    /// # Errors
    /// If [`Client::call`] would fail. The change stays in doubt until an answer decides.
    pub fn repeat(&mut self, change: &Request<'_>) -> Result<Reply, ClientError> {
        self.runtime.block_on(self.server.call(change, true))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    use rustls::ClientConfig;

    use super::patience::Limits;
    use super::*;
    use crate::operation::ProductsRequest;
    use crate::wire::Protocol;

    const LIMITS: Limits = Limits {
        connect: Duration::from_millis(1500),
        silence: Duration::from_millis(1500),
        bytes_per_second_min: 1024,
        silence_beside_others: Duration::from_millis(300),
        reported_after: Duration::from_millis(150),
    };

    static NEWS: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn note(news: &News<'_>) {
        NEWS.lock().unwrap().push(format!("{news:?}"));
    }

    /// The answer that a client gets from a server that runs `serve` on each of its connections.
    fn served(
        protocol: Option<Protocol>,
        request: &Request<'_>,
        serve: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Result<Reply, ClientError> {
        served_to(ConnectOptions { protocol, ..ConnectOptions::default() }, request, serve)
    }

    fn served_to(
        options: ConnectOptions,
        request: &Request<'_>,
        serve: impl Fn(&mut TcpStream) + Send + Sync + 'static,
    ) -> Result<Reply, ClientError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(&mut stream.unwrap()));
            }
        });
        let patience = Patience::new(Some(note), LIMITS);
        let mut client = Client::unconnected(Discovery::at(address), options, patience).unwrap();
        client.runtime.block_on(client.server.attempt(request)).answer
    }

    /// A TLS configuration without any trusted authority.
    pub(super) fn no_authority() -> Arc<ClientConfig> {
        ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
            .into()
    }

    /// A server that waits for a request, and then runs `go_on`.
    fn after_question(go_on: impl Fn(&mut TcpStream) + Send + Sync) -> impl Fn(&mut TcpStream) + Send + Sync {
        move |stream| {
            let _ = stream.read(&mut [0; 512]);
            go_on(stream);
            let _ = stream.read(&mut [0; 512]);
        }
    }

    const ALL: Request<'static> = Request::ListProducts(ProductsRequest {
        max_price: None,
        search: "",
        category: "",
        is_low_only: false,
        has_discontinued: false,
    });

    #[test]
    fn a_silent_server_is_not_answering_and_a_speaking_one_another_program() {
        for protocol in [None, Some(Protocol::Http2), Some(Protocol::Text)] {
            let silent = served(protocol, &ALL, after_question(|_| {}));
            assert!(
                matches!(silent, Err(ClientError::Connection(ConnectionError::NotAnswering { .. }))),
                "{silent:?}"
            );
        }
        assert!(NEWS.lock().unwrap().iter().any(|news| news.starts_with("Silent(")));
        for banner in ["SSH-2.0", "220 ", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
            let other = served(
                None,
                &ALL,
                after_question(|stream| {
                    let _ = stream.write_all(banner.as_bytes());
                }),
            );
            assert!(
                matches!(other, Err(ClientError::Connection(ConnectionError::NotOurs { .. }))),
                "{banner}: {other:?}"
            );
        }
    }

    /// Another program that speaks HTTP/2, begins with empty SETTINGS, and answers a call with 404.
    fn refuse_as_a_web_server(stream: &mut TcpStream) {
        const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        const METHOD_NOT_ALLOWED: &[u8] = b"\x00\x00\x05\x01\x05\x00\x00\x00\x01\x08\x03405";
        let _ = stream.write_all(SETTINGS);
        let _ = stream.read_exact(&mut [0; crate::wire::HTTP2_PREFACE.len()]);
        let mut head = [0; 9];
        // The program reads until the end of the call: a message with END_STREAM.
        while stream.read_exact(&mut head).is_ok() {
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let _ = stream.read_exact(&mut vec![0; length]);
            if head[3] == 0 && head[4] == 1 {
                let _ = stream.write_all(METHOD_NOT_ALLOWED);
            }
        }
    }

    #[test]
    fn a_web_server_is_another_program() {
        for protocol in [None, Some(Protocol::Http2)] {
            for request in [ALL, Request::parse("3 Caju -20").unwrap()] {
                let answer = served(protocol, &request, refuse_as_a_web_server);
                assert!(
                    matches!(answer, Err(ClientError::Connection(ConnectionError::NotOurs { .. }))),
                    "{answer:?}"
                );
            }
        }
    }

    #[test]
    fn a_list_that_drips_is_given_up() {
        // The list drips by bytes without a line end, and by lines.
        for drop in ["M", "Maca: R$3.0, Estoque: 20\n"] {
            let dripped = served(
                Some(Protocol::Text),
                &ALL,
                after_question(|stream| {
                    while stream.write_all(drop.as_bytes()).is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }),
            );
            assert!(
                matches!(dripped, Err(ClientError::Connection(ConnectionError::TooSlow { .. }))),
                "{drop}: {dripped:?}"
            );
        }
    }

    #[test]
    fn a_handshake_that_drips_is_not_answered() {
        let config = no_authority();
        for protocol in [Protocol::Text, Protocol::Http2] {
            let options = ConnectOptions {
                protocol: Some(protocol),
                tls: Some(config.clone()),
                ..ConnectOptions::default()
            };
            let dripped = served_to(
                options,
                &ALL,
                after_question(|stream| {
                    // The server sends a record of 16 KiB, a byte at a time.
                    let _ = stream.write_all(&[0x16, 3, 3, 0x40, 0]);
                    while stream.write_all(&[2]).is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }),
            );
            assert!(
                matches!(dripped, Err(ClientError::Connection(ConnectionError::NotAnswering { .. }))),
                "{dripped:?}"
            );
        }
    }

    #[test]
    fn an_answer_to_another_question_is_noticed() {
        let find = |name| Request::GetProduct { name };
        for (request, reply, is_taken) in [
            (find("maçã"), "Maca: R$3.0, Estoque: 20\n\n", true),
            (find("Maca"), "Pera: R$5.0, Estoque: 15\n\n", false),
            // A number may be a product's code.
            (find("789"), "Pera: R$5.0, Estoque: 15\n\n", true),
            (Request::parse("3 Caju -20").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", false),
            (Request::parse("2 4").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", false),
            (Request::parse("2 5").unwrap(), "Pera: R$5.0, Estoque: 15\n\n", true),
        ] {
            let answer = served(
                Some(Protocol::Text),
                &request,
                after_question(|stream| {
                    let _ = stream.write_all(reply.as_bytes());
                }),
            );
            assert_eq!(answer.is_ok(), is_taken, "{request}: {answer:?}");
            assert!(
                is_taken
                    || matches!(answer, Err(ClientError::Connection(ConnectionError::OtherAnswer { .. })))
            );
        }
    }
}
