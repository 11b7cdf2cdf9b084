//! Streams of stock changes: changes that arrive together are committed together, and answered in order.

use std::convert::Infallible;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Frame};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::calls::Calls;
use super::progress::{Counted, Progress};
use super::trailers::trailers;
use super::{STREAMS_MAX, own_words};
use crate::access::{self, Identity};
use crate::inventory::{Answers, Pipeline, Session, may_be_made};
use crate::metrics::{Transport, Turn};
use crate::operation::{AdjustRequest, Operation};
use crate::refusal::Refusal;
use crate::server::long_work::TURN_BYTES;
use crate::server::service::LAST_LOOK;
use crate::wire::grpc::v1::StreamAdjustStockRequest;
use crate::wire::grpc::{self, status};

/// The operation whose answers are counted.
const OPERATION: Option<Operation> = Some(Operation::StreamAdjustStock);

/// The most changes of a connection's streams in one run: as many as one transaction takes, divided among the
/// open streams. The answers to two runs wait for the client, so a client that takes no answers costs some
/// megabytes, however many streams it opens.
const STREAM_RUN_MAX: usize = 4096;

/// The most last looks at a connection from which more comes each time. One or two looks read all that the
/// system has received; a client that never stops sending is not waited for.
const LAST_LOOKS_MAX: usize = 20;

/// The longest time for which the changes of a connection's streams are gathered while others wait, and the
/// bytes of changes after which the time is checked: a change may decompress to a thousand times its size.
const GATHERING_MAX: Duration = Duration::from_micros(500);
const GATHERING_LOOK_BYTES: usize = 1024;

/// The approximate bytes of a change of a stream, beside those of its message.
const STREAM_CHANGE_BYTES: usize = 48;

/// The most changes that a stopping server still takes from a stream: all that can have arrived before the
/// stop, and a limit for a client that never stops sending.
const LAST_CHANGES_MAX: usize = 4096;

/// The approximate bytes of an answer of a stream, for which room is reserved: with a name of the market's
/// list, without a request id.
const STREAM_ANSWER_BYTES: usize = 96;

impl Calls {
    /// Begins to answer a stream of changes. Returns the answers.
    pub(super) fn begin_adjust_stream(
        self: Arc<Self>,
        identity: Identity,
        requests: Streaming<Bytes>,
        bytes_max: usize,
        transport: Transport,
    ) -> StreamAnswers {
        // The client takes the answers of one run while the next run is committed.
        let (answers, runs) = mpsc::channel(1);
        let (progress, counted) = (self.progress.clone(), Counted::one_more(&self.streams));
        tokio::spawn(self.adjust_stream(identity, requests, bytes_max, transport, answers));
        StreamAnswers { progress, runs, run: Bytes::new(), has_ended: false, _counted: counted }
    }

    /// Answers a stream of changes until the client ends it or is gone, or the server stops. Changes that
    /// arrive together are committed together, and the token is checked again for each such run. While the
    /// client takes no answers, nothing more is read, so HTTP/2's flow control holds the client back
    /// (backpressure).
    async fn adjust_stream(
        self: Arc<Self>,
        mut identity: Identity,
        mut requests: Streaming<Bytes>,
        bytes_max: usize,
        transport: Transport,
        answers: mpsc::Sender<Result<Bytes, Status>>,
    ) {
        let mut authenticator = self.service.authenticator.clone();
        let mut session = self.service.session(&identity).into_owned();
        let mut stopped = pin!(self.all_has_come());
        let mut last_changes = LAST_CHANGES_MAX;
        let mut pipeline = Pipeline::default();
        let mut turn = Turn::new(transport);
        loop {
            let Ok(room) = answers.reserve().await else { return };
            let first = tokio::select! {
                biased;
                request = requests.message(), if last_changes > 0 => request,
                () = &mut stopped => {
                    // The status is an error, because requests that the client has sent may be unanswered.
                    room.send(Err(status(Refusal::stopping())));
                    return;
                }
            };
            turn.begin();
            if authenticator.renew(&mut identity) {
                session = self.service.session(&identity).into_owned();
            }
            if let Err(refusal) = access::check(&identity, Operation::StreamAdjustStock.spec().permission) {
                turn.count(OPERATION, Some(refusal.code));
                turn.end(&session.metrics().operations);
                room.send(Err(status(refusal)));
                return;
            }
            let Gathered { refused, end } =
                self.gather(&session, &identity, first, &mut requests, &mut pipeline, bytes_max);
            if self.service.is_stopping() {
                let come = pipeline.waiting() + usize::from(refused.is_some());
                last_changes = last_changes.saturating_sub(come);
            }
            let waiting = self.wait();
            let made = session.commit(&mut pipeline, |answers, answer| {
                turn.count(OPERATION, answer.as_ref().err().map(|refusal| refusal.code));
                grpc::write_stream_answer(answers, answer);
            });
            made.await;
            // After the others: it may be a repetition of one of them.
            if let Some(refused) = refused {
                let answer = match refused {
                    Refused::At(name, refusal) => Err(session.explain(&name, refusal).await),
                    Refused::Then(name, request) => {
                        session.adjust(AdjustRequest { name: &name, ..request }).await
                    }
                };
                turn.count(OPERATION, answer.as_ref().err().map(|refusal| refusal.code));
                let answer = answer.as_ref().map(|made| (&made.product, &made.movement));
                grpc::write_stream_answer(pipeline.next_answer(), answer.map_err(Clone::clone));
            }
            drop(waiting);
            room.send(Ok(pipeline.take_ready().into()));
            turn.end(&session.metrics().operations);
            if let Some(end) = end {
                if let Err(failure) = end {
                    let _ = answers.send(Err(failure)).await;
                }
                return;
            }
        }
    }

