//! The plan of an undo.

use super::results::FirstResult;
use super::{Planner, unreadable};
use crate::catalog::{
    AdjustmentError, Document, Kind, Movement, ProductChange, ProductId, Quantity, RequestId, UndoError,
    Undoable, merged, undo_digest,
};
use crate::inventory::commit::change::Signed;
use crate::refusal::Refusal;
use crate::store::{ChangesQuery, LedgerRow};

/// The most movements of a product that are searched for the ones that used a stock: some milliseconds.
pub(super) const LATER_LOOKED_AT_MAX: usize = 1000;

/// The most movements that a refusal names.
pub(super) const LATER_NAMED_MAX: usize = 5;

/// The most changes of the terms of a product among which those of a merge are searched: some milliseconds.
const TERMS_LOOKED_AT_MAX: usize = 1000;

/// A merge, with the changes of terms that it made.
struct Merge {
    from: ProductId,
    into: ProductId,
    changes: Vec<ProductChange>,
}

impl Planner<'_> {
    /// Plans an undo. Returns the new movements, each with the movement that it undoes.
    pub(super) fn undo(
        &mut self,
        sequence: i64,
        is_single: bool,
        request_id: Option<&RequestId>,
        signed: &Signed,
        of_own_sales: bool,
    ) -> Result<Vec<(i64, Movement)>, Refusal> {
        self.once(
            request_id,
            undo_digest(sequence, is_single, signed.note.as_ref()),
            |planner| {
                let first_sequence = planner.draft.next_sequence();
                let mut document = planner.document_of(sequence)?;
                if is_single {
                    if merged(&document).is_some() {
                        return Err(Refusal::undo_of_half_a_merge(sequence));
                    }
                    document.retain(|it| it.movement.sequence == sequence);
                }
                let Signed { author, note } = signed;
                let is_own = |undoable: &Undoable| {
                    undoable.movement.kind == Kind::Sale && undoable.movement.author == *author
                };
                if of_own_sales && !document.iter().all(is_own) {
                    return Err(Refusal::undo_of_others(sequence));
                }
                let merge = planner.merge_of(&document)?;
                let made = planner.draft.undo(sequence, &document, author.as_ref(), note.as_ref());
                let made = made.map_err(|error| planner.refuse_undo(error))?;
                if let Some(Merge { from, into, changes }) = merge {
                    planner.draft.undo_merge(from, into, &changes, author.as_ref());
                }
                let count = made.len() as i64;
                Ok((made, FirstResult::Undo { first_sequence, count }))
            },
            |planner, result| match result {
                FirstResult::Undo { first_sequence, count } => {
                    Some(planner.undone_again(first_sequence, count))
                }
                _ => None,
            },
        )
    }

    /// The movements of this one's document, which are undone together.
    fn document_of(&mut self, sequence: i64) -> Result<Vec<Undoable>, Refusal> {
        // No client knows a movement that is planned and not published yet.
        if sequence < 1 || sequence > self.draft.published() {
            return Err(Refusal::movement_not_found(sequence));
        }
        let named = self.row(sequence)?.filter(|row| row.movement.sequence == sequence);
        let named = named.ok_or_else(|| Refusal::movement_not_found(sequence))?;
        let Document { first_sequence, count } = named.document;
        let rows =
            self.store.rows(first_sequence, usize::try_from(count).unwrap_or(1)).map_err(unreadable)?;
        Ok(rows.into_iter().map(undoable).collect())
    }

    /// The merge that made a document, if one did.
    fn merge_of(&mut self, document: &[Undoable]) -> Result<Option<Merge>, Refusal> {
        let Some((from, into)) = merged(document) else { return Ok(None) };
        let at = document[0].movement.recorded_at;
        let mut changes = Vec::new();
        for product in [from, into] {
            let (product, count_max) = (Some(product), TERMS_LOOKED_AT_MAX);
            let query = ChangesQuery { product, lowest: 1, before: self.draft.next_change(), count_max };
            let found = self.store.ledger().product_changes(&query).map_err(unreadable)?;
            changes.extend(found.into_iter().filter(|change| change.recorded_at == at));
        }
        // A merge of a product that was retired before has only moved its codes.
        Ok((!changes.is_empty()).then_some(Merge { from, into, changes }))
    }

    /// The first answer to a repeated request, in the order of the movements that were undone.
    fn undone_again(&mut self, first_sequence: i64, count: i64) -> Result<Vec<(i64, Movement)>, Refusal> {
        let mut made = self.linked_movements(first_sequence, usize::try_from(count).unwrap_or(0))?;
        made.sort_by_key(|(undone, _)| *undone);
        Ok(made)
    }

    pub(super) fn refuse_undo(&mut self, error: UndoError) -> Refusal {
        let later = match &error {
            UndoError::Refused { movement, error: AdjustmentError::Insufficient { .. } } => {
                self.users_of(movement)
            }
            _ => Vec::new(),
        };
        Refusal::undo(error, &later)
    }

    /// The last movements that took from the stock after this movement had added to it, and still do.
    fn users_of(&mut self, movement: &Movement) -> Vec<Movement> {
        let last = self.draft.published_balance(movement.product).last_movement;
        let found = self.store.movements_back(last, movement.sequence, LATER_LOOKED_AT_MAX);
        let found = found.inspect_err(|error| tracing::error!(%error, "the ledger could not be read"));
        let takes = |later: &Movement| later.sequence > movement.sequence && later.delta < Quantity::ZERO;
        let mut later = Vec::new();
        for taker in found.unwrap_or_default().into_iter().filter(takes) {
            let row = self.row(taker.sequence).ok().flatten();
            if row.is_none_or(|row| row.undone_by == 0) {
                later.push(taker);
            }
            if later.len() == LATER_NAMED_MAX {
                break;
            }
        }
        later.reverse();
        later
    }
}

/// The row of a movement, as an undo looks at it.
pub(super) fn undoable(LedgerRow { movement, undoes, undone_by, .. }: LedgerRow) -> Undoable {
    Undoable { movement, undoes, undone_by }
}
