//! The writer: plans, stores, publishes and answers the changes of many requests in one transaction.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::change::Change;
use super::clock::Clock;
use super::doubts::Doubts;
use super::group::WriteRequest;
use super::planner::Planner;
use super::replies::{refuse_all, send_all};
use super::result::{Outcome, WriteResult};
use super::store_refusals::{StoreRefusals, closed};
use super::{Recent, read};
use crate::catalog::{Catalog, LargeChange, ProductDraft, RequestId, Transaction};
use crate::metrics::Metrics;
use crate::operation::StoreState;
use crate::refusal::Refusal;
use crate::store::{Consequence, Lease, RecordedById, Role, Settled, Store, StoreError, Wait};

/// The time that a slice of a large change locks readers out of the catalog. No request may delay others by
/// more than a millisecond; the slice is shorter, because its last product may take longer and the thread
/// that holds the lock may lose its processor.
const SLICE: Duration = Duration::from_micros(200);

/// The time that readers have the catalog between two slices of a large change: a thread that waits for the
/// lock needs this long to wake, and would find the lock taken again if the next slice came sooner.
const BETWEEN_SLICES: Duration = Duration::from_micros(100);

/// The pause between two proofs of the store's content without a client that asks for a change: a proof reads
/// everything that is stored, and changes wait for it.
const PROVE_EVERY: Duration = Duration::from_secs(60);

/// The only user of the store, and the only one that changes the catalog.
pub(in crate::inventory) struct Writer {
    pub(super) catalog: Arc<RwLock<Catalog>>,
    /// The recent events, for watchers.
    pub(super) recent: Arc<Recent>,
    pub(super) store: Box<dyn Store>,
    refusals: StoreRefusals,
    pub(super) lease: Arc<Lease>,
    /// The first products of a new store, until it has them.
    pub(super) opening: Option<Vec<ProductDraft>>,
    clock: Clock,
    /// The number of the last import that is known to be stored. The planner finds the ones after it.
    imports_known: u64,
    /// A planned transaction that could not be stored without waiting, and the reason. The next commit begins
    /// with it.
    left: Option<(Planned, StoreError)>,
    /// The transaction of a failed commit, until the store has answered whether it is stored. Until then
    /// nothing else is written.
    pub(super) in_doubt: Option<Transaction>,
    /// The requests of transactions in doubt, until the store answers for every one.
    pub(in crate::inventory) doubts: Arc<Doubts>,
    /// Whether the log says already that the store cannot be settled, because every further change tries
    /// again.
    pub(super) has_logged: bool,
    /// The kind of refusal of the store that the log says already, until a change is stored.
    refusing: Option<&'static str>,
    /// The time of the last proof without a client that asked for a change.
    proved_at: Option<Instant>,
    pub(super) metrics: Arc<Metrics>,
}

/// A transaction that is planned and not stored yet, and the outcome of each change if the transaction is
/// stored.
struct Planned {
    transaction: Transaction,
    requests: Vec<WriteRequest>,
    outcomes: Vec<Vec<Outcome>>,
}

impl Planned {
    fn refuse(self, refusal: &Refusal) {
        let results = self.outcomes.iter().map(|each| WriteResult::refused(each.len(), refusal));
        let results = results.collect();
        send_all(self.requests, results);
    }
}

impl Writer {
    /// A writer of a store that is loaded. A new store gets its first products, if this server may write.
    ///
    /// # Errors
    /// If the store cannot be made, or not be read.
    pub(in crate::inventory) fn open(
        catalog: Arc<RwLock<Catalog>>,
        recent: Arc<Recent>,
        store: Box<dyn Store>,
        metrics: Arc<Metrics>,
        opening: Option<Vec<ProductDraft>>,
    ) -> Result<Self, StoreError> {
        let mut this = Self { opening, ..Self::new(catalog, recent, store, metrics) };
        match this.lease.role() {
            Role::Writes => this.create()?,
            Role::Elected => this.take_over()?,
            Role::StandsBy | Role::Leaves => this.metrics.store.set(StoreState::StandsBy),
        }
        Ok(this)
    }

    fn new(
        catalog: Arc<RwLock<Catalog>>,
        recent: Arc<Recent>,
        store: Box<dyn Store>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let clock = Clock::new(read(&catalog).last_time());
        let (lease, refusals) = (store.lease(), StoreRefusals::of(&*store));
        Self {
            catalog,
            recent,
            store,
            refusals,
            lease,
            opening: None,
            clock,
            imports_known: 0,
            left: None,
            in_doubt: None,
            doubts: Arc::default(),
            has_logged: false,
            refusing: None,
            proved_at: None,
            metrics,
        }
    }

