//! Write requests, and the groups of them that one transaction can take.

use tokio::sync::{mpsc, oneshot};

use super::change::Change;
use super::result::WriteResult;

/// The changes of one client that are committed together, and the way back of their result.
pub(super) struct WriteRequest {
    /// The changes to make; empty after they are planned.
    pub(super) changes: Vec<Change>,
    pub(super) rows: usize,
    /// The way to the client that waits for the result.
    pub(super) reply: oneshot::Sender<WriteResult>,
    /// The worker of the client, which passes the result on.
    pub(super) worker: mpsc::UnboundedSender<Vec<Completion>>,
}

impl WriteRequest {
    pub(super) fn new(
        changes: Vec<Change>,
        reply: oneshot::Sender<WriteResult>,
        worker: mpsc::UnboundedSender<Vec<Completion>>,
    ) -> Self {
        let rows = changes.iter().map(Change::rows).sum();
        Self { changes, rows, reply, worker }
    }
}

/// Write requests that are committed together, and the rows of the store that they may touch.
#[derive(Default)]
pub(super) struct WriteGroup {
    pub(super) requests: Vec<WriteRequest>,
    pub(super) rows: usize,
    /// Questions whether the committer still answers, answered after the group.
    pub(super) pings: Vec<oneshot::Sender<()>>,
}

impl WriteGroup {
    pub(super) fn add(&mut self, request: WriteRequest) {
        self.rows += request.rows;
        self.requests.push(request);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.rows += other.rows;
        self.requests.extend(other.requests);
        self.pings.extend(other.pings);
    }

    /// Whether the group is one change of the stock of one product.
    pub(super) fn is_lone_change(&self) -> bool {
        let [request] = self.requests.as_slice() else { return false };
        matches!(request.changes.as_slice(), [Change::Adjust(_)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

/// A request whose changes are durable, or refused.
pub(super) struct Completion {
    pub(super) request: WriteRequest,
    pub(super) result: WriteResult,
}

impl Completion {
    /// Sends the result to the client that waits.
    pub(super) fn send(self) {
        // The client may be gone; the changes are made all the same.
        let _ = self.request.reply.send(self.result);
    }
}
