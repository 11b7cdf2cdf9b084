//! The committer thread, and the one writer that it shares with the workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use super::group::WriteGroup;
use super::replies::refuse_all;
use super::writer::Writer;
use crate::catalog::Catalog;
use crate::store::{Store, StoreError, Wait};

/// Requests that wait to be committed before clients must wait to queue theirs: more than one
/// transaction takes, so that the committer never idles, and few enough that a result is never
/// seconds away.
pub(super) const WAITING_MAX: usize = 1024;

/// Rows after which a transaction takes no further group: large enough that the cost of an fsync is
/// spread thin, small enough that the transaction lasts milliseconds.
const TRANSACTION_ROWS_MAX: usize = 4096;

/// How often the store is tidied: a look costs next to nothing, and the room that a reader held is
/// given back soon after the reader has gone.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// The committer's thread.
pub struct Committer(JoinHandle<Result<(), StoreError>>);

/// A way to the writer, cheap to clone. The committer ends after the last is dropped.
#[derive(Clone)]
pub(crate) struct CommitterHandle {
    groups: mpsc::UnboundedSender<WriteGroup>,
    shared: Arc<SharedWriter>,
}

/// The one writer. Whoever commits holds it.
struct SharedWriter {
    /// `None` after the writer has panicked, or is closed.
    writer: Mutex<Option<Writer>>,
    /// A permit for each request that may still wait; see [`WAITING_MAX`]. Closed after the writer has
    /// failed.
    room: Semaphore,
}

impl Committer {
    /// Starts the thread. It ends when nobody is left who could hand over changes.
    pub(crate) fn start(catalog: Arc<RwLock<Catalog>>, store: Box<dyn Store>) -> (Self, CommitterHandle) {
        let (handle, groups) = CommitterHandle::new(Some(Writer::new(catalog, store)));
        let (shared, tidied) = (Arc::clone(&handle.shared), Arc::clone(&handle.shared));
        let (running, stopped) = channel::<()>();
        std::thread::spawn(move || tidied.tidy_until(&stopped));
        let run = move || {
            let closed = shared.run(groups);
            drop(running);
            closed
        };
        (Self(std::thread::spawn(run)), handle)
    }

    /// Waits until every change that was asked for is answered and the store is closed, which comes
    /// after every [`Session`](crate::inventory::Session) is dropped.
    ///
    /// # Errors
    /// If the last changes are not where the next start looks for them.
    pub fn join(self) -> Result<(), StoreError> {
        self.0.join().unwrap_or_else(|_| {
            tracing::error!("the committer panicked");
            Ok(())
        })
    }
}

impl CommitterHandle {
    /// Makes a handle, and the end where the groups come out. Without a writer, one that has failed.
    pub(super) fn new(writer: Option<Writer>) -> (Self, mpsc::UnboundedReceiver<WriteGroup>) {
        let (groups, waiting) = mpsc::unbounded_channel();
        let shared = SharedWriter { writer: Mutex::new(writer), room: Semaphore::new(WAITING_MAX) };
        (Self { groups, shared: Arc::new(shared) }, waiting)
    }

    /// Takes the room for one request, after waiting for room. Returns whether the request will be
    /// committed, which nothing is after the writer has failed.
    pub(super) async fn take_room(&self) -> bool {
        // Whoever commits the request gives the permit back.
        self.shared.room.acquire().await.map(SemaphorePermit::forget).is_ok()
    }

    /// Hands a group to the committer's thread. Returns whether the committer is there.
    pub(super) fn hand_over(&self, group: WriteGroup) -> bool {
        self.groups.send(group).is_ok()
    }

    /// Commits a group on the calling thread, which waits for nobody: if the writer is not free, or
    /// another program has the store, or the commit fails, the committer does the rest.
    pub(super) fn commit_here(&self, group: WriteGroup) {
        let writer = self.shared.writer.try_lock().ok().filter(|writer| is_free(writer));
        let Some(mut writer) = writer else {
            self.hand_over(group);
            return;
        };
        self.shared.commit(&mut writer, group, Wait::Never);
        if !is_free(&writer) {
            self.hand_over(WriteGroup::default());
        }
    }
}

impl SharedWriter {
    /// Commits the groups that are handed over, until nobody is left who could hand one over.
    fn run(&self, mut groups: mpsc::UnboundedReceiver<WriteGroup>) -> Result<(), StoreError> {
        while let Some(mut group) = groups.blocking_recv() {
            let mut writer = self.lock();
            // Takes what came during a worker's transaction, too.
            while group.rows < TRANSACTION_ROWS_MAX
                && let Ok(next) = groups.try_recv()
            {
                group.append(next);
            }
            self.commit(&mut writer, group, Wait::ForOthers);
        }
        let writer = self.lock().take();
        writer.map_or(Ok(()), Writer::close)
    }

    /// Tidies the store every [`TIDY_EVERY`], until the committer has stopped.
    fn tidy_until(&self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(TIDY_EVERY) == Err(RecvTimeoutError::Timeout) {
            // If a transaction is going on, the next time is soon enough.
            if let Ok(mut writer) = self.writer.try_lock()
                && let Some(writer) = &mut *writer
            {
                writer.tidy();
            }
        }
    }

    /// Commits a group. After a panic nothing is written any more: whoever asks then is refused, and
    /// does not wait for ever.
    fn commit(&self, slot: &mut Option<Writer>, group: WriteGroup, wait: Wait) {
        self.room.add_permits(group.requests.len());
        let Some(writer) = slot else { return refuse_all(group.requests) };
        if catch_unwind(AssertUnwindSafe(|| writer.commit(group.requests, wait))).is_err() {
            self.room.close();
            *slot = None;
            tracing::error!("a transaction panicked; no changes are taken any more");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the writer can begin a transaction without waiting.
fn is_free(writer: &Option<Writer>) -> bool {
    writer.as_ref().is_some_and(Writer::is_free)
}
