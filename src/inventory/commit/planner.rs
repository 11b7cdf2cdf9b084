//! The planner of a transaction: decides the outcome of each change before any is durable.
//!
//! A request id is an idempotency key that is kept for ever with its result. There is one check of ids: a
//! known id with the same content gets the first answer again, and a known id with other content is refused.
//! A lone adjustment has its id in its row of the ledger and is compared with that row. Any other request has
//! a row of its own, with a digest of its content and a [`FirstResult`].

mod count;
mod imports;
mod results;
mod terms;
mod undo;
mod undo_import;

use std::hash::BuildHasher as _;
use std::time::SystemTime;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::change::Change;
use super::result::{Applied, ImportResult, Outcome};
use super::store_refusals::unreadable;
use crate::catalog::{
    Adjustment, Author, Catalog, Draft, Movement, ProductDraft, ProductId, RequestId, RequestRecord,
    RowError, Transaction, batch_digest, import_digest, ledger_order,
};
use crate::refusal::{Code, Refusal};
use crate::store::{LedgerRow, Recorded, RecordedById, Store};
use results::{CountResult, FirstResult, ImportMade, TermsResult};

/// The planner of one transaction, which checks one change after the other.
pub(super) struct Planner<'a> {
    draft: Draft<'a>,
    store: &'a mut dyn Store,
    /// The number of the last import that is known to be stored, and how many this transaction adds.
    imports_known: &'a mut u64,
    imports_planned: u64,
    /// The first results of this transaction's request ids: those from before the transaction, and those of
    /// requests with a row of their own earlier in it.
    recorded: RecordedById,
    /// The lone adjustments with an id earlier in this transaction: the hash of the id and the sequence
    /// number. The draft has the ids.
    adjusted: HashTable<(u64, i64)>,
    /// Seeded, because clients choose the ids.
    hasher: RandomState,
}

impl<'a> Planner<'a> {
    /// A planner without changes, at this time by the clock, with room for `id_count` request ids. `recorded`
    /// has the results that some of these ids have already.
    pub(super) fn new(
        catalog: &'a Catalog,
        now: SystemTime,
        store: &'a mut dyn Store,
        imports_known: &'a mut u64,
        id_count: usize,
        recorded: RecordedById,
    ) -> Self {
        let draft = Draft::new(catalog, now);
        let adjusted = HashTable::with_capacity(id_count);
        let hasher = RandomState::default();
        Self { draft, store, imports_known, imports_planned: 0, recorded, adjusted, hasher }
    }

    /// Adds a change to the transaction, unless it breaks a rule or was made before.
    pub(super) fn plan(&mut self, change: &Change) -> Outcome {
        let applied = match change {
            Change::Adjust(adjustment) => self.adjust(adjustment),
            Change::Batch { changes, request_id } => {
                self.adjust_together(changes, request_id.as_ref()).map(Applied::Batch)
            }
            Change::Import { rows, continues, creates_only, request_id, author } => {
                self.import(rows, continues.as_ref(), *creates_only, request_id.as_ref(), author.as_ref())
            }
            Change::Count { lines, request_id, signed } => {
                self.count(lines, request_id.as_ref(), signed).map(Applied::Counted)
            }
            Change::Undo { sequence, is_single, request_id, signed, of_own_sales } => self
                .undo(*sequence, *is_single, request_id.as_ref(), signed, *of_own_sales)
                .map(Applied::Undone),
            Change::Update { product, update, request_id, author } => {
                self.update(*product, update, request_id.as_ref(), author.as_ref()).map(Applied::Counted)
            }
            Change::Merge { from, into, request_id, author } => {
                self.merge(*from, *into, request_id.as_ref(), author.as_ref()).map(Applied::Counted)
            }
            Change::UndoImport { wanted, request_id, author } => self
                .undo_import(*wanted, request_id.as_ref(), author.as_ref())
                .map(|undone| Applied::ImportUndone(Box::new(undone))),
            Change::Recall { request_id } => self.products_of(request_id).map(Applied::Recalled),
            Change::ClearExamples { request_id, author } => {
                self.clear_examples(request_id.as_ref(), author.as_ref()).map(Applied::Counted)
            }
        };
        applied.map_err(Box::new)
    }

    /// Returns the transaction of all planned changes.
    pub(super) fn finish(self) -> Transaction {
        self.draft.finish()
    }

    fn adjust(&mut self, adjustment: &Adjustment) -> Result<Applied, Refusal> {
        let Some(request_id) = &adjustment.request_id else {
            return Ok(Applied::Adjusted(self.draft.adjust(adjustment)?.sequence));
        };
        let hash = self.hasher.hash_one(request_id);
        match self.earlier(request_id, hash) {
            None => {
                let sequence = self.draft.adjust(adjustment)?.sequence;
                self.adjusted.insert_unique(hash, (hash, sequence), |(hash, _)| *hash);
                Ok(Applied::Adjusted(sequence))
            }
            Some(Recorded::Movement(movement)) if adjustment.is_of(&movement) => {
                Ok(Applied::AdjustedBefore(Box::new(movement)))
            }
            Some(_) => Err(Refusal::request_id_reused(request_id)),
        }
    }

