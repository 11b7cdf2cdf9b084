//! Reads of the ledger, which may wait for the disk and so run on blocking threads, a few at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, StoreError};

/// The most reads of the ledger at one time, over all connections: one for each of the store's connections,
/// less two that its own work may take. Each read has a thread.
const READS_MAX: usize = 2;

/// The most reads that wait for their turn. Each read takes a millisecond or two, so none waits for long.
const WAITING_READS_MAX: usize = 1024;

/// The ledger behind a queue of reads. Cheap to clone.
#[derive(Clone)]
pub(super) struct LedgerReads {
    ledger: Arc<dyn Ledger>,
    /// The reads that run.
    running: Arc<Semaphore>,
    /// The reads that run or wait.
    room: Arc<Semaphore>,
}

impl LedgerReads {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        let room = Semaphore::new(READS_MAX + WAITING_READS_MAX);
        Self { ledger, running: Arc::new(Semaphore::new(READS_MAX)), room: Arc::new(room) }
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
        let _room = self.room.try_acquire().map_err(|_| too_many())?;
        // The semaphore is never closed.
        let turn = Arc::clone(&self.running).acquire_owned().await.ok();
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
    let why = error.why_not_begun().unwrap_or("a causa está no log do servidor");
    let what =
        format!("o histórico não pôde ser lido: {why}. Nada foi alterado; tente de novo daqui a pouco.");
    Refusal::new(Code::Unavailable, what)
}