    /// Lets the store free space, if the writer is free. A store that refused changes is tried again, so that
    /// its state is known although no client asks for a change.
    pub(super) fn tidy(&mut self) {
        // The committer is about to store what was left.
        if self.left.is_some() {
            return;
        }
        if !self.may_write() {
            return self.recent.announce();
        }
        match self.metrics.store.state() {
            // The failure is in the log already, and stays the last one.
            StoreState::InDoubt => drop(self.resolve()),
            StoreState::Refusing if self.probe().is_ok() => {
                self.metrics.store.set(StoreState::Open);
            }
            _ => {}
        }
        if self.is_free()
            && let Err(error) = self.store.tidy()
        {
            tracing::warn!(%error, "the store could not be tidied");
        }
        self.recent.announce();
    }

    /// Whether a transaction could begin now. If the times of the files were changed, the content is proved as
    /// for a change, but seldom.
    fn probe(&mut self) -> Result<(), StoreError> {
        match self.store.probe() {
            Err(StoreError::Rewritten { .. })
                if self.proved_at.is_none_or(|at| at.elapsed() >= PROVE_EVERY) =>
            {
                self.proved_at = Some(Instant::now());
                self.with_proof(|writer| writer.store.probe())
            }
            probed => probed,
        }
    }

    /// Closes the store. Nothing more is written.
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

    /// Whether a commit of these requests is likely to be quick.
    pub(super) fn is_quick(&self, requests: &[WriteRequest]) -> bool {
        let changes = requests.iter().flat_map(|request| &request.changes);
        self.store.is_quick(&changes.filter_map(Change::request_id).collect::<Vec<_>>())
    }

    /// Whether each commit waits for another machine.
    pub(super) fn commits_over_network(&self) -> bool {
        self.store.commits_over_network()
    }

    /// Commits the changes of some requests in one transaction, and answers all. If the commit would have to
    /// wait and `wait` forbids it, the planned transaction is left for the next call.
    pub(super) fn commit(&mut self, requests: Vec<WriteRequest>, wait: Wait) {
        self.commit_all(requests, wait);
        // The changes from before are made, and no commit is running, because this is the writer.
        if self.left.is_none() && self.lease.wants_to_leave() {
            self.lease.leave();
        }
        // The clients that wait for an answer come first.
        self.recent.announce();
    }

    fn commit_all(&mut self, requests: Vec<WriteRequest>, wait: Wait) {
        self.finish_left();
        if !self.lease.is_for_ever() && matches!(self.lease.role(), Role::StandsBy | Role::Leaves) {
            // Clients do not wait for what this server has to catch up.
            refuse_all(requests, &self.standing_by(), &self.doubts);
            if wait == Wait::ForOthers {
                self.may_write();
            }
            return;
        }
        let may_write = match wait {
            Wait::ForOthers => self.may_write(),
            Wait::Never => self.lease.is_for_ever() || self.lease.role() == Role::Writes,
        };
        if !may_write {
            return refuse_all(requests, &self.standing_by(), &self.doubts);
        }
        let Some(planned) = self.plan(requests) else { return };
        // Refusals follow from what this server knows. A commit proves that nobody else has written.
        if planned.transaction.is_empty() && !self.lease.is_trusted() {
            return planned.refuse(&self.standing_by());
        }
        match (self.store(&planned.transaction, wait), wait) {
            (Err(error), Wait::Never) => self.left = Some((planned, error)),
            (stored, _) => self.answer(planned, stored),
        }
    }

    /// Stores the transaction that was left, and answers it. The transaction follows the catalog as it is, so nothing
    /// else may be done before.
    fn finish_left(&mut self) {
        let Some((planned, error)) = self.left.take() else { return };
        let stored = match error {
            // Others may have stored something since, which the transaction does not know.
            StoreError::Busy { .. } | StoreError::Rewritten { .. } if self.lease.role() != Role::Writes => {
                return planned.refuse(&self.standing_by());
            }
            StoreError::Busy { .. } | StoreError::Rewritten { .. } => {
                self.store(&planned.transaction, Wait::ForOthers)
            }
            error => Err(error),
        };
        self.answer(planned, stored);
    }

