//! Reads of the ledger, which may wait for the disk and so run on blocking threads, a few at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::{Code, Refusal};
use crate::store::{Consequence, Ledger, StoreError};

/// The most reads of the ledger at one time, over all connections: one for each of the store's connections,
/// less two that its own work may take. Each read has a thread.
const READS_MAX: usize = 2;

/// The most reads that wait for their turn. Each read takes a millisecond or two, so none waits for long.
const WAITING_READS_MAX: usize = 1024;

/// The most reports that are made at one time, over all connections. A report takes many reads, between which it
/// holds all that it has found: some megabytes.
const REPORTS_MAX: usize = 4;

/// The most reports that wait for their turn.
const WAITING_REPORTS_MAX: usize = 1024;

/// The ledger behind queues of reads and of reports. Cheap to clone.
#[derive(Clone)]
pub(super) struct LedgerReads {
    ledger: Arc<dyn Ledger>,
    reads: Queue,
    reports: Queue,
}

/// A few that run, and a limited number that wait.
#[derive(Clone)]
struct Queue {
    running: Arc<Semaphore>,
    /// The places of all that run or wait.
    places: Arc<Semaphore>,
}

/// A turn in a queue, with its place.
pub(super) struct Turn {
    _running: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
}

impl Queue {
    fn new(running_max: usize, waiting_max: usize) -> Self {
        let places = Semaphore::new(running_max + waiting_max);
        Self { running: Arc::new(Semaphore::new(running_max)), places: Arc::new(places) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// If too many wait (`RESOURCE_EXHAUSTED`).
    async fn turn(&self) -> Result<Turn, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| too_many())?;
        // The semaphore is never closed.
        Ok(Turn { _running: Arc::clone(&self.running).acquire_owned().await.ok(), _place: place })
    }
}

impl LedgerReads {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        let reports = Queue::new(REPORTS_MAX, WAITING_REPORTS_MAX);
        Self { ledger, reads: Queue::new(READS_MAX, WAITING_READS_MAX), reports }
    }

    /// Waits for the turn of a report, which ends when the turn is dropped.
    ///
    /// # Errors
    /// If too many reports wait (`RESOURCE_EXHAUSTED`).
    pub(super) async fn report(&self) -> Result<Turn, Refusal> {
        self.reports.turn().await
    }

    /// Runs a read on a blocking thread, when its turn comes. If the client leaves, the read still runs to
    /// its end and counts until then.
    ///
    /// # Errors
    /// If too many reads wait (`RESOURCE_EXHAUSTED`), or the store cannot be read (`UNAVAILABLE`).
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.reads.turn().await?;
        let ledger = Arc::clone(&self.ledger);
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(&*ledger)
        });
        match read.await {
            Ok(answer) => answer.map_err(|error| unreadable(&error)),
            Err(error) => {
                tracing::error!(%error, "a read of the ledger ended in the middle");
                let what = "o histórico não pôde ser lido por causa de um defeito. Nada foi alterado; guarde o \
                            log do servidor.";
                Err(Refusal::new(Code::Internal, what))
            }
        }
    }
}

fn too_many() -> Refusal {
    let what = "há consultas demais ao histórico. Nada foi alterado; tente de novo daqui a pouco.";
    Refusal::new(Code::ResourceExhausted, what)
}

/// The refusal of a read that failed. The details, with the path, appear only in the log.
fn unreadable(error: &StoreError) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "the ledger could not be read");
    let why = match error.consequence() {
        Consequence::NotBegun(why) | Consequence::Closed(why) => why,
        Consequence::InDoubt | Consequence::Deposed => "a causa está no log do servidor",
    };
    let what =
        format!("o histórico não pôde ser lido: {why}. Nada foi alterado; tente de novo daqui a pouco.");
    Refusal::new(Code::Unavailable, what)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use tokio::task::JoinSet;

    use super::*;
    use crate::store::Store as _;
    use crate::store::sqlite::SqliteStore;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn reads() -> LedgerReads {
        let mut store = SqliteStore::in_memory().unwrap();
        assert!(store.load().unwrap().is_none());
        LedgerReads::new(store.ledger())
    }

    #[tokio::test]
    async fn few_reads_run_at_one_time() {
        let reads = reads();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel();
        let ends = Arc::new(Mutex::new(ends));
        let count = 8 * READS_MAX;
        let mut all = JoinSet::new();
        for _ in 0..count {
            let (reads, running, most) = (reads.clone(), Arc::clone(&running), Arc::clone(&most));
            let (begun, ends) = (begun.clone(), Arc::clone(&ends));
            all.spawn(async move {
                let read = reads.read(move |_| {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    begun.send(()).unwrap();
                    ends.lock().unwrap().recv_timeout(PATIENCE).unwrap();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                });
                read.await.unwrap();
            });
        }
        let ending = tokio::task::spawn_blocking(move || {
            for _ in 0..count {
                begins.recv_timeout(PATIENCE).unwrap();
                end.send(()).unwrap();
            }
        });
        all.join_all().await;
        ending.await.unwrap();
        assert!(most.load(Ordering::SeqCst) <= READS_MAX, "{most:?}");
    }

    #[tokio::test]
    async fn a_read_too_many_is_refused_and_those_before_it_are_answered() {
        let reads = reads();
        let (end, ends) = mpsc::channel::<()>();
        let ends = Arc::new(Mutex::new(ends));
        let mut all = JoinSet::new();
        for _ in 0..READS_MAX + WAITING_READS_MAX {
            let (reads, ends) = (reads.clone(), Arc::clone(&ends));
            all.spawn(async move {
                let wait = move |_: &dyn Ledger| {
                    let _ = ends.lock().unwrap().recv_timeout(PATIENCE);
                    Ok(())
                };
                reads.read(wait).await.is_ok()
            });
        }
        let all_wait = async {
            while reads.reads.places.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all_wait).await.unwrap();
        let refused = reads.read(|_| Ok(())).await.unwrap_err();
        assert_eq!(refused.code, Code::ResourceExhausted);
        drop(end);
        assert!(all.join_all().await.into_iter().all(|is_answered| is_answered));
        assert_eq!(reads.read(|_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_read_that_fails_or_ends_in_the_middle_shows_no_path_and_leaves_its_turn() {
        let reads = reads();
        for _ in 0..2 * READS_MAX {
            let error = || StoreError::Busy { path: "/srv/loja.db".to_owned() };
            let refused = reads.read(move |_| Err::<(), _>(error())).await.unwrap_err();
            assert!(refused.code == Code::Unavailable && !refused.message.contains("/srv"), "{refused}");
            let refused = reads.read::<()>(|_| panic!("a defect")).await.unwrap_err();
            assert_eq!(refused.code, Code::Internal);
        }
        assert_eq!(reads.read(|_| Ok(7)).await, Ok(7));
        assert_eq!(reads.reads.places.available_permits(), READS_MAX + WAITING_READS_MAX);
    }
}
