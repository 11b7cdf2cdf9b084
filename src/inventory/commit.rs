//! Group commit with a movable leader: the path of every change to the disk and back.
//!
//! 1. A session plans nothing: it queues a write request with its worker ([`queue`]).
//! 2. When the worker has nothing else to do, the scheduler decides ([`scheduler`]).
//! 3. Mostly the worker commits its queue as one group, on its own thread.
//! 4. If clients that only read would wait for that, or the group is large, or several workers have
//!    requests, the worker hands the queue to the committer thread instead ([`committer`]).
//! 5. Whoever commits holds the one writer ([`writer`]). Nobody else changes the catalog or uses the
//!    store.
//! 6. The writer plans every change of the group in order, by the rules of the catalog ([`planner`]).
//! 7. The writer makes all permitted changes durable in one transaction, and publishes them.
//! 8. The writer sends every result to the worker of its client ([`replies`]).
//! 9. The worker's driver hands the results out, in turns, and each session answers its client.
//! 10. Backpressure: while too many requests wait, further ones are not queued, so memory and waits stay
//!     bounded.
//!
//! ```text
//!  worker 1   sessions ──▶ write queue ──┬── CommitHere ───────────────────┐
//!      ▲                                 └── HandToCommitter ──▶ committer ─┤
//!  worker 2   sessions ──▶ write queue ──┬── HandToCommitter ────▲          │
//!      ▲                                 └── CommitHere ───────────────────┤
//!      │                                                                    ▼
//!      │                                                             the one writer
//!      └──── results ◀── reply ◀── publish ◀── one transaction ◀── plan ◀───┘
//! ```

mod activity;
mod change;
mod clock;
mod committer;
mod doubts;
mod group;
mod planner;
mod queue;
mod replies;
mod result;
mod scheduler;
mod standing;
mod store_refusals;
mod writer;

