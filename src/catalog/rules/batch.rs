//! Several changes at once, such as a sale of several products: all or none.

use std::collections::HashMap;

use super::adjust::{self, AdjustmentError, check_delta, too_large};
use crate::catalog::adjustment::Adjustment;
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::movement::Movement;
use crate::catalog::product::ProductId;
use crate::catalog::quantity::Quantity;

/// Most changes in one batch: a long shopping list, and milliseconds of a transaction.
pub const BATCH_LINES_MAX: usize = 1000;

/// The order in which the changes of a batch stand in the ledger, as indexes of them: what
/// brings before what takes, and else as asked for.
pub fn ledger_order(changes: &[Adjustment]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by_key(|index| changes[*index].delta < Quantity::ZERO);
    order
}

/// The digest of a batch.
pub fn batch_digest(changes: &[Adjustment]) -> u64 {
    let mut digest = Digest::unnamed();
    for change in changes {
        digest.feed_change(change.product, change.delta, change.kind);
    }
    digest.value()
}

impl Draft<'_> {
    /// Changes several stocks at once: all or none. The changes of one product are summed
    /// before they are checked, so a batch may take away what it also brings.
    ///
    /// One movement for each, in the order asked for; in the ledger those that bring come
    /// before those that take ([`ledger_order`]), so that no balance is ever below zero.
    ///
    /// # Errors
    /// The first change that breaks a rule, by its index. The draft is then as it was.
    pub fn adjust_all(&mut self, changes: &[Adjustment]) -> Result<Vec<Movement>, (usize, AdjustmentError)> {
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
            match self.adjust(&changes[index]) {
                Ok(movement) => movements[index] = Some(movement.clone()),
                Err(error) => {
                    // Only a balance that passes its limit on the way to one that does not.
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