    /// Waits until the server stops and everything that it had received before is read. A busy worker needs
    /// several turns for that, and may commit changes between them for longer than a last look takes.
    fn all_has_come(&self) -> impl Future<Output = ()> + Send + 'static {
        let (stopping, bytes_read) = (self.service.stopping(), self.bytes_read.clone());
        async move {
            stopping.await;
            for _ in 0..LAST_LOOKS_MAX {
                let before = bytes_read.count();
                tokio::time::sleep(LAST_LOOK).await;
                // The worker polls its connections again.
                tokio::task::yield_now().await;
                if bytes_read.count() == before {
                    return;
                }
            }
        }
    }

    /// Adds `first` and the changes that have arrived after it to the pipeline: as many as fit in one run, or
    /// up to one that is refused without a commit.
    fn gather(
        &self,
        session: &Session,
        identity: &Identity,
        first: Result<Option<Bytes>, Status>,
        requests: &mut Streaming<Bytes>,
        pipeline: &mut Pipeline<Vec<u8>>,
        bytes_max: usize,
    ) -> Gathered {
        self.progress.note();
        let streams = self.streams.load(Ordering::Relaxed).clamp(1, STREAMS_MAX as usize);
        let (run_max, time_max) = (STREAM_RUN_MAX / streams, GATHERING_MAX / streams as u32);
        let mut reader = session.reader();
        // No task is woken: the next wait for a message polls again.
        let mut context = Context::from_waker(Waker::noop());
        let mut next = first;
        let (begun, mut unlooked) = (Instant::now(), 0);
        let (refused, end) = loop {
            match next {
                Ok(Some(bytes)) => {
                    let message;
                    let change = match grpc::short_change(&bytes) {
                        Some(change) => change,
                        None => match StreamAdjustStockRequest::decode(&bytes[..]) {
                            Ok(request) => {
                                message = request.adjustment.unwrap_or_default();
                                grpc::adjust_request(&message)
                            }
                            Err(error) => break (None, Some(Err(own_words::unreadable(&error)))),
                        },
                    };
                    let mut name = "";
                    let added = change.and_then(|adjust| {
                        name = adjust.name;
                        self.service.console.command(&adjust);
                        access::check(identity, adjust.permission())?;
                        reader.add(pipeline, adjust)
                    });
                    if let Err(refusal) = added {
                        break (Some(Refused::new(name, refusal, &bytes)), None);
                    }
                    if pipeline.waiting() >= run_max {
                        break (None, None);
                    }
                    unlooked += STREAM_CHANGE_BYTES + bytes.len();
                    if unlooked >= GATHERING_LOOK_BYTES {
                        unlooked = 0;
                        if begun.elapsed() >= time_max {
                            break (None, None);
                        }
                    }
                }
                Ok(None) => break (None, Some(Ok(()))),
                Err(refused) => {
                    break (None, Some(Err(own_words::refusal(refused, bytes_max))));
                }
            }
            let Poll::Ready(come) = pin!(requests.message()).poll(&mut context) else { break (None, None) };
            next = come;
        };
        let refused = match reader.is_right() {
            true => refused,
            false => refused.map(|refused| refused.with(Refusal::standing_by(None))),
        };
        Gathered { refused, end }
    }
}

