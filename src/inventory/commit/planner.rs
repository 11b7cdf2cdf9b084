//! What becomes of the changes of one transaction, before any is durable.

use std::hash::BuildHasher as _;
use std::time::SystemTime;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::group::Change;
use super::replies::{Applied, Outcome};
use crate::catalog::{
    Adjustment, BatchRecord, Catalog, Draft, ImportCounts, ImportRecord, Movement, ProductDraft, RequestId,
    RowError, Transaction, ledger_order,
};
use crate::refusal::{Code, Refusal};
use crate::store::{Recorded, RecordedById, Store};

/// Checks the changes of one transaction, one after the other.
pub(super) struct Planner<'a> {
    draft: Draft<'a>,
    store: &'a mut dyn Store,
    /// What the request ids of this transaction did before it, and those of batches and imports
    /// earlier in it.
    recorded: RecordedById,
    /// The movements of request ids earlier in this transaction, by the hash of the id and their
    /// sequence number; the draft has the ids.
    made: HashTable<(u64, i64)>,
    /// The ids are chosen by clients, so it is seeded.
    hasher: RandomState,
}

impl<'a> Planner<'a> {
    /// A planner without changes, at this time by the clock. `id_count` is how many request ids it
    /// makes room for, and `recorded` what some of them have done before.
    pub(super) fn new(
        catalog: &'a Catalog,
        now: SystemTime,
        store: &'a mut dyn Store,
        id_count: usize,
        recorded: RecordedById,
    ) -> Self {
        let draft = Draft::new(catalog, now);
        let made = HashTable::with_capacity(id_count);
        Self { draft, store, recorded, made, hasher: RandomState::default() }
    }

    /// Takes a change into the transaction, unless it breaks a rule or was made before.
    pub(super) fn plan(&mut self, change: Change) -> Outcome {
        let done = match change {
            Change::Adjust(adjustment) => self.adjust(adjustment),
            Change::Batch { changes, request_id } => {
                self.adjust_together(&changes, request_id.as_ref()).map(Applied::Batch)
            }
            Change::Import { rows, request_id } => {
                self.import(&rows, request_id.as_ref()).map(Applied::Imported)
            }
        };
        done.map_err(Box::new)
    }

    /// What the changes come to.
    pub(super) fn finish(self) -> Transaction {
        self.draft.finish()
    }

    fn adjust(&mut self, adjustment: Adjustment) -> Result<Applied, Refusal> {
        let Some(request_id) = &adjustment.request_id else {
            return Ok(Applied::Adjusted(self.draft.adjust(adjustment)?.sequence));
        };
        let hash = self.hasher.hash_one(request_id);
        match self.earlier_by(request_id, hash) {
            None => {
                let sequence = self.draft.adjust(adjustment)?.sequence;
                self.made.insert_unique(hash, (hash, sequence), |(hash, _)| *hash);
                Ok(Applied::Adjusted(sequence))
            }
            Some(Recorded::Movement(movement))
                if movement.product == adjustment.product
                    && movement.delta == adjustment.delta
                    && movement.kind == adjustment.kind =>
            {
                Ok(Applied::AdjustedBefore(Box::new(movement)))
            }
            Some(_) => Err(Refusal::request_id_reused(request_id)),
        }
    }

    /// What a request id did, before this transaction or earlier in it.
    fn earlier(&self, request_id: &RequestId) -> Option<Recorded> {
        self.earlier_by(request_id, self.hasher.hash_one(request_id))
    }

    /// The same for an id with this hash.
    fn earlier_by(&self, request_id: &RequestId, hash: u64) -> Option<Recorded> {
        if let Some(recorded) = self.recorded.get(request_id) {
            return Some(recorded.clone());
        }
        let mut made = self.made.iter_hash(hash).filter_map(|(_, sequence)| self.draft.movement(*sequence));
        let movement = made.find(|movement| movement.request_id.as_ref() == Some(request_id));
        movement.cloned().map(Recorded::Movement)
    }

