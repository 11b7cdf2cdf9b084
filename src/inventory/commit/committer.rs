//! The committer thread, and the one writer that it shares with the workers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};

use super::doubts::Doubts;
use super::group::WriteGroup;
use super::replies::refuse_all;
use super::stopped;
use super::writer::Writer;
use crate::metrics::Metrics;
use crate::operation::StoreState;
use crate::store::{StoreError, Wait};

/// The most requests that wait for their commit; further ones wait before they are queued (backpressure).
/// More than one transaction takes, so that the committer never idles, and few enough that no result takes
/// seconds.
pub(super) const WAITING_MAX: usize = 1024;

/// Rows after which a transaction takes no further group: large enough that the cost of an fsync is
/// spread thin, small enough that the transaction lasts milliseconds.
const TRANSACTION_ROWS_MAX: usize = 4096;

/// The time between two tidyings of the store: a check costs next to nothing, and the space that a reader
/// held is freed soon after the reader has gone.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// The committer's thread.
pub struct Committer(JoinHandle<Result<(), StoreError>>);

/// A handle on the writer, cheap to clone. The committer ends after the last handle is dropped.
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
    /// Whether each commit waits for another machine.
    is_over_network: bool,
    metrics: Arc<Metrics>,
}

impl Committer {
    /// Starts the thread, which ends after the last handle is dropped.
    pub(in crate::inventory) fn start(writer: Writer, metrics: Arc<Metrics>) -> (Self, CommitterHandle) {
        let (handle, groups) = CommitterHandle::new(Some(writer), metrics);
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

    /// Waits until every change is answered and the store is closed, which happens after every
    /// [`Session`](crate::inventory::Session) is dropped.
    ///
    /// # Errors
    /// If [`Store::close`](crate::store::Store::close) fails: the next start may not find the last changes.
    pub fn join(self) -> Result<(), StoreError> {
        self.0.join().unwrap_or_else(|_| {
            tracing::error!("the committer panicked");
            Ok(())
        })
    }
}

impl CommitterHandle {
    /// Makes a handle, and the receiver of its groups. Without a writer, the handle behaves as if the writer
    /// had failed.
    pub(super) fn new(
        writer: Option<Writer>,
        metrics: Arc<Metrics>,
    ) -> (Self, mpsc::UnboundedReceiver<WriteGroup>) {
        let (groups, waiting) = mpsc::unbounded_channel();
        let is_over_network = writer.as_ref().is_some_and(Writer::commits_over_network);
        let room = Semaphore::new(WAITING_MAX);
        let shared = SharedWriter { writer: Mutex::new(writer), room, is_over_network, metrics };
        (Self { groups, shared: Arc::new(shared) }, waiting)
    }

    /// Waits for room and takes it for one request. Returns `false` if the writer has failed, which commits
    /// nothing more.
    pub(super) async fn take_room(&self) -> bool {
        // The thread that commits the request gives the permit back.
        self.shared.room.acquire().await.map(SemaphorePermit::forget).is_ok()
    }

    /// The number of requests that wait for their commit.
    pub(crate) fn waiting(&self) -> usize {
        WAITING_MAX.saturating_sub(self.shared.room.available_permits())
    }

    /// A handle that does not keep the committer running.
    pub(in crate::inventory) fn downgrade(&self) -> CommitterWaker {
        CommitterWaker(self.groups.downgrade())
    }

    /// Waits until the committer has answered the groups before this call. Never ends after the writer has
    /// failed.
    pub(crate) async fn answers(&self) {
        let (ping, answered) = oneshot::channel();
        self.hand_over(WriteGroup { pings: vec![ping], ..WriteGroup::default() });
        if answered.await.is_err() {
            std::future::pending().await
        }
    }

    /// Hands a group to the committer's thread. Returns `false` if the committer has ended.
    pub(super) fn hand_over(&self, group: WriteGroup) -> bool {
        self.groups.send(group).is_ok()
    }

    /// Commits a group on the calling thread without waiting. If the writer is not free, another program holds the
    /// store or the commit fails, the committer does the rest. Over a network only a lone change of the only client is
    /// committed here, and only if that is likely to be quick.
    pub(super) fn commit_here(&self, group: WriteGroup, is_of_only_client: bool) {
        let is_local = !self.shared.is_over_network;
        let may_commit = is_local || is_of_only_client && group.is_lone_change();
        let writer = may_commit.then(|| self.shared.writer.try_lock().ok()).flatten();
        let writer = writer.filter(|writer| is_free(writer) && (is_local || is_quick(writer, &group)));
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

/// Wakes the committer, and does not keep it running.
pub(in crate::inventory) struct CommitterWaker(mpsc::WeakUnboundedSender<WriteGroup>);

impl CommitterWaker {
    /// Wakes the committer, which follows the lease.
    pub(in crate::inventory) fn wake(&self) {
        if let Some(groups) = self.0.upgrade() {
            let _ = groups.send(WriteGroup::default());
        }
    }
}

impl SharedWriter {
    /// Commits the groups that workers hand over, until the last handle is dropped.
    fn run(&self, mut groups: mpsc::UnboundedReceiver<WriteGroup>) -> Result<(), StoreError> {
        while let Some(mut group) = groups.blocking_recv() {
            let mut writer = self.lock();
            // Also takes the groups that arrived during a worker's transaction.
            while group.rows < TRANSACTION_ROWS_MAX
                && let Ok(next) = groups.try_recv()
            {
                group.append(next);
            }
            let pings = std::mem::take(&mut group.pings);
            self.commit(&mut writer, group, Wait::ForOthers);
            if writer.is_some() {
                for ping in pings {
                    // The one who waits may be gone.
                    let _ = ping.send(());
                }
            }
        }
        let writer = self.lock().take();
        writer.map_or(Ok(()), Writer::close)
    }

    /// Tidies the store every [`TIDY_EVERY`], until the committer has stopped.
    fn tidy_until(&self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(TIDY_EVERY) == Err(RecvTimeoutError::Timeout) {
            // If a transaction is in progress, the next round is soon enough.
            if let Ok(mut writer) = self.writer.try_lock()
                && let Some(writer) = &mut *writer
            {
                writer.tidy();
            }
        }
    }

    /// Commits a group. After a panic nothing more is written: further requests are refused and do not wait
    /// for ever.
    fn commit(&self, slot: &mut Option<Writer>, group: WriteGroup, wait: Wait) {
        self.room.add_permits(group.requests.len());
        let Some(writer) = slot else { return refuse_all(group.requests, &stopped(), &Doubts::default()) };
        if catch_unwind(AssertUnwindSafe(|| writer.commit(group.requests, wait))).is_err() {
            self.room.close();
            *slot = None;
            self.metrics.store.fail("defect", StoreState::Stopped);
            tracing::error!("a transaction panicked; no changes are taken any more");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a commit of the group is likely to be quick.
fn is_quick(writer: &Option<Writer>, group: &WriteGroup) -> bool {
    writer.as_ref().is_some_and(|writer| writer.is_quick(&group.requests))
}

/// Whether the writer can begin a transaction without waiting.
fn is_free(writer: &Option<Writer>) -> bool {
    writer.as_ref().is_some_and(Writer::is_free)
}