/// The answers of a stream.
impl Answers for Vec<u8> {
    fn make_room(&mut self, count: usize) {
        self.reserve(count * STREAM_ANSWER_BYTES);
    }

    fn bytes(&self) -> usize {
        self.len()
    }

    fn append(&mut self, other: &Self, bytes: Range<usize>) {
        self.extend_from_slice(&other[bytes]);
    }

    fn clear(&mut self) {
        self.clear();
    }
}

/// The reason why the gathering of changes ended, if not that the run is full or that no more have arrived.
struct Gathered {
    /// The change after the others that could not be added.
    refused: Option<Refused>,
    /// The end of the stream after these changes, if it has ended.
    end: Option<Result<(), Status>>,
}

/// A change that cannot be added to others, with the name of its product.
enum Refused {
    At(String, Refusal),
    /// No product has the name, but the request may be a repetition. Its own name is empty.
    Then(String, AdjustRequest<'static>),
}

impl Refused {
    /// The message is read once more, because those that are taken need no copy.
    fn new(name: &str, refusal: Refusal, message: &[u8]) -> Self {
        let message = StreamAdjustStockRequest::decode(message).unwrap_or_default();
        let adjustment = message.adjustment.unwrap_or_default();
        match grpc::adjust_request(&adjustment) {
            Ok(request) if may_be_made(&request, &refusal) => {
                let AdjustRequest { name: _, delta, kind, request_id, details } = request;
                Self::Then(name.to_owned(), AdjustRequest { name: "", delta, kind, request_id, details })
            }
            _ => Self::At(name.to_owned(), refusal),
        }
    }

    fn with(self, refusal: Refusal) -> Self {
        let (Self::At(name, _) | Self::Then(name, _)) = self;
        Self::At(name, refusal)
    }
}

/// The answers of a stream, as the client takes them.
pub(super) struct StreamAnswers {
    progress: Progress,
    runs: mpsc::Receiver<Result<Bytes, Status>>,
    /// The answers that are written and not yet taken.
    run: Bytes,
    has_ended: bool,
    /// Counts the stream until its answers are taken, because the answers take memory until then.
    _counted: Counted,
}

impl hyper::body::Body for StreamAnswers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if !self.run.is_empty() {
                self.progress.note();
                let length = self.run.len().min(TURN_BYTES);
                return Poll::Ready(Some(Ok(Frame::data(self.run.split_to(length)))));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            let status = match ready!(self.runs.poll_recv(context)) {
                Some(Ok(run)) => {
                    self.run = run;
                    continue;
                }
                Some(Err(status)) => status,
                None => Status::ok(""),
            };
            self.has_ended = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::server::grpc::one_message::unread_messages;
    use crate::server::grpc::testing::calls;
    use crate::store::sqlite::SqliteStore;
    use crate::wire::grpc::v1::AdjustStockRequest;

    /// The body of a call that has arrived completely.
    struct Come(Bytes);

    impl hyper::body::Body for Come {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let come = std::mem::take(&mut self.0);
            Poll::Ready((!come.is_empty()).then(|| Ok(Frame::data(come))))
        }
    }

    #[tokio::test]
    async fn many_streams_share_the_time_in_which_changes_are_gathered() {
        const BYTES_MAX: usize = 16 * 1024;
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &crate::catalog::original_products()).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let calls = calls(&inventory, draining);
        let _streams: Vec<_> = (0..STREAMS_MAX).map(|_| Counted::one_more(&calls.streams)).collect();
        // Each message takes longer than the time for which one of so many streams may gather.
        let name = format!("Caju{}", " ".repeat(BYTES_MAX - 64));
        let adjustment = AdjustStockRequest { name, delta_thousandths: 1000, ..Default::default() };
        let message = StreamAdjustStockRequest { adjustment: Some(adjustment) }.encode_to_vec();
        let message = [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
        let body = Come(message.repeat(100).into());
        let mut requests = unread_messages(body, BYTES_MAX);
        let first = requests.message().await;
        let mut pipeline = Pipeline::default();
        let Gathered { refused, end } = calls.gather(
            &calls.service.inventory,
            &Identity::Open,
            first,
            &mut requests,
            &mut pipeline,
            BYTES_MAX,
        );
        assert!(refused.is_none() && end.is_none());
        assert!((1..4).contains(&pipeline.waiting()), "{} changes", pipeline.waiting());
    }
}
