//! The writer: makes changes, many in one transaction (group commit).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::clock::Clock;
use super::group::{Change, WriteRequest};
use super::planner::{Planner, store_closed};
use super::read;
use super::replies::{Outcome, ReplyTo, WriteResult, answer_all};
use crate::catalog::{Catalog, LargeChange, RequestId, Transaction};
use crate::refusal::{Code, Refusal};
use crate::store::{RecordedById, Store, StoreError};

/// How long a large change keeps readers out of the catalog at a time: a part of the millisecond that no
/// request may hold others, because the last product of a slice may take longer, and a thread that has
/// the catalog may lose its processor.
const SLICE: Duration = Duration::from_micros(200);

/// How long readers have the catalog between two slices of a large change: a thread that waits for the
/// lock needs so long to wake, and finds it taken again if the next slice comes sooner.
const BETWEEN_SLICES: Duration = Duration::from_micros(100);

/// The only user of the store, and the only one who changes the catalog.
pub(super) struct Writer {
    catalog: Arc<RwLock<Catalog>>,
    store: Box<dyn Store>,
    clock: Clock,
    /// A transaction that could not be made at once, and why. It is the next.
    left: Option<(Planned, StoreError)>,
    /// The changes of a failed commit, until the store has told whether they are in it.
    /// Until then it is closed to writes.
    in_doubt: Option<Transaction>,
    /// It was logged that the store cannot be asked: once, for each change asks it again.
    has_told: bool,
}

impl Writer {
    pub(super) fn new(catalog: Arc<RwLock<Catalog>>, store: Box<dyn Store>) -> Self {
        let clock = Clock::new(read(&catalog).last_recorded_at());
        Self { catalog, store, clock, left: None, in_doubt: None, has_told: false }
    }

    /// Lets the store give back room, if nothing is left from before and the store is ready.
    pub(super) fn tidy(&mut self) {
        if self.is_free()
            && let Err(error) = self.store.tidy()
        {
            tracing::warn!(%error, "the store could not be tidied");
        }
    }

