//! The greeting of a gRPC connection: the HTTP/2 preface, and what the first bytes of the answer say about
//! the server.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::client::stream::Stream;
use crate::wire::{HTTP2_PREFACE, goaway, text};

/// A frame of HTTP/2 begins with nine bytes, of which the fourth is its type; a server's
/// first frame is SETTINGS (RFC 9113 §3.4, §4.1).
const FRAME_HEADER_BYTES: usize = 9;
const FRAME_TYPE_AT: usize = 3;
const FRAME_TYPE_SETTINGS: u8 = 4;

/// Longest wait for the words behind the SETTINGS of a server that speaks only text, which sends both
/// together. Other servers begin with empty SETTINGS too, and wait for ours.
const REST_WAIT_MAX: Duration = Duration::from_millis(500);

/// The meaning of the first bytes of the answer.
pub(super) enum Greeting {
    /// The server speaks HTTP/2.
    Grpc(Greeted),
    TextOnly,
    TlsOnly,
    /// Another program answers.
    Unknown,
}

/// Sends the preface and looks at the first bytes of the answer.
pub(super) async fn greet(mut stream: Box<dyn Stream>) -> io::Result<Greeting> {
    let (text_only, tls_only) = (goaway(text::TEXT_ONLY), goaway(text::TLS_ONLY));
    stream.write_all(HTTP2_PREFACE).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(text_only.len());
    loop {
        let is_settings = answer.len() >= FRAME_HEADER_BYTES;
        let read = stream.read_buf(&mut answer);
        let read = match is_settings {
            false => read.await,
            true => match tokio::time::timeout(REST_WAIT_MAX, read).await {
                Ok(read) => read,
                Err(_) => break,
            },
        };
        if read? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if answer.starts_with(&text_only) {
            return Ok(Greeting::TextOnly);
        }
        if answer.starts_with(&tls_only) {
            return Ok(Greeting::TlsOnly);
        }
        // Another program may stop here, and nothing more would come by which to recognise it.
        if answer.get(FRAME_TYPE_AT).is_some_and(|kind| *kind != FRAME_TYPE_SETTINGS) {
            return Ok(Greeting::Unknown);
        }
        let may_become = |known: &[u8]| known.starts_with(&answer);
        if answer.len() >= FRAME_HEADER_BYTES && !may_become(&text_only) && !may_become(&tls_only) {
            break;
        }
    }
    Ok(Greeting::Grpc(Greeted { answer, unsent: HTTP2_PREFACE.len(), stream }))
}

/// A connection on which the preface has been sent and the first bytes of the answer read,
/// for an HTTP/2 client that will do both again.
pub(super) struct Greeted {
    answer: Vec<u8>,
    /// Bytes that were sent before, of those that the client writes first.
    unsent: usize,
    stream: Box<dyn Stream>,
}

impl AsyncRead for Greeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answer.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.answer.len().min(buffer.remaining());
        buffer.put_slice(&self.answer[..length]);
        self.answer.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unsent > 0 {
            let length = self.unsent.min(bytes.len());
            self.unsent -= length;
            return Poll::Ready(Ok(length));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
