//! Answers of gRPC as Connect has them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Frame;
use prost::bytes::{Buf as _, BytesMut};
use serde_json::Value;
use tonic::Status;

use crate::operation::{Operation, Permission};
use crate::refusal::Refusal;
use crate::server::answer_room::{AnswerRoom, Held};
use crate::server::grpc::{PREFIX_BYTES, defect};
use crate::server::http::plain;
use crate::server::http::routes::held;
use crate::wire::connect::{self, Codec, Kind};
use crate::wire::grpc::status;
use crate::wire::json::Call;

/// The most bytes of an answer that the worker itself writes as JSON, in a fraction of a millisecond. Longer
/// ones are written on a thread of their own.
const WRITTEN_AT_ONCE_BYTES_MAX: usize = 16 * 1024;

type Answered = Response<tonic::body::Body>;

/// The answer of a unary call.
pub(super) async fn unary(
    kind: Kind,
    call: Option<(Operation, &'static Call)>,
    answered: Answered,
) -> Response<Body> {
    // gRPC has answered already, so only a question may still be refused.
    let is_question = call.is_none_or(|(operation, _)| operation.spec().permission == Permission::Read);
    let mut room = if is_question { AnswerRoom::default() } else { AnswerRoom::promised() };
    let message = match message(answered, &mut room).await {
        Ok(message) => written(kind, call.map(|(_, call)| call), message).await,
        Err(refused) => Err(refused),
    };
    match message.and_then(|message| Held::new(message, room).map_err(status)) {
        Ok(held) => held::answer(kind.content_type(), held),
        Err(refused) => error(&refused),
    }
}

/// The answer to a request of another path than a call's.
pub(in crate::server::http::routes) fn json(made: Result<Value, Refusal>) -> Response<Body> {
    match made.and_then(|made| Held::new(made.to_string().into(), AnswerRoom::default())) {
        Ok(held) => held::answer("application/json", held),
        Err(refusal) => refused(refusal),
    }
}

/// The answer to a request that was refused, as a unary call has it.
pub(in crate::server::http::routes) fn refused(refusal: Refusal) -> Response<Body> {
    error(&status(refusal))
}

/// The answer of a unary call that was refused.
fn error(refused: &Status) -> Response<Body> {
    let mut response = plain::of_type("application/json", connect::error_body(refused));
    *response.status_mut() =
        StatusCode::from_u16(connect::http_status(refused)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if refused.code() == tonic::Code::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The one message of an answer, without its prefix.
async fn message(answered: Answered, room: &mut AnswerRoom) -> Result<Bytes, Status> {
    let (head, mut body) = answered.into_parts();
    if let Some(refused) = Status::from_header_map(&head.headers).filter(|end| end.code() != tonic::Code::Ok)
    {
        return Err(refused);
    }
    let mut come = BytesMut::new();
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    room.hold(come.len() + data.len()).map_err(status)?;
                    come.extend_from_slice(&data);
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    let end = Status::from_header_map(&trailers).unwrap_or_else(|| status(defect()));
                    if end.code() != tonic::Code::Ok {
                        return Err(end);
                    }
                }
            },
            Some(Err(refused)) => return Err(refused),
            None if come.len() >= PREFIX_BYTES => return Ok(come.split_off(PREFIX_BYTES).freeze()),
            None => return Err(status(defect())),
        }
    }
}

/// A message as the client reads it.
async fn written(kind: Kind, call: Option<&'static Call>, message: Bytes) -> Result<Vec<u8>, Status> {
    let Some(call) = call.filter(|_| kind.codec == Codec::Json) else { return Ok(message.into()) };
    let is_short = message.len() <= WRITTEN_AT_ONCE_BYTES_MAX;
    let write = move || {
        let mut json = Vec::new();
        call.write_response(&message, &mut json).map(|()| json).map_err(status)
    };
    if is_short {
        return write();
    }
    tokio::task::spawn_blocking(write).await.unwrap_or_else(|_| Err(status(defect())))
}

/// The answer of a call with a stream.
pub(super) fn stream(kind: Kind, call: Option<&'static Call>, answered: Answered) -> Response<Body> {
    let (head, body) = answered.into_parts();
    let refused = Status::from_header_map(&head.headers);
    let stream = Stream { kind, call, body, come: BytesMut::new(), refused, has_ended: false };
    plain::of_type(kind.content_type(), Body::new(stream))
}

/// The messages of an answer, and the status behind them.
struct Stream {
    kind: Kind,
    call: Option<&'static Call>,
    body: tonic::body::Body,
    /// The bytes that have come and are no whole message yet, if messages are written as JSON.
    come: BytesMut,
    /// The status, if the call was refused before it began.
    refused: Option<Status>,
    has_ended: bool,
}

impl Stream {
    /// Everything that the client reads of what has come. Without a call, that is what came.
    fn written(&mut self, data: Bytes) -> Result<Bytes, Refusal> {
        // The messages of protobuf have the same prefix.
        let Some(call) = self.call.filter(|_| self.kind.codec == Codec::Json) else { return Ok(data) };
        self.come.extend_from_slice(&data);
        let mut out = Vec::new();
        while let Some((&[_, ref length @ ..], rest)) = self.come.split_first_chunk::<PREFIX_BYTES>() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some(message) = rest.get(..length) else { break };
            let start = out.len();
            out.extend_from_slice(&[0; PREFIX_BYTES]);
            call.write_response(message, &mut out)?;
            let written = u32::try_from(out.len() - start - PREFIX_BYTES).unwrap_or(u32::MAX);
            out[start + 1..start + PREFIX_BYTES].copy_from_slice(&written.to_be_bytes());
            self.come.advance(PREFIX_BYTES + length);
        }
        Ok(out.into())
    }

    /// The next bytes, or the status at the end.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, Status>> {
        if let Some(refused) = self.refused.take() {
            return Poll::Ready(Err(refused));
        }
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(frame) => frame?,
                None => return Poll::Ready(Err(status(defect()))),
            };
            match frame.into_data() {
                Ok(data) => {
                    let written = self.written(data).map_err(status)?;
                    if !written.is_empty() {
                        return Poll::Ready(Ok(written));
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    let end = Status::from_header_map(&trailers).unwrap_or_else(|| status(defect()));
                    return Poll::Ready(Err(end));
                }
            }
        }
    }
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_next(context));
        self.has_ended = next.is_err();
        let bytes = next.unwrap_or_else(|end| connect::stream_end(&end).into());
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}
