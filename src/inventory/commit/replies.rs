//! The way back: from the writer to the clients that wait.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::group::{Change, WriteRequest};
use super::planner::Counted;
use super::stopped;
use crate::catalog::{ImportCounts, Movement};
use crate::refusal::Refusal;

/// What became of the changes of a request.
#[derive(Default)]
pub(crate) struct WriteResult {
    /// One outcome for each change, in order.
    pub(crate) each: Vec<Outcome>,
    /// The movements of the whole transaction, among which the client's worker finds its own: to copy
    /// them, and to count the owners of request ids on two threads, would take the writer's time.
    pub(crate) movements: Arc<Vec<Movement>>,
}

/// What became of a change, or why the change was refused. No larger than a [`Change`], so that the
/// outcomes of a request are collected into the room of its changes, and the worker frees what it
/// allocated: otherwise worker and committer wait for the allocator's lock.
pub(crate) type Outcome = Result<Applied, Box<Refusal>>;

const _: () = assert!(size_of::<Outcome>() <= size_of::<Change>());

/// What a change did. The client's worker adds the product: the units and long names of products are
/// shared, and to count their owners on two threads slows both.
#[derive(Clone)]
pub(crate) enum Applied {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement, of the same request id.
    AdjustedBefore(Box<Movement>),
    /// The movements of a batch or an undo.
    Batch(Vec<Movement>),
    Imported(ImportCounts),
    Counted(Vec<Counted>),
}

/// A request whose changes are durable, or refused.
pub(super) struct Completion {
    pub(super) request: WriteRequest,
    pub(super) result: WriteResult,
}

impl WriteResult {
    /// Refuses each of so many changes.
    pub(super) fn refused(count: usize, refusal: &Refusal) -> Self {
        Self { each: vec![Err(Box::new(refusal.clone())); count], movements: Arc::default() }
    }
}

impl Applied {
    /// The movement of a lone adjustment, among those of its transaction.
    pub(crate) fn movement<'m>(&'m self, movements: &'m [Movement]) -> Option<&'m Movement> {
        match self {
            Applied::Adjusted(sequence) => {
                let index = sequence - movements.first()?.sequence;
                movements.get(usize::try_from(index).ok()?)
            }
            Applied::AdjustedBefore(movement) => Some(movement),
            Applied::Batch(_) | Applied::Imported(_) | Applied::Counted(_) => None,
        }
    }
}

impl Completion {
    /// Sends the result to the client that waits.
    pub(super) fn send(self) {
        // The client may be gone; the changes are made all the same.
        let _ = self.request.reply.send(self.result);
    }
}

/// Refuses all changes of some requests because the writer has failed.
pub(super) fn refuse_all(requests: Vec<WriteRequest>) {
    let results = requests.iter().map(|request| WriteResult::refused(request.changes.len(), &stopped()));
    let results = results.collect();
    send_all(requests, results);
}

/// Sends the result of each request to the worker of its client, all those of one worker together: to
/// wake a thread is a system call.
pub(super) fn send_all(requests: Vec<WriteRequest>, results: Vec<WriteResult>) {
    let mut parcels: Vec<(mpsc::UnboundedSender<Vec<Completion>>, Vec<Completion>)> = Vec::new();
    for (request, result) in requests.into_iter().zip(results) {
        match parcels.iter_mut().find(|(worker, _)| worker.same_channel(&request.worker)) {
            Some((_, parcel)) => parcel.push(Completion { request, result }),
            None => parcels.push((request.worker.clone(), vec![Completion { request, result }])),
        }
    }
    for (worker, parcel) in parcels {
        // A worker that is gone has no client left that waits.
        let _ = worker.send(parcel);
    }
}
