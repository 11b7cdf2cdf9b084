//! TLS to the engine, over the library that the rest of the program uses.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Stream;

use super::socket::Socket;
use crate::tls::Problem;

/// Encrypts a connection to one host, if the address demands it.
pub(super) struct Encryption(pub(super) Option<(Arc<ClientConfig>, ServerName<'static>)>);

impl TlsConnect<Socket> for Encryption {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move {
            let (config, name) = self.0.ok_or(io::ErrorKind::Unsupported)?;
            let connected = TlsConnector::from(config).connect(name, stream).await;
            connected.map(Encrypted).map_err(explained)
        })
    }
}

/// A failed handshake in the words of an operator.
fn explained(error: io::Error) -> io::Error {
    let what = match Problem::of(&error) {
        None => return error,
        Some(Problem::UnknownAuthority) => {
            "a autoridade que assinou o certificado do banco é desconhecida; indique-a com sslrootcert="
                .to_owned()
        }
        Some(Problem::WrongName { expected, presented }) => {
            format!(
                "o certificado do banco não é de {expected}, e sim de {presented}; confira os hosts do endereço"
            )
        }
        Some(Problem::ClientCertificateMissing) => {
            "o banco pede um certificado do cliente; indique-o com sslcert= e sslkey=".to_owned()
        }
        Some(Problem::ClientCertificateRefused(why)) => {
            format!("o banco não aceita o certificado deste servidor ({why}); confira sslcert=")
        }
        Some(other) => other.to_string(),
    };
    io::Error::other(what)
}

/// An encrypted connection. The certificate is verified, so the password's exchange needs no binding to it.
pub(super) struct Encrypted(Stream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