    /// The products that a request has changed, in the order of its movements; `None` if it was never made.
    fn products_of(&mut self, request_id: &RequestId) -> Result<Option<Vec<ProductId>>, Refusal> {
        match self.earlier(request_id, self.hasher.hash_one(request_id)) {
            None => Ok(None),
            Some(Recorded::Movement(movement)) => Ok(Some(vec![movement.product])),
            Some(Recorded::Request(record)) => match FirstResult::decode(&record.result) {
                Some(result) => self.products_in(result).map(Some),
                None => Err(not_in_ledger()),
            },
        }
    }

    fn products_in(&mut self, result: FirstResult) -> Result<Vec<ProductId>, Refusal> {
        let mut products = Vec::new();
        let mut movements = Vec::new();
        match result {
            FirstResult::Batch { first_sequence } => {
                let count = self.row(first_sequence)?.map_or(0, |row| row.document.count as usize);
                movements.push((first_sequence, count));
            }
            FirstResult::Count(lines) => {
                let moved = lines.iter().filter_map(|line| match line {
                    CountResult::Movement(sequence) => Some(*sequence),
                    // Of a line that changed nothing only the digest knows the product.
                    CountResult::Same { .. } => None,
                });
                let moved: Vec<i64> = moved.collect();
                // The movements of a count are one document.
                movements.extend(moved.iter().min().map(|first| (*first, moved.len())));
            }
            FirstResult::Terms(results) => {
                for result in results {
                    match result {
                        TermsResult::Same { product, .. } => products.push(product),
                        TermsResult::Movement(sequence) => movements.push((sequence, 1)),
                    }
                }
            }
            // An import and an undo name their products by a list or a number.
            FirstResult::Import(_)
            | FirstResult::ImportMade(_)
            | FirstResult::ImportUndone(..)
            | FirstResult::Undo { .. }
            | FirstResult::UndoOfImport(_) => {}
        }
        for (first, count) in movements {
            products.extend(self.movements(first, count)?.iter().map(|movement| movement.product));
        }
        Ok(products)
    }

    /// Returns the result of a request id with this hash, from before this transaction or earlier in it.
    fn earlier(&self, request_id: &RequestId, hash: u64) -> Option<Recorded> {
        if let Some(recorded) = self.recorded.get(request_id) {
            return Some(recorded.clone());
        }
        let adjusted = self.adjusted.iter_hash(hash);
        let mut adjusted = adjusted.filter_map(|(_, sequence)| self.draft.movement(*sequence));
        let movement = adjusted.find(|movement| movement.request_id.as_ref() == Some(request_id));
        movement.cloned().map(Recorded::Movement)
    }

    /// Plans a request that has a row of its own, if its id is new. If the id is known with the same digest,
    /// answers from the first result.
    fn once<T>(
        &mut self,
        request_id: Option<&RequestId>,
        digest: u64,
        plan: impl FnOnce(&mut Self) -> Result<(T, FirstResult), Refusal>,
        answer_again: impl FnOnce(&mut Self, FirstResult) -> Option<Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let Some(request_id) = request_id else { return plan(self).map(|(applied, _)| applied) };
        match self.earlier(request_id, self.hasher.hash_one(request_id)) {
            None => {
                let (applied, result) = plan(self)?;
                let record =
                    RequestRecord { request_id: request_id.clone(), digest, result: result.encode() };
                self.recorded.insert(request_id.clone(), Recorded::Request(record.clone()));
                self.draft.record_request(record);
                Ok(applied)
            }
            Some(Recorded::Request(record)) if record.digest == digest => {
                let result = FirstResult::decode(&record.result).ok_or_else(not_in_ledger)?;
                // Another operation with the same digest is other content, too.
                answer_again(self, result).unwrap_or_else(|| Err(Refusal::request_id_reused(request_id)))
            }
            Some(_) => Err(Refusal::request_id_reused(request_id)),
        }
    }

    fn adjust_together(
        &mut self,
        changes: &[Adjustment],
        request_id: Option<&RequestId>,
    ) -> Result<Vec<Movement>, Refusal> {
        self.once(
            request_id,
            batch_digest(changes),
            |planner| {
                let first_sequence = planner.draft.next_sequence();
                let movements = planner.draft.adjust_all(changes);
                let movements = movements.map_err(|(index, error)| Refusal::from(error).at(index))?;
                Ok((movements, FirstResult::Batch { first_sequence }))
            },
            |planner, result| match result {
                FirstResult::Batch { first_sequence } => Some(planner.batch_again(changes, first_sequence)),
                _ => None,
            },
        )
    }

