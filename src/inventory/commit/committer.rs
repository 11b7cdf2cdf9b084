//! Who has the writer: the committer's thread, for the changes that are handed over to it, or a
//! worker, for its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

use super::group::{WriteGroup, WriteRequest};
use super::replies::refuse_all;
use super::stopped;
use super::writer::Writer;
use crate::catalog::Catalog;
use crate::store::{Store, StoreError};

/// Submissions that wait to be made before those who submit must wait themselves: more than one
/// transaction takes, so that the committer never idles, and few enough that an answer is never
/// seconds away.
pub(super) const WAITING_MAX: usize = 1024;

/// Rows of changes after which a transaction takes no further request: large enough that the cost of
/// an fsync is spread thin, small enough that it lasts milliseconds.
const TRANSACTION_ROWS_MAX: usize = 4096;

/// A worker makes no transaction itself where the last one took longer, for its connections wait
/// meanwhile: a solid disk takes a tenth of this or two, a turning one, or one in trouble, more.
/// It waits for no other program; but a disk that hangs holds up its reads too, that once.
const OWN_TRANSACTION_MAX: Duration = Duration::from_millis(2);

/// How often the store is tidied: a look costs next to nothing, and the room that a reader held is
/// given back soon after the reader has gone.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// The committer's thread.
pub struct Committer(JoinHandle<Result<(), StoreError>>);

impl Committer {
    /// Starts it. It ends once nobody is left who could hand over changes.
    pub(crate) fn start(catalog: Arc<RwLock<Catalog>>, store: Box<dyn Store>) -> (Self, CommitterHandle) {
        let (groups, waiting) = mpsc::unbounded_channel();
        let state = State { writer: Some(Writer::new(catalog, store)), last_took: Duration::ZERO };
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        let writer = SharedWriter { state: Arc::new(Mutex::new(state)), room };
        let (own, tidying) = (writer.clone(), writer.clone());
        let (running, stopped) = channel::<()>();
        std::thread::spawn(move || tidying.tidy_until(&stopped));
        let run = move || {
            let closed = own.run(waiting);
            drop(running);
            closed
        };
        (Self(std::thread::spawn(run)), CommitterHandle { groups, writer })
    }

    /// Waits until every change that was submitted is answered and the store is closed,
    /// which comes once every [`Inventory`](super::Inventory) is dropped.
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

/// A way to the writer, cheap to clone. The committer ends when the last is dropped.
#[derive(Clone)]
pub(crate) struct CommitterHandle {
    groups: mpsc::UnboundedSender<WriteGroup>,
    writer: SharedWriter,
}

impl CommitterHandle {
    /// A handle on a writer that has failed, and where the groups come out that are handed over.
    #[cfg(test)]
    pub(super) fn to_nobody() -> (Self, mpsc::UnboundedReceiver<WriteGroup>) {
        let (groups, waiting) = mpsc::unbounded_channel();
        let state = State { writer: None, last_took: Duration::ZERO };
        let room = Arc::new(Semaphore::new(WAITING_MAX));
        (Self { groups, writer: SharedWriter { state: Arc::new(Mutex::new(state)), room } }, waiting)
    }

    /// Takes the room for one request, once there is any. Returns whether it will be made, which
    /// nothing is once the writer has failed.
    pub(super) async fn take_room(&self) -> bool {
        // Who makes it gives the permit back.
        self.writer.room.acquire().await.map(SemaphorePermit::forget).is_ok()
    }

    /// Hands a group over. Returns whether the committer is there.
    pub(super) fn send(&self, group: WriteGroup) -> bool {
        self.groups.send(group).is_ok()
    }

    /// [`SharedWriter::try_commit`].
    pub(super) fn try_commit(&self, group: WriteGroup) -> Result<(), WriteGroup> {
        self.writer.try_commit(group)
    }
}

/// The one writer, which whoever makes a transaction has to itself.
#[derive(Clone)]
pub(super) struct SharedWriter {
    state: Arc<Mutex<State>>,
    /// A permit for each request that may still wait; see [`WAITING_MAX`]. Closed once the
    /// writer has failed.
    room: Arc<Semaphore>,
}

struct State {
    /// `None` once it has panicked, or is closed.
    writer: Option<Writer>,
    /// How long the last transaction took.
    last_took: Duration,
}

impl SharedWriter {
    /// Makes the changes that are handed over, until nobody is left who could.
    fn run(self, mut waiting: mpsc::UnboundedReceiver<WriteGroup>) -> Result<(), StoreError> {
        while let Some(mut group) = waiting.blocking_recv() {
            let mut state = self.state();
            // Also what came during a worker's transaction.
            while group.rows < TRANSACTION_ROWS_MAX
                && let Ok(next) = waiting.try_recv()
            {
                group.append(next);
            }
            self.commit(&mut state, group, Writer::commit);
        }
        let writer = self.state().writer.take();
        writer.map_or(Ok(()), Writer::close)
    }

    /// Tidies the store every [`TIDY_EVERY`], until the committer has stopped.
    fn tidy_until(self, stopped: &Receiver<()>) {
        while stopped.recv_timeout(TIDY_EVERY) == Err(RecvTimeoutError::Timeout) {
            // If a transaction is going on, the next time is soon enough.
            if let Ok(mut state) = self.state.try_lock()
                && let Some(writer) = &mut state.writer
            {
                writer.tidy();
            }
        }
    }

    /// Makes the changes of a worker on its own thread: if nothing else waits, which would be
    /// next, and no transaction goes on, and the last one was quick. If not, what is returned must be
    /// handed over to the committer; also where it is empty, so that the committer makes what the
    /// writer could not make at once.
    pub(super) fn try_commit(&self, group: WriteGroup) -> Result<(), WriteGroup> {
        if self.room.available_permits() + group.requests.len() < WAITING_MAX {
            return Err(group);
        }
        let Ok(mut state) = self.state.try_lock() else { return Err(group) };
        if state.last_took > OWN_TRANSACTION_MAX || !state.writer.as_ref().is_some_and(Writer::is_free) {
            return Err(group);
        }
        self.commit(&mut state, group, Writer::commit_at_once);
        if state.writer.as_ref().is_some_and(Writer::is_free) { Ok(()) } else { Err(WriteGroup::default()) }
    }

    /// Makes the changes in this way. After a panic nothing is written any more: who asks then
    /// is told, and does not wait for ever.
    fn commit(&self, state: &mut State, group: WriteGroup, commit: fn(&mut Writer, Vec<WriteRequest>)) {
        self.room.add_permits(group.requests.len());
        let Some(writer) = &mut state.writer else {
            return refuse_all(group.requests, &stopped());
        };
        let begun = Instant::now();
        let made = catch_unwind(AssertUnwindSafe(|| commit(writer, group.requests)));
        state.last_took = begun.elapsed();
        if made.is_err() {
            self.room.close();
            state.writer = None;
            tracing::error!("a transaction panicked; no changes are taken any more");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
