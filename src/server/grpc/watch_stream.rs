//! Streams of events: a client watches the shop until it leaves, its deadline passes, or the server stops.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;

use super::calls::Calls;
use super::event_encoding::EventEncoding;
use super::progress::Progress;
use super::trailers::trailers;
use crate::access::{self, Identity};
use crate::inventory::{Encoding, Watch};
use crate::operation::{Operation, WatchRequest};
use crate::refusal::Refusal;
use crate::server::authenticator::Authenticator;
use crate::wire::grpc::status;

/// The stream, as the client takes it.
pub(super) struct WatchBody {
    progress: Progress,
    deliveries: mpsc::Receiver<Result<Bytes, Status>>,
    has_ended: bool,
}

impl WatchBody {
    /// The stream of these messages. A status ends it.
    pub(super) fn new(progress: Progress, deliveries: mpsc::Receiver<Result<Bytes, Status>>) -> Self {
        Self { progress, deliveries, has_ended: false }
    }
}

/// A watch, and the reasons to end it.
struct Watched {
    watch: Watch,
    encoding: &'static Encoding,
    identity: Identity,
    authenticator: Authenticator,
    stopping: Pin<Box<dyn Future<Output = ()> + Send>>,
    deadline: Option<Instant>,
}

impl Calls {
    /// Begins to watch. The stream ends with `UNAVAILABLE` if the server stops, so that clients resume.
    ///
    /// # Errors
    /// If the request is refused.
    pub(super) async fn watch(
        &self,
        identity: Identity,
        request: WatchRequest<'_>,
        EventEncoding(encoding): EventEncoding,
        deadline: Option<Instant>,
    ) -> Result<WatchBody, Refusal> {
        self.service.console.command(&request);
        let watch = self.service.inventory.watch(request, self.service.idle).await?;
        let (authenticator, stopping) = (self.service.authenticator.clone(), self.service.stopping());
        let watched =
            Watched { watch, encoding, identity, authenticator, stopping: Box::pin(stopping), deadline };
        // The client takes one delivery while the next one is prepared. The task goes on whatever the client
        // does, because a client whose window is closed must not keep the turn of a delivery.
        let (sender, deliveries) = mpsc::channel(1);
        tokio::spawn(watched.deliver(sender));
        Ok(WatchBody::new(self.progress.clone(), deliveries))
    }
}

impl Watched {
    /// Delivers events until the stream ends.
    async fn deliver(mut self, deliveries: mpsc::Sender<Result<Bytes, Status>>) {
        loop {
            let room = tokio::select! {
                biased;
                () = &mut self.stopping => return,
                room = deliveries.reserve() => room,
            };
            let Ok(room) = room else { return };
            let events = tokio::select! {
                biased;
                () = deliveries.closed() => return,
                events = self.next() => events,
            };
            let is_last = events.is_err();
            room.send(events.map(Bytes::from).map_err(status));
            if is_last {
                return;
            }
        }
    }

    /// Waits for the next events. The token is checked again for each delivery.
    async fn next(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut events = Vec::new();
        let deadline = self.deadline;
        let too_late = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = &mut self.stopping => return Err(Refusal::watch_stopping()),
            () = too_late => return Err(Refusal::watch_too_long()),
            next = self.watch.next(self.encoding, &mut events) => next?,
        };
        if self.authenticator.renew(&mut self.identity) {
            access::check(&self.identity, Operation::WatchMovements.spec().permission)?;
        }
        Ok(events)
    }
}

impl hyper::body::Body for WatchBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let delivery = ready!(self.deliveries.poll_recv(context));
        self.progress.note();
        let end = match delivery {
            Some(Ok(events)) => return Poll::Ready(Some(Ok(Frame::data(events)))),
            Some(Err(end)) => end,
            None => status(Refusal::watch_stopping()),
        };
        self.has_ended = true;
        Poll::Ready(Some(Ok(Frame::trailers(trailers(&end)))))
    }
}
