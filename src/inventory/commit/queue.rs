//! The write queue of one worker, and the driver that empties it.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::activity::{ClientActivity, ClientState};
use super::change::Change;
use super::committer::CommitterHandle;
use super::group::{Completion, WriteGroup, WriteRequest};
use super::result::WriteResult;
use super::scheduler::{Decision, QUEUE_TIME_MAX, QueueState, READERS_REST};
use super::stopped;
use super::store_refusals::lost;

/// The changes whose results the driver hands out in one turn, before the connections have theirs: each takes
/// microseconds of the worker, and reads wait until the turn ends (row `read-p99-16`).
const CHANGES_IN_TURN: usize = 64;

/// The most changes that one request counts for in a turn: the worker answers a request's changes together,
/// and shorter turns would cost more than they gain (row `update-64`).
const CHANGES_COUNTED_MAX: usize = 8;

/// The write requests of one worker's clients, until they are committed or handed over.
pub(crate) struct WriteQueue {
    committer: CommitterHandle,
    is_only_worker: bool,
    activity: ClientActivity,
    queued: Mutex<Queued>,
    /// The way back to the driver.
    completions: mpsc::UnboundedSender<Vec<Completion>>,
    /// Wakes the driver after the first request of a group was queued, and when the worker is idle.
    wake: Arc<Notify>,
}

/// The state that the worker's thread and the requests of its clients share.
struct Queued {
    group: WriteGroup,
    /// Requests that wait for their results, in the queue or with the committer, and their rows.
    waiting_requests: usize,
    waiting_rows: usize,
    /// The end of the time in which the committer commits, because a client that only reads has asked.
    readers_until: Option<Instant>,
    /// The times at which the first and the last request of the group came.
    first_at: Instant,
    last_at: Instant,
    /// Whether the worker has had nothing else to do since the first request came.
    is_idle: bool,
}

/// The part of the group commit that one worker thread runs.
pub struct CommitDriver {
    queue: Weak<WriteQueue>,
    wake: Arc<Notify>,
    /// The results from the writer, never more than there are requests that wait.
    completions: mpsc::UnboundedReceiver<Vec<Completion>>,
    /// The changes whose results were handed out in this turn.
    handed_out: usize,
}

impl CommitDriver {
    /// Makes the queue of a worker and its driver. `is_only` says that there is no other worker.
    pub(crate) fn new(committer: CommitterHandle, is_only_worker: bool) -> (Arc<WriteQueue>, Self) {
        let (sender, completions) = mpsc::unbounded_channel();
        let wake = Arc::new(Notify::new());
        let queue = Arc::new(WriteQueue::new(committer, is_only_worker, sender, Arc::clone(&wake)));
        let driver = Self { queue: Arc::downgrade(&queue), wake, completions, handed_out: 0 };
        (queue, driver)
    }

    /// Returns the function that the thread must call each time before it sleeps.
    pub fn before_sleep(&self) -> impl Fn() + Send + Sync + 'static {
        let queue = self.queue.clone();
        move || {
            if let Some(queue) = queue.upgrade() {
                queue.before_sleep();
            }
        }
    }

    /// Commits the queue, or hands it over, and hands out results, until every session of the worker
    /// is dropped and every result is handed out.
    pub async fn run(mut self) {
        let wake = Arc::clone(&self.wake);
        // To set a timer takes two calls of the system, so one that is set stays set though the queue was emptied since.
        let mut timer = pin!(tokio::time::sleep_until(Instant::now()));
        let mut is_set = false;
        loop {
            if !is_set && let Some(late_at) = self.queue.upgrade().and_then(|queue| queue.late_at()) {
                timer.as_mut().reset(late_at);
                is_set = true;
            }
            tokio::select! {
                biased;
                completions = self.completions.recv() => match completions {
                    Some(completions) => self.hand_out(completions).await,
                    None => return,
                },
                () = wake.notified() => self.commit_if_idle().await,
                () = timer.as_mut(), if is_set => {
                    is_set = false;
                    self.hand_over_if_late();
                }
            }
        }
    }

    /// Commits the queue if the worker is idle, perhaps after some turns of the connections.
    async fn commit_if_idle(&self) {
        while self.queue.upgrade().is_some_and(|queue| queue.commit_if_idle() == Decision::Delay) {
            tokio::task::yield_now().await;
        }
    }

    /// Hands out results. The connections have their turn after each [`CHANGES_IN_TURN`].
    async fn hand_out(&mut self, completions: Vec<Completion>) {
        if let Some(queue) = self.queue.upgrade() {
            queue.note_results(&completions);
        }
        for completion in completions {
            self.handed_out += completion.result.each.len().min(CHANGES_COUNTED_MAX);
            completion.send();
            if self.handed_out >= CHANGES_IN_TURN {
                self.handed_out = 0;
                tokio::task::yield_now().await;
                self.hand_over_if_late();
            }
        }
    }

    fn hand_over_if_late(&self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.hand_over_if_late();
        }
    }
}

