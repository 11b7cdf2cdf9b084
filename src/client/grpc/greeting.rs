//! The greeting of a gRPC connection: sends the HTTP/2 preface, and recognises the server by the first bytes
//! of its answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::client::stream::Stream;
use crate::wire::{HTTP2_PREFACE, goaway, text};

/// The bytes of an HTTP/2 frame's header, the fourth of which is the type. A server's first frame is SETTINGS
/// (RFC 9113 §3.4, §4.1).
const FRAME_HEADER_BYTES: usize = 9;
const FRAME_TYPE_AT: usize = 3;
const FRAME_TYPE_SETTINGS: u8 = 4;

/// The longest wait for the frame after empty SETTINGS. A hortifruti server that speaks only text sends both
/// together; other servers may also begin with empty SETTINGS, and then wait for ours.
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

/// Sends the preface and reads the first bytes of the answer.
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
        // Another program may stop here, without any more bytes to recognise it by.
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

/// A connection for an HTTP/2 client, after the greeting: drops the preface that the client sends again, and
/// repeats the first bytes of the answer.
pub(super) struct Greeted {
    answer: Vec<u8>,
    /// The bytes of the preface that the client still has to write, which were sent already.
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
