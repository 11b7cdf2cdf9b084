//! Results: what became of the changes of a request.

use std::sync::Arc;

use super::change::Change;
use crate::catalog::{ImportCounts, Movement, Price, ProductId, Quantity};
use crate::refusal::Refusal;

/// The outcomes of a request's changes.
#[derive(Default)]
pub(crate) struct WriteResult {
    /// One outcome for each change, in order.
    pub(crate) each: Vec<Outcome>,
    /// The movements of the whole transaction, among which the client's worker finds its own: to copy
    /// them, and to count the owners of request ids on two threads, would take the writer's time.
    pub(crate) movements: Arc<Vec<Movement>>,
}

/// The effect of a change, or why the change was refused. No larger than a [`Change`], so that the
/// outcomes of a request are collected into the room of its changes, and the worker frees what it
/// allocated: otherwise worker and committer wait for the allocator's lock.
pub(crate) type Outcome = Result<Applied, Box<Refusal>>;

const _: () = assert!(size_of::<Outcome>() <= size_of::<Change>());

/// The effect of a change. The client's worker adds the product: the units and long names of products are
/// shared, and to count their owners on two threads slows both.
#[derive(Clone)]
pub(crate) enum Applied {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement, of the same request id.
    AdjustedBefore(Box<Movement>),
    /// The movements of a batch.
    Batch(Vec<Movement>),
    /// The movements of an undo, each with the movement that it undoes.
    Undone(Vec<(i64, Movement)>),
    Imported(ImportCounts),
    Counted(Vec<Counted>),
}

/// The effect of a line of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Counted {
    /// The stock differed, and this movement set it.
    Movement(Movement),
    /// The stock was what was counted.
    Same { product: ProductId, stock: Quantity, price: Price },
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
            Applied::Batch(_) | Applied::Undone(_) | Applied::Imported(_) | Applied::Counted(_) => None,
        }
    }
}