use super::recent::Recent;
use super::{read, stopped};
pub(super) use activity::ClientState;
pub(super) use change::{Change, CountLine, Signed, WantedImport};
pub use committer::Committer;
pub(super) use committer::CommitterHandle;
pub(super) use doubts::Doubts;
pub(super) use planner::{refuse_existing, refuse_rows};
pub use queue::CommitDriver;
pub(super) use queue::WriteQueue;
pub(super) use result::{Applied, Counted, ImportResult, UndoneParts, WriteResult};
pub(super) use standing::standing_by;
pub(super) use writer::Writer;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use tokio::runtime::Runtime;

    use super::super::testing::{asked, code, open, stock};
    use super::super::{Inventory, Worker};
    use super::*;
    use crate::catalog::{Catalog, Movement, Quantity, RequestId, Transaction, original_products};
    use crate::operation::{BatchRequest, StoreState};
    use crate::refusal::Code;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{LedgerRow, RecordedById, Settled, Store, StoreError, Wait};

    /// The fault of a store under test.
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        None,
        /// A commit fails before anything is stored.
        Before,
        /// A commit fails after everything is stored.
        After,
        /// A commit fails, and the store cannot be settled.
        Gone,
        /// No commit fails, but the ledger lacks a row.
        Lossy,
        /// The store must be opened again before its next use.
        Unready,
        /// The store panics.
        Defect,
        /// None, but the store is over a network.
        Near,
        /// The store is over a network, and no commit is likely to be quick.
        Far,
        /// The store is over a network, and refuses what does not wait.
        Busy,
    }

    thread_local! {
        /// The commits on this thread.
        static COMMITS: Cell<usize> = const { Cell::new(0) };
    }

    /// A store that fails on demand.
    struct Failing(SqliteStore, Arc<Mutex<Fault>>);

    impl Store for Failing {
        fn load(&mut self) -> Result<Option<Catalog>, StoreError> {
            self.0.load()
        }
        fn create(&mut self, opening: &Transaction) -> Result<(), StoreError> {
            self.0.create(opening)
        }
        fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError> {
            self.0.recorded(request_ids)
        }
        fn rows(&mut self, first_sequence: i64, count: usize) -> Result<Vec<LedgerRow>, StoreError> {
            let mut rows = self.0.rows(first_sequence, count + 1)?;
            if *self.1.lock().unwrap() == Fault::Lossy {
                rows.remove(1);
            }
            rows.truncate(count);
            Ok(rows)
        }
        fn movements_back(
            &mut self,
            last: i64,
            after: i64,
            count_max: usize,
        ) -> Result<Vec<Movement>, StoreError> {
            self.0.movements_back(last, after, count_max)
        }
        fn prove(&mut self, catalog: &Catalog) -> Result<(), StoreError> {
            self.0.prove(catalog)
        }
        fn probe(&mut self) -> Result<(), StoreError> {
            self.0.probe()
        }
        fn tidy(&mut self) -> Result<(), StoreError> {
            self.0.tidy()
        }
        fn commits_over_network(&self) -> bool {
            matches!(*self.1.lock().unwrap(), Fault::Near | Fault::Far | Fault::Busy)
        }
        fn is_quick(&self, _: &[&RequestId]) -> bool {
            *self.1.lock().unwrap() != Fault::Far
        }
        fn is_ready(&self) -> bool {
            *self.1.lock().unwrap() != Fault::Unready && self.0.is_ready()
        }
        fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError> {
            COMMITS.set(COMMITS.get() + 1);
            let fault = *self.1.lock().unwrap();
            assert!(fault != Fault::Defect, "a defect, as the test demands");
            if fault == Fault::Busy && wait == Wait::Never {
                return Err(StoreError::Busy { path: "teste".into() });
            }
            if !matches!(fault, Fault::Before | Fault::Gone) {
                self.0.commit(changes, wait)?;
            }
            if matches!(fault, Fault::Before | Fault::After | Fault::Gone) { Err(failure()) } else { Ok(()) }
        }
        fn ledger(&self) -> Arc<dyn crate::store::Ledger> {
            self.0.ledger()
        }
        fn close(&mut self) -> Result<(), StoreError> {
            self.0.close()
        }
        fn settle(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError> {
            if *self.1.lock().unwrap() == Fault::Gone { Err(failure()) } else { self.0.settle(in_doubt) }
        }
    }

    fn failure() -> StoreError {
        StoreError::Corrupt { path: "teste".into(), reason: "falha pedida".into() }
    }

    #[tokio::test]
    async fn a_batch_whose_movements_are_lost_has_no_short_answer() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (session, _committer) = open(store, &original_products());
        let batch = || BatchRequest {
            adjustments: vec![asked("Caju 1"), asked("Pera 1"), asked("Maca 1")],
            request_id: Some("lote".parse().unwrap()),
        };
        let first = session.adjust_together(batch()).await.unwrap();
        // The batch is first the end of the ledger; then a row of another change follows it.
        for _ in 0..2 {
            *fault.lock().unwrap() = Fault::Lossy;
            assert_eq!(session.adjust_together(batch()).await.unwrap_err().code, Code::Internal);
            *fault.lock().unwrap() = Fault::None;
            assert_eq!(session.adjust_together(batch()).await.unwrap(), first);
            session.adjust(asked("Caju 1")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_is_gone() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (session, committer) = open(store, &original_products());
        session.adjust(asked("Caju 1")).await.unwrap();
        *fault.lock().unwrap() = Fault::Defect;
        assert_eq!(code(session.adjust(asked("Caju 1")).await), Code::OutcomeUnknown);
        // More requests than may wait are refused, too.
        for _ in 0..=committer::WAITING_MAX {
            assert_eq!(code(session.adjust(asked("Caju 1")).await), Code::Internal);
        }
        assert_eq!(stock(&session, "caju"), Quantity::from_units(61));
        drop(session);
        committer.join().unwrap();
    }

    /// A worker on this thread, and the runtime that serves its clients.
    fn serving(inventory: &Inventory) -> (Worker, Runtime) {
        let (worker, driver) = inventory.worker(true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(driver.before_sleep())
            .build()
            .unwrap();
        runtime.spawn(driver.run());
        (worker, runtime)
    }

    #[test]
    fn a_worker_commits_itself_if_nothing_is_wrong() {
        let fault = Arc::new(Mutex::new(Fault::None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loja.db");
        let store = Failing(SqliteStore::open(&path, 8082).unwrap(), Arc::clone(&fault));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let (worker, runtime) = serving(&inventory);
        let (till, reader) = (worker.session(), worker.session());
        let change = || runtime.block_on(till.adjust(asked("Caju 1")));
        // The till reads between its changes until a change is committed on this thread.
        let until_own = || {
            let made = COMMITS.get();
            let begun = Instant::now();
            while COMMITS.get() == made {
                assert!(begun.elapsed().as_secs() < 30, "no change was made on this thread");
                let stock_before = stock(&till, "caju");
                let stock_after = change().unwrap().product.stock;
                assert_eq!(stock_after.thousandths(), stock_before.thousandths() + 1000);
            }
        };
        change().unwrap();
        until_own();
        // The worker does not commit while another client reads, and commits again afterwards.
        let made = COMMITS.get();
        stock(&reader, "caju");
        change().unwrap();
        assert_eq!(COMMITS.get(), made);
        until_own();
        // If the worker's commit fails, the committer finds out what became of the change.
        for (trouble, expected) in [
            (Fault::Before, Err(Code::Unavailable)),
            (Fault::After, Ok(())),
            (Fault::Gone, Err(Code::OutcomeUnknown)),
        ] {
            loop {
                until_own();
                let made = COMMITS.get();
                *fault.lock().unwrap() = trouble;
                let answer = change().map(drop).map_err(|refusal| refusal.code);
                *fault.lock().unwrap() = Fault::None;
                assert_eq!(answer, expected);
                if COMMITS.get() > made {
                    break;
                }
            }
        }
        // The worker does not open the store again, which waits for other programs; the committer does.
        for request_id in ["", " id=novo"] {
            until_own();
            let made = COMMITS.get();
            *fault.lock().unwrap() = Fault::Unready;
            runtime.block_on(till.adjust(asked(&format!("Caju 1{request_id}")))).unwrap();
            *fault.lock().unwrap() = Fault::None;
            assert_eq!(COMMITS.get(), made);
        }
        // The worker does not wait for another program, so its clients do not either; the committer waits.
        let other = rusqlite::Connection::open(&path).unwrap();
        loop {
            until_own();
            let made = COMMITS.get();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            let begun = Instant::now();
            let looked_at = async {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                stock(&reader, "caju");
                other.execute_batch("ROLLBACK").unwrap();
            };
            let (answer, ()) =
                runtime.block_on(async { tokio::join!(till.adjust(asked("Caju 1")), looked_at) });
            answer.unwrap();
            assert!(begun.elapsed() < std::time::Duration::from_secs(3));
            if COMMITS.get() > made {
                break;
            }
        }
        // The worker outlives a defect of the store.
        until_own();
        let stock_before = stock(&till, "caju");
        *fault.lock().unwrap() = Fault::Defect;
        assert_eq!(code(change()), Code::OutcomeUnknown);
        assert_eq!(code(change()), Code::Internal);
        assert_eq!(stock(&till, "caju"), stock_before);
        drop((inventory, worker, till, reader, runtime));
        committer.join().unwrap();
    }

    #[test]
    fn over_a_network_a_worker_commits_a_lone_change_that_is_likely_to_be_quick() {
        let fault = Arc::new(Mutex::new(Fault::Near));
        let store = Failing(SqliteStore::in_memory().unwrap(), Arc::clone(&fault));
        let (inventory, committer) = Inventory::open(Box::new(store), &original_products()).unwrap();
        let (worker, runtime) = serving(&inventory);
        let (till, other) = (worker.session(), worker.session());
        let sell = async |till: &super::super::Session| till.adjust(asked("Caju 1")).await.map(drop).unwrap();
        let mut sold = 0;
        // A client counts as one that changes something for a while, so the other one is forgotten after some rounds.
        let mut until_own = || {
            let (made, begun) = (COMMITS.get(), Instant::now());
            while COMMITS.get() == made {
                assert!(begun.elapsed().as_secs() < 30, "no change was made on this thread");
                runtime.block_on(sell(&till));
                sold += 1;
            }
            assert_eq!(stock(&till, "caju"), Quantity::from_units(60 + sold));
        };
        until_own();
        // If the worker's commit cannot begin, or its answer is lost, the committer goes on with it.
        for trouble in [Fault::Busy, Fault::After] {
            *fault.lock().unwrap() = trouble;
            until_own();
        }
        *fault.lock().unwrap() = Fault::Near;
        until_own();
        let made = COMMITS.get();
        runtime.block_on(async { tokio::join!(sell(&till), sell(&other)) });
        let batch = BatchRequest { adjustments: vec![asked("Pera 1"), asked("Maca 1")], request_id: None };
        runtime.block_on(till.adjust_together(batch)).unwrap();
        *fault.lock().unwrap() = Fault::Far;
        for _ in 0..10 {
            runtime.block_on(sell(&till));
        }
        assert_eq!(COMMITS.get(), made, "a worker waited for the network");
        assert_eq!(stock(&till, "caju"), Quantity::from_units(72 + sold));
        drop((inventory, worker, till, other, runtime));
        committer.join().unwrap();
    }

    #[tokio::test]
    async fn a_failed_commit_is_in_doubt_until_the_store_has_answered() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Arc::new(Mutex::new(Fault::None));
        let store = SqliteStore::open(&folder.path().join("loja.db"), 8082).unwrap();
        let store = Failing(store, Arc::clone(&fault));
        let (session, _committer) = open(store, &original_products());
        let set = |next| *fault.lock().unwrap() = next;

        set(Fault::Before);
        assert_eq!(code(session.adjust(asked("Caju -20 id=a")).await), Code::Unavailable);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(60));
        set(Fault::After);
        assert_eq!(session.adjust(asked("Caju -20 id=a")).await.unwrap().movement.sequence, 5);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(40));
        set(Fault::Gone);
        // Of a request in doubt nobody hears that nothing was changed, however often it is repeated.
        for _ in 0..2 {
            assert_eq!(code(session.adjust(asked("Caju -20 id=b")).await), Code::OutcomeUnknown);
        }
        assert_eq!(code(session.adjust(asked("Caju -20 id=c")).await), Code::Unavailable);
        let health = &session.metrics().store;
        assert_eq!((health.state(), health.last_error().unwrap().kind), (StoreState::InDoubt, "corrupt"));
        // Reads still see the last durable state.
        assert_eq!(stock(&session, "caju"), Quantity::from_units(40));
        set(Fault::None);
        assert_eq!(session.adjust(asked("Caju -20 id=b")).await.unwrap().movement.sequence, 6);
        assert_eq!(session.adjust(asked("Caju -20 id=a")).await.unwrap().movement.sequence, 5);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(20));
        assert_eq!(health.state(), StoreState::Open);
        let commits = &session.metrics().commits;
        assert_eq!((commits.changes.snapshot().sum, commits.durations.snapshot().count), (1, 1));
    }
}