impl WriteQueue {
    fn new(
        committer: CommitterHandle,
        is_only_worker: bool,
        completions: mpsc::UnboundedSender<Vec<Completion>>,
        wake: Arc<Notify>,
    ) -> Self {
        let queued = Mutex::new(Queued {
            group: WriteGroup::default(),
            waiting_requests: 0,
            waiting_rows: 0,
            readers_until: None,
            first_at: Instant::now(),
            last_at: Instant::now(),
            is_idle: false,
        });
        Self { committer, is_only_worker, activity: ClientActivity::default(), queued, completions, wake }
    }

    /// The recent requests of the worker's clients.
    pub(crate) fn activity(&self) -> &ClientActivity {
        &self.activity
    }

    /// Makes changes durable. Returns one outcome for each, in order.
    pub(crate) async fn write(&self, client: &ClientState, changes: Vec<Change>) -> WriteResult {
        let count = changes.len();
        if count == 0 {
            return WriteResult::default();
        }
        self.activity.note_change(client);
        let (reply, result) = oneshot::channel();
        let request = WriteRequest::new(changes, reply, self.completions.clone());
        if !self.committer.take_room().await || !self.add(request) {
            return WriteResult::refused(count, &stopped());
        }
        result.await.unwrap_or_else(|_| WriteResult::refused(count, &lost()))
    }

    /// Queues a request. Returns `false` if the committer has ended and nothing can be committed.
    fn add(&self, request: WriteRequest) -> bool {
        let now = Instant::now();
        let mut queued = self.queued();
        queued.waiting_requests += 1;
        queued.waiting_rows += request.rows;
        queued.last_at = now;
        if queued.group.is_empty() {
            queued.first_at = now;
            self.wake.notify_one();
        }
        queued.group.add(request);
        if self.state(&mut queued, now).is_full() { self.hand_over(&mut queued) } else { true }
    }

    /// Hands the queue over, or wakes the driver to commit it. Called when the worker has nothing else to do.
    fn before_sleep(&self) {
        let mut queued = self.queued();
        if queued.group.is_empty() {
            return;
        }
        match self.state(&mut queued, Instant::now()).decide() {
            Decision::AwaitResults => {}
            Decision::HandToCommitter => {
                self.hand_over(&mut queued);
            }
            Decision::CommitHere | Decision::Delay => {
                queued.is_idle = true;
                self.wake.notify_one();
            }
        }
    }

    /// Follows the scheduler's decision if the worker is idle, and returns it.
    fn commit_if_idle(&self) -> Decision {
        let mut queued = self.queued();
        if !queued.is_idle {
            return Decision::AwaitResults;
        }
        let decision = self.state(&mut queued, Instant::now()).decide();
        match decision {
            Decision::CommitHere => {
                let is_of_only_client = self.activity.changing() == 1;
                let group = self.take(&mut queued);
                drop(queued);
                self.committer.commit_here(group, is_of_only_client);
            }
            Decision::HandToCommitter => {
                self.hand_over(&mut queued);
            }
            Decision::Delay | Decision::AwaitResults => {}
        }
        decision
    }

    /// Notes that requests with this many rows do not wait any more.
    fn note_results(&self, completions: &[Completion]) {
        let mut queued = self.queued();
        queued.waiting_requests -= completions.len();
        queued.waiting_rows -= completions.iter().map(|completion| completion.request.rows).sum::<usize>();
    }