    fn adjust_together(
        &mut self,
        changes: &[Adjustment],
        request_id: Option<&RequestId>,
    ) -> Result<Vec<Movement>, Refusal> {
        let digest = batch_digest(changes);
        if let Some(request_id) = request_id {
            match self.earlier(request_id) {
                Some(Recorded::Batch(record)) if record.digest == digest => {
                    return self.answer_again(changes, record.first_sequence);
                }
                Some(_) => return Err(Refusal::request_id_reused(request_id)),
                None => {}
            }
        }
        let first_sequence = self.draft.next_sequence();
        let movements =
            self.draft.adjust_all(changes).map_err(|(index, error)| Refusal::from(error).at(index))?;
        if let Some(request_id) = request_id {
            let record = BatchRecord { request_id: request_id.clone(), digest, first_sequence };
            self.recorded.insert(request_id.clone(), Recorded::Batch(record.clone()));
            self.draft.record_batch(record);
        }
        Ok(movements)
    }

    /// The first answer to a batch, from the ledger.
    fn answer_again(
        &mut self,
        changes: &[Adjustment],
        first_sequence: i64,
    ) -> Result<Vec<Movement>, Refusal> {
        let made = self.draft.movements_from(first_sequence).iter().take(changes.len());
        let mut movements: Vec<Movement> = made.cloned().collect();
        if movements.is_empty() {
            movements = self.store.movements(first_sequence, changes.len()).map_err(|error| {
                tracing::error!(%error, "a batch could not be looked up");
                store_closed()
            })?;
        }
        let mut answers = vec![None; changes.len()];
        for ((index, movement), sequence) in
            ledger_order(changes).into_iter().zip(movements).zip(first_sequence..)
        {
            let change = &changes[index];
            if (movement.sequence, movement.product, movement.delta)
                == (sequence, change.product, change.delta)
            {
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
        request_id: Option<&RequestId>,
    ) -> Result<ImportCounts, Refusal> {
        let Some(request_id) = request_id else {
            return self.draft.import(rows).map_err(refuse_rows);
        };
        let digest = list_digest(rows);
        match self.earlier(request_id) {
            Some(Recorded::Import(record)) if record.digest == digest => Ok(record.counts),
            Some(_) => Err(Refusal::request_id_reused(request_id)),
            None => {
                let counts = self.draft.import(rows).map_err(refuse_rows)?;
                let record = ImportRecord { request_id: request_id.clone(), digest, counts };
                self.recorded.insert(request_id.clone(), Recorded::Import(record.clone()));
                self.draft.record_import(record);
                Ok(counts)
            }
        }
    }
}

/// A digest that stays the same for ever (FNV-1a, 64 bits), because it is stored.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn feed(&mut self, bytes: &[u8]) {
        // A byte that ends each part, so that parts do not run into each other.
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn list_digest(rows: &[ProductDraft]) -> u64 {
    let mut digest = Digest::new();
    for row in rows {
        digest.feed(row.name.as_str().as_bytes());
        digest.feed(row.unit.as_ref().map_or("", |unit| unit.as_str()).as_bytes());
        digest.feed(&row.price.centavos().to_le_bytes());
        digest.feed(&row.opening_stock.thousandths().to_le_bytes());
    }
    digest.0
}

fn batch_digest(changes: &[Adjustment]) -> u64 {
    let mut digest = Digest::new();
    for change in changes {
        digest.feed(&change.product.number().to_le_bytes());
        digest.feed(&change.delta.thousandths().to_le_bytes());
        digest.feed(change.kind.word().as_bytes());
    }
    digest.0
}

pub(crate) fn refuse_rows(errors: Vec<(usize, RowError)>) -> Refusal {
    Refusal::bad_rows(errors.into_iter().map(|(index, error)| (index, error.to_string())).collect())
}

pub(super) fn store_closed() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "o banco de dados não aceita gravações desde uma falha de disco. Nada foi alterado; \
         as consultas continuam; confira o disco e tente de novo.",
    )
}

fn not_in_ledger() -> Refusal {
    Refusal::new(
        Code::Internal,
        "este lote já foi feito, mas faltam movimentos dele no banco de dados, que está danificado. Nada foi \
         alterado agora; confira-o com `hortifruti verify` e restaure uma cópia.",
    )
}
