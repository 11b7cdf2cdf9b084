//! Requests of one message and answers of one message.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame};
use prost::Message;
use prost::bytes::Buf as _;
use tonic::body::Body;
use tonic::codec::{Codec as _, DecodeBuf, Decoder};
use tonic::codegen::http::{HeaderValue, Response, header};
use tonic::{Status, Streaming};

use super::arriving::Arriving;
use super::message_bytes::PREFIX_BYTES;
use super::own_words;
use super::trailers::trailers;
use crate::server::answer_room::Held;

/// Reads the message of a call.
///
/// # Errors
/// If the call has not exactly one complete message in time, or the message is larger than `bytes_max` or
/// cannot be read.
pub(super) async fn read<M: Message + Default + 'static>(
    body: Arriving,
    bytes_max: usize,
) -> Result<M, Status> {
    let mut messages = messages(body, bytes_max);
    let read = async {
        let message = messages.message().await?;
        // The call must have ended before anything is done.
        messages.trailers().await?;
        message.ok_or_else(|| Status::internal("no message"))
    };
    read.await.map_err(|refused| own_words::refusal(refused, bytes_max))
}

/// The messages of a call, each up to `bytes_max`.
pub(super) fn messages<M: Message + Default + 'static>(body: Arriving, bytes_max: usize) -> Streaming<M> {
    let decoder = tonic_prost::ProstCodec::<(), M>::default().decoder();
    Streaming::new_request(decoder, body, None, Some(bytes_max))
}

/// The messages of a call as they came, each up to `bytes_max`.
pub(super) fn unread_messages(
    body: impl hyper::body::Body<Data = Bytes, Error = impl Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    bytes_max: usize,
) -> Streaming<Bytes> {
    Streaming::new_request(Unread, body, None, Some(bytes_max))
}

/// Takes each message as bytes.
struct Unread;

impl Decoder for Unread {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

/// An answer of one short message.
pub(super) fn answer(write: impl FnOnce(&mut Vec<u8>)) -> Response<Body> {
    answer_of(Held::short(written(write)))
}

/// An answer of one message, which [`written`] has written.
pub(super) fn answer_of(message: Held) -> Response<Body> {
    answer_with(MessageBody { message, has_ended: false })
}

/// Writes a message, with its prefix.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = vec![0; PREFIX_BYTES];
    write(&mut message);
    let length = u32::try_from(message.len() - PREFIX_BYTES).unwrap_or(u32::MAX);
    message[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    message
}

/// An answer with this body.
pub(super) fn answer_with(
    body: impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
) -> Response<Body> {
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// The body of an answer: the message, and the trailers of a call that was not refused.
struct MessageBody {
    message: Held,
    has_ended: bool,
}

impl hyper::body::Body for MessageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(piece) = self.message.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let is_first = !std::mem::replace(&mut self.has_ended, true);
        Poll::Ready(is_first.then(|| Ok(Frame::trailers(trailers(&Status::ok(""))))))
    }
}
