//! The results of write requests.

use std::sync::Arc;
use std::time::SystemTime;

use super::change::Change;
use crate::catalog::{ImportCounts, Movement, Price, ProductId, Quantity};
use crate::refusal::Refusal;

/// The outcomes of a request's changes.
#[derive(Default)]
pub(crate) struct WriteResult {
    /// One outcome for each change, in order.
    pub(crate) each: Vec<Outcome>,
    /// The movements of the whole transaction, among which the client's worker finds its own. The writer
    /// copies nothing for each client, and the threads do not contend for the reference counts of request
    /// ids.
    pub(crate) movements: Arc<Vec<Movement>>,
}

/// The effect of a change, or its refusal. No larger than a [`Change`], so that the outcomes of a request are
/// collected into the memory of its changes and each worker frees what it allocated itself: otherwise worker
/// and committer wait for the allocator's lock.
pub(crate) type Outcome = Result<Applied, Box<Refusal>>;

const _: () = assert!(size_of::<Outcome>() <= size_of::<Change>());

/// The effect of a change. The client's worker adds the product: units and long names are reference-counted,
/// and counting on two threads slows both.
#[derive(Clone)]
pub(crate) enum Applied {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement with the same request id.
    AdjustedBefore(Box<Movement>),
    /// The movements of a batch.
    Batch(Vec<Movement>),
    /// The movements of an undo, each with the movement that it undoes.
    Undone(Vec<(i64, Movement)>),
    Imported(Box<ImportResult>),
    ImportUndone(Box<UndoneParts>),
    Counted(Vec<Counted>),
    /// The products of an earlier request; `None` if it was never made.
    Recalled(Option<Vec<ProductId>>),
}

/// The effect of an import, or of the undo of a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportResult {
    pub(crate) counts: ImportCounts,
    /// The number of the first change of terms that it made, and how many it made.
    pub(crate) first_change: i64,
    pub(crate) change_count: i64,
    /// The last part of the import after this request, which may have changed nothing itself. `None` if nothing of the
    /// import has changed anything.
    pub(crate) part: Option<ImportPart>,
}

/// A part of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportPart {
    /// The number of the import.
    pub(crate) import: u64,
    /// The place of the part: 1, 2, 3, ….
    pub(crate) place: u64,
}

/// The effect of the undo of an import, as far as it is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UndoneParts {
    /// The number of the import.
    pub(crate) number: u64,
    /// When the first part of the import was recorded.
    pub(crate) at: SystemTime,
    /// The effect on each part that is undone, the last part first.
    pub(crate) parts: Vec<ImportResult>,
    /// The number of parts that are not undone yet.
    pub(crate) left: usize,
}

/// The effect of a line of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Counted {
    /// The stock differed from the count, and this movement corrects it.
    Movement(Movement),
    /// The stock was the counted quantity.
    Same { product: ProductId, stock: Quantity, price: Price },
}

impl WriteResult {
    /// The result of a request whose changes are refused for these reasons.
    pub(super) fn of_refusals(refusals: Vec<Refusal>) -> Self {
        let each = refusals.into_iter().map(|refusal| Err(Box::new(refusal))).collect();
        Self { each, movements: Arc::default() }
    }

    /// The result of a request whose changes are all refused.
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
            Applied::Batch(_)
            | Applied::Undone(_)
            | Applied::Imported(_)
            | Applied::ImportUndone(_)
            | Applied::Counted(_)
            | Applied::Recalled(_) => None,
        }
    }
}
