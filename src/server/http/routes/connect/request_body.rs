//! The messages of a request as gRPC has them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use prost::bytes::{Buf as _, BytesMut};

use super::format::Format;
use crate::refusal::Refusal;
use crate::server::grpc::{PREFIX_BYTES, decompressed};
use crate::wire::connect::Codec;

/// No message.
pub(super) struct NoBody;

impl HttpBody for NoBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        Poll::Ready(None)
    }
}

/// The one message of a unary call, from the whole body.
pub(super) struct UnaryBody {
    body: Body,
    format: Format,
    come: BytesMut,
    has_ended: bool,
}

impl UnaryBody {
    pub(super) fn new(body: Body, format: Format) -> Self {
        Self { body, format, come: BytesMut::new(), has_ended: false }
    }

    /// Reads the body to its end.
    fn poll_come(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let bytes_max = self.format.arriving_bytes_max();
        if self.body.size_hint().lower() > bytes_max as u64 {
            return Poll::Ready(Err(Refusal::message_too_large(bytes_max)));
        }
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    if self.come.len() + data.len() > bytes_max {
                        return Poll::Ready(Err(Refusal::message_too_large(bytes_max)));
                    }
                    self.come.extend_from_slice(&data);
                }
                Some(Err(_)) => return Poll::Ready(Err(Refusal::cut())),
                None if !self.format.is_whole(&self.body) => return Poll::Ready(Err(Refusal::cut())),
                None => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl HttpBody for UnaryBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let come = ready!(self.poll_come(context));
        self.has_ended = true;
        let message = come.and_then(|()| message(&self.format, self.format.is_gzip, &self.come));
        self.come = BytesMut::new();
        Poll::Ready(Some(message.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

/// A message with its prefix, as gRPC has it, from its bytes as they came.
fn message(format: &Format, is_gzip: bool, come: &[u8]) -> Result<Bytes, Refusal> {
    // A message without bytes is never compressed, whatever the client says.
    let is_gzip = is_gzip && !come.is_empty();
    let plain = if is_gzip { decompressed(come, format.arriving_bytes_max())? } else { Vec::new() };
    let come = if is_gzip { &plain[PREFIX_BYTES..] } else { come };
    let read;
    let message = match format.kind.codec {
        Codec::Proto => come,
        Codec::Json => {
            read = format.call.read_request(come, format.bytes_max)?;
            &read
        }
    };
    if message.len() > format.bytes_max {
        return Err(Refusal::message_too_large(format.bytes_max));
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    Ok([&[0], &length[..], message].concat().into())
}

/// The messages of a stream, each as it arrives.
pub(super) struct StreamBody {
    body: Body,
    format: Format,
    come: BytesMut,
    has_ended: bool,
}

impl StreamBody {
    pub(super) fn new(body: Body, format: Format) -> Self {
        Self { body, format, come: BytesMut::new(), has_ended: false }
    }

    /// The next complete message, if it has arrived.
    fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some((&[flag, ref length @ ..], rest)) = self.come.split_first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        let bytes_max = self.format.arriving_bytes_max();
        if length > bytes_max {
            return Err(Refusal::message_too_large(bytes_max));
        }
        let Some(come) = rest.get(..length) else { return Ok(None) };
        let is_gzip = match flag {
            0 => false,
            1 if self.format.is_gzip => true,
            _ => {
                return Err(Refusal::invalid("message", "a mensagem tem um marcador desconhecido no começo"));
            }
        };
        let message = message(&self.format, is_gzip, come)?;
        self.come.advance(PREFIX_BYTES + length);
        Ok(Some(message))
    }

    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        loop {
            if let Some(message) = self.next()? {
                return Poll::Ready(Ok(Some(message)));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => self.come.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Some(Err(_)) => return Poll::Ready(Err(Refusal::cut())),
                None if self.format.is_whole(&self.body) && self.come.is_empty() => {
                    return Poll::Ready(Ok(None));
                }
                None => return Poll::Ready(Err(Refusal::cut())),
            }
        }
    }
}

impl HttpBody for StreamBody {
    type Data = Bytes;
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let message = ready!(self.poll_message(context));
        self.has_ended = !matches!(message, Ok(Some(_)));
        Poll::Ready(message.map(|message| message.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}