    /// Plans a transaction, or refuses all requests if planning fails.
    fn plan(&mut self, mut requests: Vec<WriteRequest>) -> Option<Planned> {
        if let Err(error) = self.resolve() {
            refuse_all(requests, &self.refused(&error), &self.doubts);
            return None;
        }
        let changes: Vec<_> =
            requests.iter_mut().map(|request| std::mem::take(&mut request.changes)).collect();
        let counts: Vec<usize> = changes.iter().map(Vec::len).collect();
        match self.outcomes(changes) {
            Ok((outcomes, transaction)) => Some(Planned { transaction, requests, outcomes }),
            Err(refusal) => {
                send_all(
                    requests,
                    counts.into_iter().map(|count| WriteResult::refused(count, &refusal)).collect(),
                );
                None
            }
        }
    }

    /// Plans the changes of each request. Returns the outcome of each change if the transaction is stored.
    fn outcomes(&mut self, changes: Vec<Vec<Change>>) -> Result<(Vec<Vec<Outcome>>, Transaction), Refusal> {
        let request_ids: Vec<&RequestId> = changes.iter().flatten().filter_map(Change::request_id).collect();
        let recorded = self.recorded(&request_ids)?;
        self.doubts.clear();
        let id_count = request_ids.len();
        let catalog = read(&self.catalog);
        let (now, store) = (self.clock.now(), &mut *self.store);
        let mut planner = Planner::new(&catalog, now, store, &mut self.imports_known, id_count, recorded);
        let outcomes = changes
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
            self.note_refusing(&error);
            self.refused(&error)
        })
    }

    /// Runs `act` with the store. If the times of the store's files were changed, proves that the content is
    /// ours and runs `act` again.
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

    /// Makes a transaction durable, if it changes anything, and publishes it.
    fn store(&mut self, transaction: &Transaction, wait: Wait) -> Result<(), StoreError> {
        if !transaction.is_empty() {
            let begun = Instant::now();
            match wait {
                Wait::ForOthers => self.with_proof(|writer| writer.store.commit(transaction, wait))?,
                Wait::Never => self.store.commit(transaction, wait)?,
            }
            self.show(transaction);
            self.metrics.store.set(StoreState::Open);
            self.refusing = None;
            let changes = transaction.movements.len() + transaction.changes.len();
            self.metrics.commits.note(begun.elapsed(), changes);
        }
        Ok(())
    }

    /// Answers the requests of a transaction. If the commit failed, first finds out whether the transaction
    /// is stored.
    fn answer(&mut self, planned: Planned, stored: Result<(), StoreError>) {
        let Planned { transaction, requests, outcomes } = planned;
        let stored = match stored {
            Ok(()) => Ok(transaction),
            Err(error) => self.look_into(transaction, error),
        };
        let movements = stored.map(|transaction| Arc::new(transaction.movements));
        let results = outcomes.into_iter().map(|each| match &movements {
            Ok(movements) => WriteResult { each, movements: Arc::clone(movements) },
            Err(refusal) => WriteResult::refused(each.len(), refusal),
        });
        send_all(requests, results.collect());
    }

    /// Finds out whether a transaction whose commit failed is stored. If the store has recovered and the
    /// transaction is not stored, commits it once more. If it is stored in the end, publishes and returns it.
    fn look_into(
        &mut self,
        mut transaction: Transaction,
        mut error: StoreError,
    ) -> Result<Transaction, Refusal> {
        let mut may_repeat = true;
        loop {
            if let Some(refusal) = self.refusal(&error) {
                self.note_refusing(&error);
                return Err(refusal);
            }
            self.metrics.store.fail(error.kind(), StoreState::InDoubt);
            tracing::error!(%error, "a commit failed; the store is closed to writes and asked");
            self.in_doubt = Some(transaction);
            match self.resolve() {
                Ok(Some((stored, Settled::Stored))) => return Ok(stored),
                Ok(Some((again, Settled::Repeat))) if may_repeat => {
                    may_repeat = false;
                    match self.store(&again, Wait::ForOthers) {
                        Ok(()) => return Ok(again),
                        Err(next) => (transaction, error) = (again, next),
                    }
                }
                Ok(_) => return Err(self.refusals.not_stored()),
                Err(error) if error.consequence() == Consequence::Deposed => {
                    return Err(self.standing_by());
                }
                Err(_) => {
                    self.in_doubt.iter().for_each(|transaction| self.doubts.add(transaction));
                    return Err(self.refusals.outcome_unknown());
                }
            }
        }
    }

    /// Notes that the store refuses changes. The log says each kind of refusal once, because every client tries again.
    fn note_refusing(&mut self, error: &StoreError) {
        if self.refusing.replace(error.kind()) != Some(error.kind()) {
            tracing::warn!(%error, "the store refuses changes");
        }
        self.metrics.store.fail(error.kind(), StoreState::Refusing);
    }

    /// Asks the store whether the transaction in doubt is stored, if there is one. If so, publishes it. Returns
    /// the transaction with its fate.
    fn resolve(&mut self) -> Result<Option<(Transaction, Settled)>, StoreError> {
        let Some(transaction) = &self.in_doubt else { return Ok(None) };
        let settled = self.store.settle(Some(transaction)).inspect_err(|error| {
            if !std::mem::replace(&mut self.has_logged, true) {
                self.metrics.store.fail(error.kind(), StoreState::InDoubt);
                tracing::error!(%error, "the store could not be settled; it takes no changes");
            }
        });
        let settled = match settled {
            Err(error) if error.consequence() == Consequence::Deposed => {
                self.in_doubt = None;
                self.metrics.store.set(StoreState::StandsBy);
                return Err(error);
            }
            settled => settled?,
        };
        self.has_logged = false;
        self.metrics.store.set(StoreState::Open);
        tracing::warn!(?settled, "the store was settled and takes changes again");
        let Some(transaction) = self.in_doubt.take() else { return Ok(None) };
        if settled == Settled::Stored {
            self.show(&transaction);
        }
        Ok(Some((transaction, settled)))
    }

    /// The refusal of changes that cannot be planned after this error.
    fn refused(&self, error: &StoreError) -> Refusal {
        self.refusal(error).unwrap_or_else(|| self.refusals.since_a_failure())
    }

    /// The refusal of a transaction of which nothing was written; `None` if the error leaves it in doubt.
    fn refusal(&self, error: &StoreError) -> Option<Refusal> {
        match error.consequence() {
            Consequence::NotBegun(why) => Some(self.refusals.not_begun(why)),
            Consequence::Closed(why) => Some(closed(why)),
            Consequence::Deposed => Some(self.standing_by()),
            Consequence::InDoubt => None,
        }
    }

    /// Publishes a stored transaction. No other thread ever waits to change the catalog: while one waits, no
    /// new reader gets the lock, and a long read, as of a large change, would keep out all readers.
    pub(super) fn show(&self, transaction: &Transaction) {
        let catalog = || self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        if LargeChange::is_large(transaction) {
            let mut large = LargeChange::new(&read(&self.catalog), transaction);
            while large.go_on(&mut catalog(), SLICE) {
                std::thread::sleep(BETWEEN_SLICES);
            }
        } else {
            catalog().apply(transaction);
        }
        self.recent.add(&self.catalog, transaction);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Draft, Name, Price, ProductDraft, Quantity, TermsDraft};
    use crate::store::sqlite::SqliteStore;

    /// A price list that makes each product of another one cheaper or dearer, and adds as many.
    fn list(count: usize, centavos: i64) -> Vec<ProductDraft> {
        let row = |number| ProductDraft {
            name: Name::parse(&format!("P{number}")).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: None,
            opening_stock: Quantity::from_units(1),
            terms: TermsDraft::default(),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_store_that_refused_is_tried_again_without_a_client() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let mut store = SqliteStore::open(&path, 8082).unwrap();
        store.create(&Transaction::default()).unwrap();
        let metrics: Arc<Metrics> = Arc::default();
        let mut writer = Writer::new(Arc::default(), Arc::default(), Box::new(store), Arc::clone(&metrics));
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        metrics.store.fail("busy", StoreState::Refusing);
        writer.tidy();
        assert_eq!(metrics.store.state(), StoreState::Refusing);
        other.execute_batch("ROLLBACK").unwrap();
        writer.tidy();
        assert_eq!(metrics.store.state(), StoreState::Open);
        assert_eq!(metrics.store.last_error().unwrap().kind, "busy");
    }

    #[test]
    fn who_reads_while_an_import_is_shown_sees_all_of_it_or_nothing() {
        const COUNT: usize = 200;
        let catalog = Arc::new(RwLock::new(Catalog::default()));
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let writer = Writer::new(Arc::clone(&catalog), Arc::default(), store, Arc::default());
        let is_over = AtomicBool::new(false);
        let import = |count, centavos| {
            let catalog = read(&catalog);
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            draft.import(&list(count, centavos), None).unwrap();
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
