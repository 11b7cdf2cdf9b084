//! The writer: makes changes, many in one transaction (group commit).

use std::sync::{Arc, PoisonError, RwLock};

use super::planner::{Planner, store_closed};
use super::read;
use super::submission::{Answers, Change, Outcome, Submission, answer_all};
use crate::catalog::{Catalog, Changes, Movement, RequestId};
use crate::request::{Code, Refusal};
use crate::store::{RecordedById, Store, StoreError};

/// The only user of the store, and the only one who changes the catalog.
pub(super) struct Writer {
    catalog: Arc<RwLock<Catalog>>,
    store: Box<dyn Store>,
    /// The changes of a failed commit, until the store has told whether they are in it.
    /// Until then it is closed to writes.
    in_doubt: Option<Changes>,
    /// It was logged that the store cannot be asked: once, for each change asks it again.
    has_told: bool,
}

impl Writer {
    pub(super) fn new(catalog: Arc<RwLock<Catalog>>, store: Box<dyn Store>) -> Self {
        Self { catalog, store, in_doubt: None, has_told: false }
    }

    /// Nothing more is written.
    pub(super) fn close(mut self) {
        if self.in_doubt.is_none()
            && let Err(error) = self.store.close()
        {
            tracing::warn!(%error, "the next start reads more of the ledger");
        }
    }

    /// Makes the changes of some submissions, and answers all.
    pub(super) fn commit(&mut self, batch: Vec<Submission>) {
        let (changes, askers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|submission| (submission.changes, submission.asker)).unzip();
        let counts: Vec<usize> = changes.iter().map(Vec::len).collect();
        let answers = match self.make(changes) {
            Ok((each, movements)) => {
                let movements = Arc::new(movements);
                let with_movements = |each| Answers { each, movements: Arc::clone(&movements) };
                each.into_iter().map(with_movements).collect()
            }
            Err(refusal) => counts.into_iter().map(|count| Answers::refused(count, &refusal)).collect(),
        };
        answer_all(askers, answers);
    }

    /// One transaction: checks every change, stores those that follow the rules, shows them.
    /// Returns what became of each, or why none was made.
    fn make(&mut self, submitted: Vec<Vec<Change>>) -> Result<(Vec<Vec<Outcome>>, Vec<Movement>), Refusal> {
        self.resolve().map_err(|_| store_closed())?;
        let request_ids: Vec<&RequestId> =
            submitted.iter().flatten().filter_map(Change::request_id).collect();
        let recorded = self.recorded(&request_ids)?;
        let id_count = request_ids.len();
        let (outcomes, changes) = {
            let catalog = read(&self.catalog);
            let mut planner = Planner::new(&catalog, &mut *self.store, id_count, recorded);
            let outcomes = submitted
                .into_iter()
                .map(|changes| changes.into_iter().map(|change| planner.plan(change)).collect())
                .collect();
            (outcomes, planner.finish())
        };
        Ok((outcomes, self.store(changes)?.movements))
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, Refusal> {
        if request_ids.is_empty() {
            return Ok(RecordedById::default());
        }
        self.store.recorded(request_ids).map_err(|error| {
            tracing::error!(%error, "request ids could not be looked up");
            store_closed()
        })
    }

    /// Makes changes durable, shows and returns them; or says what became of them.
    fn store(&mut self, changes: Changes) -> Result<Changes, Refusal> {
        if changes.is_empty() {
            return Ok(changes);
        }
        match self.store.commit(&changes) {
            Ok(()) => {
                self.show(&changes);
                Ok(changes)
            }
            // These come before anything was written.
            Err(
                error @ (StoreError::Busy { .. }
                | StoreError::Moved { .. }
                | StoreError::Cut { .. }
                | StoreError::Unlocked { .. }),
            ) => {
                tracing::warn!(%error, "a transaction could not begin");
                Err(Refusal::new(Code::Unavailable, format!("{error}.")))
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; the store is closed to writes and asked");
                self.in_doubt = Some(changes);
                match self.resolve() {
                    Ok(Some(changes)) => Ok(changes),
                    Ok(None) => Err(not_stored()),
                    Err(_) => Err(outcome_unknown()),
                }
            }
        }
    }

    /// Asks the store what became of changes in doubt, if there are any. Returns them if they
    /// are stored; they are then shown.
    fn resolve(&mut self) -> Result<Option<Changes>, StoreError> {
        let Some(changes) = &self.in_doubt else { return Ok(None) };
        let is_stored = self.store.reopen(changes).inspect_err(|error| {
            if !std::mem::replace(&mut self.has_told, true) {
                tracing::error!(%error, "the store could not be reopened; it takes no changes");
            }
        })?;
        self.has_told = false;
        tracing::warn!(is_stored, "the store was reopened and takes changes again");
        let stored = self.in_doubt.take().filter(|_| is_stored);
        if let Some(changes) = &stored {
            self.show(changes);
        }
        Ok(stored)
    }

    fn show(&self, changes: &Changes) {
        self.catalog.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
    }
}

fn not_stored() -> Refusal {
    Refusal::new(
        Code::Unavailable,
        "a gravação falhou. Nada foi alterado; confira o disco e o que o servidor mostrou, e tente de novo.",
    )
}

pub(super) fn outcome_unknown() -> Refusal {
    Refusal::new(
        Code::OutcomeUnknown,
        "a gravação falhou e não se sabe se a mudança foi feita. \
         Confira o disco e o que o servidor mostrou, e repita com o mesmo identificador de pedido (id=).",
    )
}
