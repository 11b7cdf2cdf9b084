//! The first steps of an accepted connection: TLS, the protocol by the first bytes, and the answers if the
//! server is full or does not serve the protocol.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::io::{answer_and_close, close};
use super::maybe_tls::MaybeTls;
use super::service::{Service, Tls};
use super::{http, text};
use crate::platform::sockets;
use crate::wire::{self, HTTP2_PREFACE, Protocol};

/// The time after which the beginning of an HTTP request counts as text. No text command begins like one; a
/// person who typed `P` gets an error after this time.
const PREFACE_WAIT: Duration = Duration::from_millis(500);

/// The time that a client of a full server has to show its protocol, so that it can be answered in that
/// protocol. A silent client is answered in text.
const TURN_AWAY_WAIT: Duration = Duration::from_secs(1);

/// The longest time of a TLS handshake, the wait for its first byte included. A handshake needs two round
/// trips and some milliseconds, and a client begins it when it connects.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// Sets up TLS on a TCP connection if the server speaks TLS. `None` if the connection was refused or has
/// ended.
pub(super) async fn enter(tls: &Tls, stream: TcpStream) -> Option<MaybeTls> {
    let Some(tls) = tls else { return Some(MaybeTls::Plain(stream)) };
    let acceptor = TlsAcceptor::from(tls.borrow().clone());
    // The handshake is boxed, so that the task of a plain connection needs no room for it.
    match tokio::time::timeout(HANDSHAKE_WAIT, Box::pin(shake_hands(acceptor, stream))).await {
        Ok(Ok(Entrant::Tls(stream))) => Some(MaybeTls::tls(*stream)),
        Ok(Ok(Entrant::Plain(stream))) => {
            let refused = Box::pin(refuse_plain(MaybeTls::Plain(stream)));
            let _ = tokio::time::timeout(HANDSHAKE_WAIT, refused).await;
            None
        }
        Ok(Err((error, stream))) => {
            tracing::debug!(%error, "a TLS handshake failed");
            // The alert with the reason must arrive.
            close(MaybeTls::Plain(stream)).await;
            None
        }
        Err(_) => {
            tracing::debug!("a TLS handshake took too long");
            None
        }
    }
}

enum Entrant {
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    /// The client sent bytes that are not TLS.
    Plain(TcpStream),
}

async fn shake_hands(acceptor: TlsAcceptor, stream: TcpStream) -> Result<Entrant, (io::Error, TcpStream)> {
    let mut first = [0; 1];
    match stream.peek(&mut first).await {
        Ok(0) => return Err((io::ErrorKind::UnexpectedEof.into(), stream)),
        Ok(_) if !wire::is_tls(&first) => return Ok(Entrant::Plain(stream)),
        Ok(_) => {}
        Err(error) => return Err((error, stream)),
    }
    let stream = acceptor.accept(stream).into_fallible().await?;
    // TLS 1.3 has no answer to the end of the client's handshake. A client without TCP_NODELAY sends its
    // first command only after that end is acknowledged.
    sockets::acknowledge_now(&socket2::SockRef::from(stream.get_ref().0));
    Ok(Entrant::Tls(Box::new(stream)))
}

/// Refuses a client that does not speak TLS, in the client's own protocol.
async fn refuse_plain(mut stream: MaybeTls) {
    match read_first_bytes(&mut stream).await {
        Ok((_, Protocol::Http1)) => answer_and_close(stream, &http::tls_only()).await,
        Ok((_, Protocol::Http2)) => answer_and_close(stream, &wire::goaway(wire::text::TLS_ONLY)).await,
        Ok((_, Protocol::Text)) => {
            answer_and_close(stream, wire::text::message(wire::text::TLS_ONLY).as_bytes()).await
        }
        Err(_) => {}
    }
}

/// Refuses a client because the server is full, in the client's own protocol if it is known in time.
pub(super) async fn turn_away(service: Service, stream: TcpStream) {
    let protocols = service.protocols;
    let Ok(Some(mut stream)) = tokio::time::timeout(TURN_AWAY_WAIT, enter(&service.tls, stream)).await else {
        return;
    };
    match tokio::time::timeout(TURN_AWAY_WAIT, read_first_bytes(&mut stream)).await {
        Ok(Ok((first_bytes, Protocol::Http2))) if protocols.grpc || protocols.http => {
            let refused = http::turn_away_http2(protocols, stream, first_bytes);
            let _ = tokio::time::timeout(TURN_AWAY_WAIT, refused).await;
        }
        #[cfg(feature = "http")]
        Ok(Ok((_, Protocol::Http1))) if protocols.http => {
            answer_and_close(stream, &http::turn_away_http1()).await;
        }
        Ok(Ok((_, Protocol::Http2))) => answer_and_close(stream, &wire::goaway(wire::text::TEXT_ONLY)).await,
        Ok(Ok((_, Protocol::Text | Protocol::Http1))) | Err(_) => {
            answer_and_close(stream, text::no_room_answer().as_bytes()).await;
        }
        Ok(Err(_)) => {}
    }
}

/// Reads until the protocol is known, and returns the bytes. Silence decides nothing, because a client may
/// connect long before it sends anything.
pub(super) async fn read_first_bytes(stream: &mut MaybeTls) -> io::Result<(Vec<u8>, Protocol)> {
    let mut bytes = Vec::new();
    loop {
        let readable = stream.readable();
        if bytes.is_empty() {
            readable.await?;
            // The buffer is allocated only now, because most connections are idle.
            bytes.reserve_exact(HTTP2_PREFACE.len());
        } else if tokio::time::timeout(PREFACE_WAIT, readable).await.is_err() {
            return Ok((bytes, Protocol::Text));
        }
        match stream.try_read_buf(&mut bytes) {
            Ok(0) if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) => return Ok((bytes, Protocol::Text)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        if let Some(protocol) = Protocol::detect(&bytes) {
            return Ok((bytes, protocol));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::ServerConfig;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    fn config() -> Arc<ServerConfig> {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let builder = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![own.cert.der().clone()], key).unwrap())
    }

    // Tokio's time is paused: it jumps to the next timer when nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_never_goes_on_is_ended() {
        for said in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
            let (server, mut client) = pair().await;
            client.write_all(said).await.unwrap();
            let (_renew, tls) = watch::channel(config());
            let start = Instant::now();
            assert!(enter(&Some(tls), server).await.is_none());
            assert_eq!(start.elapsed().as_secs(), HANDSHAKE_WAIT.as_secs());
            assert_eq!(client.read(&mut [0; 64]).await.unwrap_or(0), 0);
        }
    }
}