    /// Closes the store: nothing more is written.
    ///
    /// # Errors
    /// If [`Store::close`] fails.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        if self.in_doubt.is_none() { self.with_proof(|writer| writer.store.close()) } else { Ok(()) }
    }

    /// Whether nothing is left from before, and the store is ready.
    pub(super) fn is_free(&self) -> bool {
        self.left.is_none() && self.in_doubt.is_none() && self.store.is_ready()
    }

    /// Makes the changes of some requests, and answers all.
    pub(super) fn commit(&mut self, requests: Vec<WriteRequest>) {
        if let Some((planned, error)) = self.left.take() {
            let Planned { changes, waiting } = planned;
            let stored = match error {
                // Now it may last.
                StoreError::Busy { .. } | StoreError::Rewritten { .. } => self.store(changes),
                error => self.look_into(changes, error),
            };
            waiting.answer(stored);
        }
        if let Some(Planned { changes, waiting }) = self.plan(requests) {
            let stored = self.store(changes);
            waiting.answer(stored);
        }
    }

    /// The same, if it can be done at once. If not, it is left for [`Writer::commit`].
    pub(super) fn commit_at_once(&mut self, requests: Vec<WriteRequest>) {
        let Some(planned) = self.plan(requests) else { return };
        match self.store_with(&planned.changes, |store, changes| store.commit_at_once(changes)) {
            Ok(()) => planned.waiting.answer(Ok(planned.changes)),
            Err(error) => self.left = Some((planned, error)),
        }
    }

    /// Checks every change of a transaction. Where that cannot be done, all are refused.
    fn plan(&mut self, requests: Vec<WriteRequest>) -> Option<Planned> {
        let (submitted, reply_tos): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.changes, request.reply_to)).unzip();
        let counts: Vec<usize> = submitted.iter().map(Vec::len).collect();
        match self.outcomes(submitted) {
            Ok((outcomes, changes)) => Some(Planned { changes, waiting: Waiting { reply_tos, outcomes } }),
            Err(refusal) => {
                let refused = |count| WriteResult::refused(count, &refusal);
                answer_all(reply_tos, counts.into_iter().map(refused).collect());
                None
            }
        }
    }

    /// What becomes of each change if those that follow the rules are stored, and these.
    fn outcomes(&mut self, submitted: Vec<Vec<Change>>) -> Result<(Vec<Vec<Outcome>>, Transaction), Refusal> {
        self.resolve().map_err(|_| store_closed())?;
        let request_ids: Vec<&RequestId> =
            submitted.iter().flatten().filter_map(Change::request_id).collect();
        let recorded = self.recorded(&request_ids)?;
        let id_count = request_ids.len();
        let catalog = read(&self.catalog);
        let mut planner = Planner::new(&catalog, self.clock.now(), &mut *self.store, id_count, recorded);
        let outcomes = submitted
            .into_iter()
            .map(|changes| changes.into_iter().map(|change| planner.plan(&change)).collect())
            .collect();
        Ok((outcomes, planner.finish()))
    }

    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, Refusal> {
        if request_ids.is_empty() {
            return Ok(RecordedById::default());
        }
        self.with_proof(|writer| writer.store.recorded(request_ids)).map_err(|error| {
            tracing::error!(%error, "request ids could not be looked up");
            store_closed()
        })
    }

    /// Makes changes durable, shows and returns them; or says what became of them.
    fn store(&mut self, changes: Transaction) -> Result<Transaction, Refusal> {
        let commit = |store: &mut dyn Store, changes: &Transaction| store.commit(changes);
        match self.with_proof(|writer| writer.store_with(&changes, commit)) {
            Ok(()) => Ok(changes),
            Err(error) => self.look_into(changes, error),
        }
    }

    /// Does this with the store. If the store's times were changed, proves that its content is ours and does it
    /// again.
    fn with_proof<T>(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match act(self) {
            Err(StoreError::Rewritten { .. }) => {
                self.store.prove(&read(&self.catalog))?;
                act(self)
            }
            done => done,
        }
    }

    /// Makes changes durable in this way, if there are any, and shows them.
    fn store_with(
        &mut self,
        changes: &Transaction,
        commit: impl FnOnce(&mut dyn Store, &Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if !changes.is_empty() {
            commit(&mut *self.store, changes)?;
            self.show(changes);
        }
        Ok(())
    }

    /// Says what became of changes whose transaction failed. If they are stored after all, they
    /// are shown and returned.
    fn look_into(&mut self, changes: Transaction, error: StoreError) -> Result<Transaction, Refusal> {
        if let Some(why) = error.why_not_begun() {
            tracing::warn!(%error, "a transaction could not begin");
            return Err(not_begun(why));
        }
        tracing::error!(%error, "a commit failed; the store is closed to writes and asked");
        self.in_doubt = Some(changes);
        match self.resolve() {
            Ok(Some(changes)) => Ok(changes),
            Ok(None) => Err(not_stored()),
            Err(_) => Err(outcome_unknown()),
        }
    }

    /// Asks the store what became of changes in doubt, if there are any. Returns them if they
    /// are stored; they are then shown.
    fn resolve(&mut self) -> Result<Option<Transaction>, StoreError> {
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

    /// Shows changes. Nobody else may wait to change the catalog, because who reads it at length, as
    /// for a large change, would then keep out everybody who reads.
    fn show(&self, changes: &Transaction) {
        let catalog = || self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        if !LargeChange::is_large(changes) {
            return catalog().apply(changes);
        }
        let mut large = LargeChange::new(&read(&self.catalog), changes);
        while large.go_on(&mut catalog(), SLICE) {
            std::thread::sleep(BETWEEN_SLICES);
        }
    }
}

/// A transaction that is checked and not stored yet.
struct Planned {
    changes: Transaction,
    waiting: Waiting,
}

/// Who waits for a transaction, and what each is answered once it is stored.
struct Waiting {
    reply_tos: Vec<ReplyTo>,
    outcomes: Vec<Vec<Outcome>>,
}

impl Waiting {
    fn answer(self, stored: Result<Transaction, Refusal>) {
        let movements = stored.map(|changes| Arc::new(changes.movements));
        let answers = self.outcomes.into_iter().map(|each| match &movements {
            Ok(movements) => WriteResult { each, movements: Arc::clone(movements) },
            Err(refusal) => WriteResult::refused(each.len(), refusal),
        });
        answer_all(self.reply_tos, answers.collect());
    }
}

fn not_begun(why: &str) -> Refusal {
    Refusal::new(
        Code::Unavailable,
        format!(
            "{why}. Nada foi alterado; as consultas continuam. Avise quem cuida do servidor, e tente de novo depois."
        ),
    )
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Draft, Name, Price, ProductDraft, Quantity};
    use crate::store::sqlite::SqliteStore;

    /// A price list that makes each product of another one cheaper or dearer, and adds as many.
    fn list(count: usize, centavos: i64) -> Vec<ProductDraft> {
        let row = |number| ProductDraft {
            name: Name::parse(&format!("P{number}")).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: None,
            opening_stock: Quantity::from_units(1),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn who_reads_while_an_import_is_shown_sees_all_of_it_or_nothing() {
        const COUNT: usize = 2000;
        let catalog = Arc::new(RwLock::new(Catalog::default()));
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let writer = Writer::new(Arc::clone(&catalog), store);
        let is_over = AtomicBool::new(false);
        let import = |count, centavos| {
            let catalog = read(&catalog);
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            draft.import(&list(count, centavos)).unwrap();
            draft.finish()
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Acquire) {
                    let catalog = read(&catalog);
                    let prices: HashSet<i64> =
                        catalog.products().iter().map(|product| product.price.centavos()).collect();
                    assert!(prices.len() <= 1, "{prices:?}");
                    let count = prices.into_iter().next().unwrap_or(0) as usize * COUNT;
                    assert_eq!(catalog.products().len(), count);
                    assert_eq!(catalog.id_of(&format!("P{count}")), None);
                }
            });
            for times in 1..=5 {
                writer.show(&import(times * COUNT, times as i64));
            }
            is_over.store(true, Ordering::Release);
        });
        let catalog = read(&catalog);
        assert_eq!(catalog.find(&format!("P{}", 5 * COUNT - 1)).unwrap().price.centavos(), 5);
    }
}