    /// The movements of a batch that was made before, in the order of the request.
    fn batch_again(&mut self, changes: &[Adjustment], first_sequence: i64) -> Result<Vec<Movement>, Refusal> {
        let movements = self.movements(first_sequence, changes.len())?;
        let mut answers = vec![None; changes.len()];
        for (index, movement) in ledger_order(changes).into_iter().zip(movements) {
            if changes[index].is_of(&movement) {
                answers[index] = Some(movement);
            }
        }
        answers.into_iter().collect::<Option<_>>().ok_or_else(|| {
            tracing::error!(first_sequence, "the ledger lacks movements of a batch");
            not_in_ledger()
        })
    }

    fn import(
        &mut self,
        rows: &[ProductDraft],
        continues: Option<&RequestId>,
        creates_only: bool,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<Applied, Refusal> {
        self.once(
            request_id,
            if request_id.is_some() { import_digest(rows) } else { 0 },
            |planner| {
                if creates_only {
                    refuse_existing(&planner.draft, rows)?;
                }
                // Before the draft changes, because this may fail.
                let before = continues.map(|id| planner.part_of(id)).transpose()?.flatten();
                let next = planner.next_part(before)?;
                let (first_change, first_sequence) =
                    (planner.draft.next_change(), planner.draft.next_sequence());
                let refuse = |errors: Vec<(usize, RowError)>| match &errors[..] {
                    // A new product's code is refused as by a change of it.
                    [(index, RowError::CodeTaken { error, .. })] if creates_only => {
                        Refusal::from(error.clone()).at(*index)
                    }
                    _ => refuse_rows(errors),
                };
                let counts = planner.draft.import(rows, author).map_err(refuse)?.counts;
                let change_count = planner.draft.next_change() - first_change;
                let created = planner.draft.next_sequence() - first_sequence;
                let at = planner.draft.now();
                let made = ImportMade { at, first_change, change_count, first_sequence, created };
                let part = if planner.note_import(next, made) { Some(next) } else { before };
                let result = ImportResult { counts, first_change, change_count, part };
                Ok((Applied::Imported(Box::new(result)), FirstResult::Import(result)))
            },
            |_, result| match result {
                FirstResult::Import(result) => Some(Ok(Applied::Imported(Box::new(result)))),
                _ => None,
            },
        )
    }

    /// The movements from this one on, from the store or from this transaction.
    ///
    /// # Errors
    /// If the store cannot be read, or lacks a movement.
    fn movements(&mut self, first_sequence: i64, count: usize) -> Result<Vec<Movement>, Refusal> {
        Ok(self.linked_movements(first_sequence, count)?.into_iter().map(|(_, movement)| movement).collect())
    }

    /// The stored row from this number on.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn row(&mut self, sequence: i64) -> Result<Option<LedgerRow>, Refusal> {
        Ok(self.store.rows(sequence, 1).map_err(unreadable)?.pop())
    }

    /// The movements from this one on, each with the movement that it undoes; 0 for none.
    fn linked_movements(
        &mut self,
        first_sequence: i64,
        count: usize,
    ) -> Result<Vec<(i64, Movement)>, Refusal> {
        let planned = self.draft.movements_from(first_sequence).iter().take(count);
        let mut movements: Vec<(i64, Movement)> =
            planned.map(|movement| (self.draft.undoes(movement.sequence), movement.clone())).collect();
        if movements.is_empty() {
            let rows = self.store.rows(first_sequence, count).map_err(unreadable)?;
            movements = rows.into_iter().map(|row| (row.undoes, row.movement)).collect();
        }
        let is_whole = movements.len() == count
            && movements
                .iter()
                .zip(first_sequence..)
                .all(|((_, movement), sequence)| movement.sequence == sequence);
        if is_whole {
            return Ok(movements);
        }
        tracing::error!(first_sequence, count, "the ledger lacks movements of a request");
        Err(not_in_ledger())
    }
}

/// Refuses the rows of an import that only creates, if a product of theirs exists.
pub(crate) fn refuse_existing(draft: &Draft<'_>, rows: &[ProductDraft]) -> Result<(), Refusal> {
    match draft.existing(rows) {
        Some((index, product)) => Err(Refusal::product_exists(&product).at(index)),
        None => Ok(()),
    }
}

pub(crate) fn refuse_rows(errors: Vec<(usize, RowError)>) -> Refusal {
    Refusal::bad_rows(errors.into_iter().map(|(index, error)| (index, error.to_string())).collect())
}

fn not_in_ledger() -> Refusal {
    Refusal::new(
        Code::Internal,
        "este pedido já foi feito, mas faltam movimentos dele no banco de dados, que está danificado. Nada foi \
         alterado agora; confira-o com `hortifruti verify` e restaure uma cópia.",
    )
}
