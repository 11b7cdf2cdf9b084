//! The changes that sessions ask the writer for.

use std::time::SystemTime;

use super::scheduler::COMMIT_HERE_ROWS_MAX;
use crate::catalog::{
    Adjustment, Author, IMPORT_ROWS_MAX, LargeChange, Note, ProductDraft, ProductId, Quantity, RequestId,
    TermsUpdate, Unit,
};

/// The rows of the store that a row of an import counts for: the row may create a product and a movement, and
/// takes the catalog several times as long as a change.
const IMPORT_ROW_WEIGHT: usize = 4;

/// No worker commits a large change, because its publication pauses between slices.
const _: () = assert!(COMMIT_HERE_ROWS_MAX / IMPORT_ROW_WEIGHT <= LargeChange::LISTED_AT_ONCE_MAX);

/// A change that a session asks the writer for.
pub(crate) enum Change {
    Adjust(Adjustment),
    Batch {
        changes: Vec<Adjustment>,
        request_id: Option<RequestId>,
    },
    Import {
        rows: Vec<ProductDraft>,
        /// The id of an import that this one belongs to.
        continues: Option<RequestId>,
        /// Whether a product that exists is refused.
        creates_only: bool,
        request_id: Option<RequestId>,
        author: Option<Author>,
    },
    Count {
        lines: Vec<CountLine>,
        request_id: Option<RequestId>,
        signed: Signed,
    },
    Undo {
        sequence: i64,
        is_single: bool,
        request_id: Option<RequestId>,
        signed: Signed,
        /// Whether only sales of the same author may be undone.
        of_own_sales: bool,
    },
    Update {
        product: ProductId,
        update: Box<TermsUpdate>,
        request_id: Option<RequestId>,
        author: Option<Author>,
    },
    Merge {
        from: ProductId,
        into: ProductId,
        request_id: Option<RequestId>,
        author: Option<Author>,
    },
    UndoImport {
        wanted: WantedImport,
        request_id: Option<RequestId>,
        author: Option<Author>,
    },
    /// Nothing, but a question: the products that a request has changed.
    Recall {
        request_id: RequestId,
    },
    ClearExamples {
        request_id: Option<RequestId>,
        author: Option<Author>,
    },
}

/// The import that an undo is of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WantedImport {
    Last,
    /// The import of this time.
    At(SystemTime),
    /// The rest of the import with this number.
    Rest(u64),
}

/// The author and the note of a change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signed {
    pub(crate) author: Option<Author>,
    pub(crate) note: Option<Note>,
}

/// A product that was counted.
#[derive(Debug, Clone)]
pub(crate) struct CountLine {
    pub(crate) product: ProductId,
    pub(crate) counted: Quantity,
    /// The last movement before the count; 0 means that the count is of now.
    pub(crate) at_sequence: i64,
    /// The unit in which it was counted, if that was said.
    pub(crate) unit: Option<Unit>,
}

impl Change {
    pub(super) fn request_id(&self) -> Option<&RequestId> {
        match self {
            Change::Adjust(adjustment) => adjustment.request_id.as_ref(),
            Change::Recall { request_id } => Some(request_id),
            Change::Batch { request_id, .. }
            | Change::Import { request_id, .. }
            | Change::Count { request_id, .. }
            | Change::Undo { request_id, .. }
            | Change::Update { request_id, .. }
            | Change::Merge { request_id, .. }
            | Change::UndoImport { request_id, .. }
            | Change::ClearExamples { request_id, .. } => request_id.as_ref(),
        }
    }

    /// The rows of the store that the change may touch.
    pub(super) fn rows(&self) -> usize {
        match self {
            Change::Adjust(_) | Change::Recall { .. } => 1,
            Change::Batch { changes, .. } => changes.len(),
            Change::Import { rows, .. } => IMPORT_ROW_WEIGHT * rows.len(),
            Change::Count { lines, .. } => lines.len(),
            // The undo may be of a whole document, whose size only the store knows.
            Change::Undo { .. } => 1,
            // The part may be of the largest, whose size only the store knows.
            Change::UndoImport { .. } => IMPORT_ROW_WEIGHT * IMPORT_ROWS_MAX,
            // Each altered product counts as a row of an import.
            Change::Update { .. } => IMPORT_ROW_WEIGHT,
            Change::Merge { .. } => 2 * IMPORT_ROW_WEIGHT,
            Change::ClearExamples { .. } => 4 * IMPORT_ROW_WEIGHT,
        }
    }
}