    /// The time at which the queue must be handed over, if it is not empty.
    fn late_at(&self) -> Option<Instant> {
        let queued = self.queued();
        (!queued.group.is_empty()).then(|| queued.first_at + QUEUE_TIME_MAX)
    }

    fn hand_over_if_late(&self) {
        let mut queued = self.queued();
        if !queued.group.is_empty() && queued.first_at.elapsed() >= QUEUE_TIME_MAX {
            self.hand_over(&mut queued);
        }
    }

    /// Returns the snapshot that the scheduler decides on.
    fn state(&self, queued: &mut Queued, now: Instant) -> QueueState {
        if self.activity.take_reader() {
            queued.readers_until = Some(now + READERS_REST);
        }
        queued.readers_until = queued.readers_until.filter(|until| *until > now);
        QueueState {
            is_only_worker: self.is_only_worker,
            requests: queued.group.requests.len(),
            rows: queued.group.rows,
            waiting_requests: queued.waiting_requests,
            waiting_rows: queued.waiting_rows,
            has_readers: queued.readers_until.is_some(),
            clients: self.activity.changing(),
            quiet: now.saturating_duration_since(queued.last_at),
        }
    }

    /// Hands the queue to the committer. Returns `false` if the committer has ended.
    fn hand_over(&self, queued: &mut Queued) -> bool {
        self.committer.hand_over(self.take(queued))
    }

