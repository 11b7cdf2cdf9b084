//! A batch: several changes together, such as a sale of several products; all or none.

use std::borrow::Cow;
use std::collections::HashMap;

use super::adjust::{self, AdjustmentError, check_delta, check_kind, too_large};
use crate::catalog::adjustment::Adjustment;
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::label::LabelContent;
use crate::catalog::movement::{Kind, Movement};
use crate::catalog::product::ProductId;
use crate::catalog::quantity::Quantity;

/// Most changes in one batch: a long shopping list, written in a few milliseconds.
pub const BATCH_LINES_MAX: usize = 1000;

/// The order in which the ledger has the changes of a batch, as indexes: first those that add, then those
/// that take away, each in the order of the request.
pub fn ledger_order(changes: &[Adjustment]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by_key(|index| changes[*index].takes());
    order
}

/// The digest of a batch.
pub fn batch_digest(changes: &[Adjustment]) -> u64 {
    let mut digest = Digest::unnamed();
    for change in changes {
        digest.feed_change(change.product, asked(change), change.kind);
        if let Some(details) = &change.details {
            digest.feed_details(details);
        }
        // The details of a sale have the total of its label.
        if let Some(LabelContent::Total(total)) = change.label
            && change.kind != Kind::Sale
        {
            digest.feed(&total.centavos().to_le_bytes());
        }
    }
    digest.value()
}

/// The quantity that a change asks for. A label of a total asks for none, because its quantity is another one at
/// another price.
fn asked(change: &Adjustment) -> Quantity {
    match change.label {
        Some(LabelContent::Total(_)) => Quantity::ZERO,
        Some(LabelContent::Weight(weight)) if change.delta == Quantity::ZERO => {
            if change.takes() {
                weight.opposite()
            } else {
                weight
            }
        }
        Some(LabelContent::Weight(_)) | None => change.delta,
    }
}

impl Draft<'_> {
    /// Changes several stocks together: all or none. The changes of one product are summed before they are
    /// checked, so that a batch may take away stock that it also adds.
    ///
    /// Returns one movement for each change, in the order of the request. In the ledger additions come
    /// first ([`ledger_order`]), so that no balance is ever below zero.
    ///
    /// # Errors
    /// If a change breaks a rule: the index of the first that does, and the rule. The draft is then
    /// unchanged.
    pub fn adjust_all(&mut self, changes: &[Adjustment]) -> Result<Vec<Movement>, (usize, AdjustmentError)> {
        let mut measured = Cow::Borrowed(changes);
        for (index, change) in changes.iter().enumerate() {
            let change = self.measured(change).map_err(|error| (index, error))?;
            check_kind(self.terms(change.product), &change).map_err(|error| (index, error))?;
            if let Cow::Owned(change) = change {
                measured.to_mut()[index] = change;
            }
        }
        self.make_all(&measured, &[])
    }

    /// Makes changes whose kinds are checked: all or none. `undone` are the movements that they undo, or none.
    pub(super) fn make_all(
        &mut self,
        changes: &[Adjustment],
        undone: &[&Movement],
    ) -> Result<Vec<Movement>, (usize, AdjustmentError)> {
        let mut sums: HashMap<ProductId, i64> = HashMap::new();
        for (index, change) in changes.iter().enumerate() {
            check_delta(self.terms(change.product), change.delta).map_err(|error| (index, error))?;
            *sums.entry(change.product).or_default() += change.delta.thousandths();
        }
        for (index, change) in changes.iter().enumerate() {
            // A product's sum is checked at its first change.
            if let Some(sum) = sums.remove(&change.product) {
                let terms = self.terms(change.product);
                let sum = Quantity::from_thousandths(sum).map_err(|_| too_large(terms));
                let checked = sum.and_then(|sum| adjust::sum(terms, self.balance(terms).stock, sum));
                checked.map_err(|error| (index, error))?;
            }
        }
        let mut movements: Vec<Option<Movement>> = vec![None; changes.len()];
        let (balances, first_sequence, count) =
            (self.balances.clone(), self.next_sequence(), self.movements.len());
        for index in ledger_order(changes) {
            match self.make(&changes[index], undone.get(index).copied()) {
                Ok(movement) => movements[index] = Some(movement.clone()),
                Err(error) => {
                    // The sum is within the limit, but the additions alone pass it.
                    self.balances = balances;
                    self.movements.truncate(count);
                    return Err((index, error));
                }
            }
        }
        self.note_document(first_sequence);
        Ok(movements.into_iter().flatten().collect())
    }
}
