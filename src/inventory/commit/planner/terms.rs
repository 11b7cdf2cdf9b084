//! Other terms of products, products that are merged, and examples that are cleared.

use super::Planner;
use super::results::{FirstResult, TermsResult};
use crate::catalog::{
    Author, Kind, Movement, ProductId, RequestId, TermsUpdate, Undoable, clear_examples_digest, merge_digest,
    update_digest,
};
use crate::inventory::commit::result::Counted;
use crate::refusal::Refusal;

impl Planner<'_> {
    pub(super) fn update(
        &mut self,
        product: ProductId,
        update: &TermsUpdate,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<Vec<Counted>, Refusal> {
        self.changed_once(request_id, update_digest(product, update), |planner| {
            planner.draft.update(product, update, author)?;
            Ok(vec![planner.unmoved(product)])
        })
    }

    pub(super) fn merge(
        &mut self,
        from: ProductId,
        into: ProductId,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<Vec<Counted>, Refusal> {
        self.changed_once(request_id, merge_digest(from, into), |planner| {
            let movements = planner.draft.merge(from, into, author)?;
            if movements.is_empty() {
                return Ok(vec![planner.unmoved(from), planner.unmoved(into)]);
            }
            Ok(movements.into_iter().map(Counted::Movement).collect())
        })
    }

    pub(super) fn clear_examples(
        &mut self,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<Vec<Counted>, Refusal> {
        self.changed_once(request_id, clear_examples_digest(), |planner| {
            let mut cleared = Vec::new();
            for (product, last) in planner.draft.examples() {
                // One that moved in this transaction is not cleared either.
                let Some(opening) = planner.opening(last)? else { continue };
                let undone = planner.draft.undo(last, &[opening], author, None);
                let undone = undone.map_err(|error| planner.refuse_undo(error))?;
                planner.draft.retire_example(product, author);
                cleared.extend(undone.into_iter().map(|(_, movement)| Counted::Movement(movement)));
            }
            Ok(cleared)
        })
    }

    /// The published movement with this number, if it is an opening with stock.
    fn opening(&mut self, sequence: i64) -> Result<Option<Undoable>, Refusal> {
        if sequence > self.draft.published() {
            return Ok(None);
        }
        let row = self.row(sequence)?.filter(|row| {
            let Movement { sequence: found, kind, .. } = row.movement;
            found == sequence && kind == Kind::Opening && row.undoes == 0 && row.undone_by == 0
        });
        Ok(row.map(|row| Undoable { movement: row.movement, undoes: 0, undone_by: 0 }))
    }

    /// A product of whose terms and not stock something was changed.
    fn unmoved(&self, product: ProductId) -> Counted {
        let product = self.draft.product(product);
        Counted::Same { product: product.id, stock: product.stock, price: product.price }
    }

    /// Plans a change of terms once. The result is kept in the form of a count's.
    fn changed_once(
        &mut self,
        request_id: Option<&RequestId>,
        digest: u64,
        plan: impl FnOnce(&mut Self) -> Result<Vec<Counted>, Refusal>,
    ) -> Result<Vec<Counted>, Refusal> {
        self.once(
            request_id,
            digest,
            |planner| {
                let changed = plan(planner)?;
                let result = FirstResult::Terms(changed.iter().map(TermsResult::of).collect());
                Ok((changed, result))
            },
            |planner, result| match result {
                FirstResult::Terms(results) => {
                    Some(results.into_iter().map(|result| planner.changed_again(result)).collect())
                }
                _ => None,
            },
        )
    }

    fn changed_again(&mut self, result: TermsResult) -> Result<Counted, Refusal> {
        match result {
            TermsResult::Same { product, stock, price } => Ok(Counted::Same { product, stock, price }),
            TermsResult::Movement(sequence) => {
                Ok(Counted::Movement(self.movements(sequence, 1)?.swap_remove(0)))
            }
        }
    }
}