    fn take(&self, queued: &mut Queued) -> WriteGroup {
        queued.is_idle = false;
        self.activity.end_round();
        std::mem::take(&mut queued.group)
    }

    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WriteQueue {
    /// Hands over the rest of the queue: a change is made even if its client is gone.
    fn drop(&mut self) {
        let mut queued = self.queued();
        if !queued.group.is_empty() {
            self.hand_over(&mut queued);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::{Adjustment, Kind, ProductId, Quantity};

    /// The queue of a worker, its driver, and the receiver of its groups. The writer is never free.
    fn queue(is_only: bool) -> (Arc<WriteQueue>, CommitDriver, mpsc::UnboundedReceiver<WriteGroup>) {
        let (committer, groups) = CommitterHandle::new(None, Arc::default());
        let (queue, driver) = CommitDriver::new(committer, is_only);
        (queue, driver, groups)
    }

    /// Queues a request with this many changes.
    fn add(queue: &WriteQueue, changes: usize) -> bool {
        let (reply, _) = oneshot::channel();
        let change = |_| {
            let delta = Quantity::from_units(1);
            let product = ProductId::FIRST;
            Change::Adjust(Adjustment::new(product, delta, Kind::Purchase))
        };
        queue.add(WriteRequest::new((0..changes).map(change).collect(), reply, queue.completions.clone()))
    }

    /// The number of requests in each group that was handed over.
    fn sizes(groups: &mut mpsc::UnboundedReceiver<WriteGroup>) -> Vec<usize> {
        std::iter::from_fn(|| groups.try_recv().ok()).map(|group| group.requests.len()).collect()
    }

    #[test]
    fn a_busy_worker_hands_over_full_groups_and_the_rest_before_it_sleeps() {
        let (queue, _driver, mut groups) = queue(false);
        for _ in 0..130 {
            assert!(add(&queue, 1));
        }
        assert_eq!(sizes(&mut groups), [64, 64]);
        queue.before_sleep();
        assert_eq!(sizes(&mut groups), [2]);
        queue.before_sleep();
        assert!(groups.try_recv().is_err());
    }

    #[test]
    fn the_only_worker_keeps_its_queue_until_it_is_large() {
        let (queue, _driver, mut groups) = queue(true);
        for _ in 0..8 {
            assert!(add(&queue, 64));
        }
        queue.before_sleep();
        assert!(sizes(&mut groups).is_empty());
        assert!(add(&queue, 1));
        assert_eq!(sizes(&mut groups), [9]);
        // The committer has more than the worker may commit itself, so the committer gets the next ones too.
        assert!(add(&queue, 63) && add(&queue, 1));
        assert_eq!(sizes(&mut groups), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_waits_longer_though_the_worker_never_sleeps() {
        for is_only in [true, false] {
            let (queue, driver, mut groups) = queue(is_only);
            let driven = tokio::spawn(driver.run());
            for _ in 0..3 {
                assert!(add(&queue, 1));
                let begun = Instant::now();
                assert_eq!(groups.recv().await.unwrap().requests.len(), 1);
                assert!((QUEUE_TIME_MAX..=2 * QUEUE_TIME_MAX).contains(&begun.elapsed()));
            }
            drop(queue);
            driven.await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_idle_worker_that_cannot_commit_hands_over() {
        let (queue, driver, mut groups) = queue(true);
        tokio::spawn(driver.run());
        assert!(add(&queue, 1) && add(&queue, 2));
        queue.before_sleep();
        assert_eq!(groups.recv().await.unwrap().rows, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_only_reads_is_remembered_for_a_while() {
        let (queue, _driver, mut groups) = queue(true);
        let mut is_handed_over = || {
            assert!(add(&queue, 1));
            queue.before_sleep();
            let handed_over = sizes(&mut groups) == [1];
            let mut queued = queue.queued();
            (queued.group, queued.waiting_requests, queued.waiting_rows) = (WriteGroup::default(), 0, 0);
            handed_over
        };
        assert!(!is_handed_over());
        queue.activity.note_read(&ClientState::default());
        assert!(is_handed_over());
        tokio::time::advance(READERS_REST - Duration::from_millis(1)).await;
        assert!(is_handed_over());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!is_handed_over());
    }

    #[tokio::test]
    async fn the_worker_waits_a_little_for_clients_that_asked_lately() {
        let (queue, driver, mut groups) = queue(true);
        tokio::spawn(driver.run());
        let tills = [(); 2].map(|()| ClientState::default());
        let change = |till: &ClientState| {
            queue.activity.note_change(till);
            assert!(add(&queue, 1));
            queue.before_sleep();
        };
        // A busy machine may take longer than the wait.
        for attempt in 0.. {
            assert!(attempt < 1000, "nobody was waited for");
            tills.iter().for_each(|till| queue.activity.note_change(till));
            change(&tills[0]);
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let was_waited_for = groups.is_empty();
            change(&tills[1]);
            let made = groups.recv().await.unwrap().requests.len();
            if was_waited_for && made == 2 {
                break;
            }
            while made + sizes(&mut groups).iter().sum::<usize>() < 2 {
                tokio::task::yield_now().await;
            }
            let mut queued = queue.queued();
            (queued.waiting_requests, queued.waiting_rows) = (0, 0);
        }
    }

    #[tokio::test]
    async fn the_connections_have_their_turn_while_results_are_handed_out() {
        for (changes, expected) in
            [(1, [[64; 3].as_slice(), &[8]].concat()), (16, vec![8; 25]), (64, vec![8; 25])]
        {
            let (queue, driver, _groups) = queue(true);
            let (mut parcel, mut waiting) = (Vec::new(), Vec::new());
            for _ in 0..200 {
                let (reply, result) = oneshot::channel();
                let mut request = WriteRequest::new(Vec::new(), reply, queue.completions.clone());
                request.rows = changes;
                parcel.push(Completion { request, result: WriteResult::refused(changes, &stopped()) });
                waiting.push(result);
            }
            queue.queued().waiting_requests = 200;
            queue.queued().waiting_rows = 200 * changes;
            queue.completions.send(parcel).unwrap();
            tokio::spawn(driver.run());
            let mut turns = Vec::new();
            while turns.iter().sum::<usize>() < 200 {
                assert!(turns.len() < 200, "{turns:?}");
                tokio::task::yield_now().await;
                let before = waiting.len();
                waiting.retain_mut(|result| result.try_recv().is_err());
                turns.push(before - waiting.len());
            }
            assert_eq!(turns, expected);
            assert_eq!(queue.queued().waiting_rows, 0);
        }
    }

    #[test]
    fn what_nobody_waits_for_is_handed_over_too() {
        let (queue, _driver, mut groups) = queue(true);
        assert!(add(&queue, 1) && add(&queue, 1));
        drop(queue);
        assert_eq!(sizes(&mut groups), [2]);
    }

    #[test]
    fn a_request_for_a_committer_that_is_gone_is_refused() {
        let (queue, _driver, groups) = queue(false);
        drop(groups);
        // One of several workers commits a lone request itself.
        assert!(add(&queue, 1) && !add(&queue, 63));
    }
}
