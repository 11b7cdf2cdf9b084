//! The body of a call as it arrives, with the check that all of it arrives in time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::time::{Instant, Sleep};
use tonic::Status;

use super::gzip::Gzip;
use super::message_bytes::MessageBytes;
use super::progress::Progress;
use crate::refusal::Refusal;
use crate::wire::grpc::status;

/// The time that the message of a call has to arrive, from the first wait for it on: enough for the largest
/// one at a megabit a second. A message that has arrived is never too late for this.
const MESSAGE_WAIT: Duration = Duration::from_secs(40);

/// The bytes of a call before they are checked.
pub(in crate::server) enum CallBody {
    /// The body of a gRPC request.
    Incoming(Incoming),
    /// A body that is made from the request of another protocol.
    Made {
        /// The body.
        body: MadeBody,
        /// The most bytes that there are to be read for it. `None` if that is not known before.
        bytes: Option<u64>,
    },
}

/// A body with the messages of another protocol.
pub(in crate::server) type MadeBody = Pin<Box<dyn Body<Data = Bytes, Error = Refusal> + Send>>;

impl From<Incoming> for CallBody {
    fn from(body: Incoming) -> Self {
        CallBody::Incoming(body)
    }
}

impl CallBody {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        match self {
            // No client reads this refusal: the one that cut the call is gone.
            CallBody::Incoming(body) => Pin::new(body)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Refusal::cut()))),
            CallBody::Made { body, .. } => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            CallBody::Incoming(body) => body.is_end_stream(),
            CallBody::Made { body, .. } => body.is_end_stream(),
        }
    }
}

/// The body of a call.
///
/// The last frame is passed on only if the client ended the call. hyper treats a call that the client resets
/// with NO_ERROR as ended (hyperium/hyper#3681), and tonic does so with a call that the client cancels.
/// Without this check, a change from a request that was cut off would be made.
pub(super) struct Arriving {
    body: CallBody,
    /// The count of the message's bytes, if the call has one message and not a stream of them.
    message: Option<MessageBytes>,
    /// Decompresses the messages, if the client compresses them.
    gzip: Option<Gzip>,
    /// The client's deadline.
    deadline: Option<Instant>,
    /// A timer that is made only for a wait, because nearly all calls arrive completely. It ends at the
    /// deadline, or before.
    timer: Option<Pin<Box<Sleep>>>,
    /// The progress to note, if the message may take long to arrive.
    progress: Option<Progress>,
    /// Frames that were received early, to learn the length of the message.
    come: VecDeque<Result<Frame<Bytes>, Status>>,
    has_ended: bool,
}

impl Arriving {
    /// The body of a call with one message.
    pub(super) fn one_message(body: CallBody, deadline: Option<Instant>) -> Self {
        Self { message: Some(MessageBytes::default()), ..Self::stream(body, deadline) }
    }

    /// The body of a call with any number of messages.
    pub(super) fn stream(body: CallBody, deadline: Option<Instant>) -> Self {
        Self {
            body,
            message: None,
            gzip: None,
            deadline,
            timer: None,
            progress: None,
            come: VecDeque::new(),
            has_ended: false,
        }
    }

    /// Adds decompression of gzip, if there is a limit for the decompressed messages.
    pub(super) fn decompressed(self, bytes_max: Option<usize>) -> Self {
        Self { gzip: bytes_max.map(Gzip::new), ..self }
    }

    /// The client's deadline.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Waits until the client's deadline has passed.
    pub(super) fn too_late(&self) -> impl Future<Output = Refusal> + use<> {
        let deadline = self.deadline;
        async move {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
            Refusal::too_late()
        }
    }

    /// Notes each part of the message as progress, because it may take long to arrive.
    pub(super) fn noted(self, progress: Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Returns whether the message is larger than `bytes` or may become so by decompression, as soon as this
    /// is known.
    pub(super) async fn is_large(&mut self, bytes: usize) -> bool {
        if let CallBody::Made { bytes: made, .. } = &self.body {
            return made.is_none_or(|made| made > bytes as u64);
        }
        while self.message.as_ref().is_some_and(|message| message.prefix_left > 0) {
            let Some(next) = poll_fn(|context| self.poll_next(context)).await else { break };
            let is_empty = next.as_ref().is_ok_and(|frame| frame.data_ref().is_some_and(Bytes::is_empty));
            if !is_empty {
                self.come.push_back(next);
            }
        }
        self.message.as_ref().is_some_and(|message| message.is_compressed || message.bytes > bytes)
    }

    /// The next frame; none after an error.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let frame = ready!(self.poll_checked(context));
        self.has_ended = !matches!(frame, Ok(Some(_)));
        Poll::Ready(frame.map_err(status).transpose())
    }

    /// The next frame, or the refusal of the call.
    fn poll_checked(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Refusal>> {
        if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Poll::Ready(Err(Refusal::too_late()));
        }
        let Poll::Ready(frame) = self.body.poll_frame(context) else {
            ready!(self.poll_patience(context));
            return Poll::Ready(Err(match self.deadline {
                Some(deadline) if deadline <= Instant::now() => Refusal::too_late(),
                _ => Refusal::message_too_slow(MESSAGE_WAIT.as_secs()),
            }));
        };
        if let Some(progress) = &self.progress {
            progress.note();
        }
        match frame {
            Some(Ok(frame)) => {
                // Trailers end the call. tonic does not check whether they cut a message.
                let Some(data) = frame.data_ref() else { return Poll::Ready(self.end().map(|()| None)) };
                if let Some(message) = &mut self.message {
                    message.add(data)?;
                }
                Poll::Ready(Ok(Some(frame)))
            }
            None if self.body.is_end_stream() => Poll::Ready(self.end().map(|()| None)),
            Some(Err(refusal)) => Poll::Ready(Err(refusal)),
            None => Poll::Ready(Err(Refusal::cut())),
        }
    }

    /// Waits until the call should have arrived.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.timer.is_none() {
            let patience = self.message.as_ref().map(|_| Instant::now() + MESSAGE_WAIT);
            let until = self.deadline.into_iter().chain(patience).min();
            self.timer = until.map(|until| Box::pin(tokio::time::sleep_until(until)));
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }

    /// # Errors
    /// If the call ends before its message is complete.
    fn end(&self) -> Result<(), Refusal> {
        self.message.as_ref().map_or(Ok(()), MessageBytes::end)
    }

    /// The next frame as it arrives.
    fn poll_come(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.come.pop_front() {
            Some(next) => Poll::Ready(Some(next)),
            None => self.poll_next(context),
        }
    }

    /// The next message, decompressed.
    fn poll_message(
        &mut self,
        gzip: &mut Gzip,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        if gzip.gives_turn() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(message) = gzip.next().map_err(status).transpose() {
                return Poll::Ready(Some(message));
            }
            match ready!(self.poll_come(context)) {
                Some(Ok(frame)) => gzip.add(&frame.into_data().unwrap_or_default()),
                Some(Err(refused)) => return Poll::Ready(Some(Err(refused))),
                None => return Poll::Ready(gzip.end().map_err(status).err().map(Err)),
            }
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(mut gzip) = self.gzip.take() else { return self.poll_come(context) };
        let message = self.poll_message(&mut gzip, context);
        self.gzip = Some(gzip);
        message.map(|message| message.map(|message| message.map(Frame::data)))
    }
}
