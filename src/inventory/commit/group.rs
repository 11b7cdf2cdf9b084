//! Write requests, and the groups of them that one transaction can take.

use tokio::sync::{mpsc, oneshot};

use super::replies::{Completion, WriteResult};
use super::scheduler::COMMIT_HERE_ROWS_MAX;
use crate::catalog::{Adjustment, LargeChange, ProductDraft, ProductId, Quantity, RequestId};

/// What a row of an import counts for among the rows of the store: it may create a product and a movement,
/// and takes the catalog several times as long as a change.
const IMPORT_ROW_WEIGHT: usize = 4;

/// No worker commits a large change, which pauses between its slices.
const _: () = assert!(COMMIT_HERE_ROWS_MAX / IMPORT_ROW_WEIGHT <= LargeChange::LISTED_AT_ONCE_MAX);

/// A change that the writer is asked for.
pub(crate) enum Change {
    Adjust(Adjustment),
    Batch { changes: Vec<Adjustment>, request_id: Option<RequestId> },
    Import { rows: Vec<ProductDraft>, request_id: Option<RequestId> },
    Count { lines: Vec<CountLine>, request_id: Option<RequestId> },
    Undo { sequence: i64, is_single: bool, request_id: Option<RequestId> },
}

/// A product that was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountLine {
    pub(crate) product: ProductId,
    pub(crate) counted: Quantity,
    /// The last movement that the counted stock had seen; 0 means now.
    pub(crate) at_sequence: i64,
}

impl Change {
    pub(super) fn request_id(&self) -> Option<&RequestId> {
        match self {
            Change::Adjust(adjustment) => adjustment.request_id.as_ref(),
            Change::Batch { request_id, .. }
            | Change::Import { request_id, .. }
            | Change::Count { request_id, .. }
            | Change::Undo { request_id, .. } => request_id.as_ref(),
        }
    }

    /// The rows of the store that the change may touch.
    fn rows(&self) -> usize {
        match self {
            Change::Adjust(_) => 1,
            Change::Batch { changes, .. } => changes.len(),
            Change::Import { rows, .. } => IMPORT_ROW_WEIGHT * rows.len(),
            Change::Count { lines, .. } => lines.len(),
            // Perhaps those of a document, which is not known before the store is asked.
            Change::Undo { .. } => 1,
        }
    }
}

/// Changes of one client that are committed together, and the way back of their result.
pub(super) struct WriteRequest {
    /// Taken out when the changes are planned.
    pub(super) changes: Vec<Change>,
    pub(super) rows: usize,
    /// Who waits for the result.
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
}

impl WriteGroup {
    pub(super) fn add(&mut self, request: WriteRequest) {
        self.rows += request.rows;
        self.requests.push(request);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.rows += other.rows;
        self.requests.extend(other.requests);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}
