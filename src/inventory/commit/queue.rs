//! How the changes of one worker's connections are made.
//!
//! A transaction takes the processor for as long as a hundred changes do, however few it has.
//! Handed over one by one, the changes of many connections would become many small ones, and
//! on a machine whose processors are all busy each takes the place of the worker that was about
//! to hand over more. So a worker that always has more to do hands over more and more at once;
//! one that is about to sleep, all it has, and begins with one again. It also waits a little for
//! clients who read and may change something next.
//!
//! Where the [`CommitScheduler`] says so it hands over nothing: once it is about to sleep it makes all that
//! it has itself, after a moment for clients who were just answered and ask again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::activity::{ClientActivity, ClientState};
use super::committer::CommitterHandle;
use super::group::{Change, WriteGroup, WriteRequest};
use super::replies::{Completion, WriteResult, deliver};
use super::scheduler::{CommitScheduler, Decision, Load};
use super::stopped;
use super::writer::outcome_unknown;

/// About how long a change may wait for others of its worker, timers being of milliseconds: one
/// that is never about to sleep is not to keep a change for ever, nor one that waits for clients
/// who then ask for none.
pub(super) const GATHERING_MAX: Duration = Duration::from_millis(1);

/// How long a worker that is to make changes waits, after the last one that came, for those of
/// clients who asked in this round or the one before: one on this machine asks again some 25 µs
/// after its answer, and all of them then share a transaction. With 2, 4, 8, 12, 16 and 50
/// connections that makes 1.3, 1.6, 1.4, 1.1, 1.1 and 1.0 times as many changes; in vain, it takes a
/// fifth of what a transaction does.
pub(super) const COMMIT_DELAY: Duration = Duration::from_micros(30);

/// How long after answers clients are so waited for: hundreds have then asked again who do so at
/// once. Who asks less often is not kept waiting.
const COMPANY_AFTER_ANSWERS_MAX: Duration = Duration::from_micros(500);

/// What one worker thread does for the changes of its connections.
pub struct CommitDriver {
    queue: Weak<WriteQueue>,
    /// Answers on their way back. They are never more than the requests that wait.
    answers: mpsc::UnboundedReceiver<Vec<Completion>>,
}

impl CommitDriver {
    /// Makes the queue of a worker, perhaps the only one, and its driver.
    pub(crate) fn new(committer: CommitterHandle, is_only: bool) -> (Arc<WriteQueue>, Self) {
        let (delivery, answers) = mpsc::unbounded_channel();
        let queue = Arc::new(WriteQueue::new(committer, delivery, CommitScheduler::new(is_only)));
        let driver = Self { queue: Arc::downgrade(&queue), answers };
        (queue, driver)
    }

    /// Returns what the thread must call each time before it sleeps: it hands over the queue, or sees
    /// that the queue is committed, or leaves it for a little while.
    pub fn before_sleep(&self) -> impl Fn() + Send + Sync + 'static {
        let queue = self.queue.clone();
        move || {
            if let Some(queue) = queue.upgrade() {
                queue.before_sleep();
            }
        }
    }

    /// Hands out answers, commits what is due, and hands over what has waited for long, until
    /// every session of this worker is dropped.
    pub async fn run(self) {
        let queue = self.queue;
        let note = |answers: &[Completion]| {
            if let Some(queue) = queue.upgrade() {
                queue.note_answers(answers);
            }
        };
        tokio::select! {
            () = deliver(self.answers, note) => {}
            () = make_when_due(queue.clone()) => {}
            () = hand_over_in_time(queue.clone()) => {}
        }
    }
}

/// The requests of one worker, until they are handed over together.
pub(crate) struct WriteQueue {
    committer: CommitterHandle,
    /// How answers come back to the worker.
    delivery: mpsc::UnboundedSender<Vec<Completion>>,
    gathered: Mutex<Queued>,
    /// A round of theirs ends when what is gathered is handed over or made.
    clients: ClientActivity,
    /// Told when something begins to wait.
    has_begun: Arc<Notify>,
    /// Told when the worker is to make what there is.
    is_due: Arc<Notify>,
}

/// What waits to be handed over, or to be made.
struct Queued {
    group: WriteGroup,
    /// That, and what is not answered yet.
    unanswered: Load,
    scheduler: CommitScheduler,
    /// When the first of it came.
    begun_at: Instant,
    /// When answers last came for clients of this worker.
    answered_at: Instant,
}

impl WriteQueue {
    pub(super) fn new(
        committer: CommitterHandle,
        delivery: mpsc::UnboundedSender<Vec<Completion>>,
        scheduler: CommitScheduler,
    ) -> Self {
        let gathered = Mutex::new(Queued {
            group: WriteGroup::default(),
            unanswered: Load::default(),
            scheduler,
            begun_at: Instant::now(),
            answered_at: Instant::now(),
        });
        let clients = ClientActivity::default();
        Self { committer, delivery, gathered, clients, has_begun: Arc::default(), is_due: Arc::default() }
    }

    pub(crate) fn clients(&self) -> &ClientActivity {
        &self.clients
    }

    /// Makes changes durable. Returns one outcome for each, in order. `is_call` says that these
    /// changes are one call among others of the connection, and not all that came on it.
    pub(crate) async fn write(
        &self,
        client: &ClientState,
        changes: Vec<Change>,
        is_call: bool,
    ) -> WriteResult {
        let count = changes.len();
        if count == 0 {
            return WriteResult::default();
        }
        self.clients.note_change(client);
        let (answer, answered) = oneshot::channel();
        let request = WriteRequest::new(changes, is_call, answer, self.delivery.clone());
        if !self.committer.take_room().await || !self.add(request) {
            return WriteResult::refused(count, &stopped());
        }
        answered.await.unwrap_or_else(|_| WriteResult::refused(count, &outcome_unknown()))
    }

    /// Adds a request, and hands over if that is enough. Returns whether the committer is
    /// there.
    pub(super) fn add(&self, request: WriteRequest) -> bool {
        let mut gathered = self.gathered();
        let Queued { group, unanswered, scheduler, .. } = &mut *gathered;
        unanswered.requests += 1;
        unanswered.rows += request.reply_to.rows;
        group.add(request);
        let (has_reader, choosing) = (self.clients.has_reader(), self.clients.choosing());
        if scheduler.note_request(Load::of(group), *unanswered, has_reader, choosing) {
            return self.hand_over(&mut gathered);
        }
        if gathered.group.requests.len() == 1 {
            gathered.begun_at = Instant::now();
            self.has_begun.notify_one();
        }
        true
    }

    /// Hands over what there is, or has it made, or lets it wait: the worker has answered all that it
    /// has read.
    pub(super) fn before_sleep(&self) {
        let mut gathered = self.gathered();
        let Queued { group, unanswered, scheduler, .. } = &mut *gathered;
        scheduler.note_sleep();
        if unanswered.requests == 0 {
            // A reader is kept in mind until then.
            return;
        }
        let (has_reader, choosing) = (self.clients.take_reader(), self.clients.choosing());
        match scheduler.decide(Load::of(group), *unanswered, has_reader, choosing) {
            Decision::Delay => {}
            Decision::HandToCommitter => {
                self.hand_over(&mut gathered);
            }
            Decision::CommitHere => self.is_due.notify_one(),
        }
    }

    /// Makes what there is, or hands it over where it may not or a reader has come since.
    fn make(&self) {
        let group = self.take(&mut self.gathered());
        if group.requests.is_empty() {
            return;
        }
        let is_left = match self.clients.has_reader() {
            true => Err(group),
            false => self.committer.try_commit(group),
        };
        if let Err(group) = is_left {
            self.committer.send(group);
        }
    }

    /// Whether clients may ask for changes now that could share the transaction of those that there
    /// are, the last of which came then.
    fn has_company(&self, last_came: Instant) -> bool {
        let gathered = self.gathered();
        let count = gathered.group.requests.len();
        count > 0
            && count < self.clients.changing()
            && !self.clients.has_reader()
            && last_came.elapsed() < COMMIT_DELAY
            && gathered.answered_at.elapsed() < COMPANY_AFTER_ANSWERS_MAX
    }

    /// Notes that these are answered.
    pub(super) fn note_answers(&self, answers: &[Completion]) {
        let mut gathered = self.gathered();
        gathered.answered_at = Instant::now();
        let unanswered = &mut gathered.unanswered;
        unanswered.requests -= answers.len();
        unanswered.rows -= answers.iter().map(Completion::rows).sum::<usize>();
    }

    /// Hands over what has waited for [`GATHERING_MAX`]; tells when to look again, if anything
    /// waits.
    fn hand_over_late(&self) -> Option<Instant> {
        let mut gathered = self.gathered();
        if gathered.group.requests.is_empty() {
            return None;
        }
        let due = gathered.begun_at + GATHERING_MAX;
        if due > Instant::now() {
            return Some(due);
        }
        let late = Load::of(&gathered.group);
        gathered.scheduler.note_lateness(late);
        self.hand_over(&mut gathered);
        None
    }

    /// Hands over what there is, if anything. Returns whether the committer is there.
    fn hand_over(&self, gathered: &mut Queued) -> bool {
        let group = self.take(gathered);
        group.requests.is_empty() || self.committer.send(group)
    }

    /// Takes what there is.
    fn take(&self, gathered: &mut Queued) -> WriteGroup {
        if !gathered.group.requests.is_empty() {
            gathered.scheduler.note_taken();
            self.clients.end_round();
        }
        std::mem::take(&mut gathered.group)
    }

    fn gathered(&self) -> MutexGuard<'_, Queued> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WriteQueue {
    /// A change is made also where nobody waits for it any more.
    fn drop(&mut self) {
        self.hand_over(&mut self.gathered());
    }
}

/// Makes what is due, for as long as it is polled. Before, it reads what has come since, for as long
/// as more comes, and waits a little for clients who asked lately and are missing.
pub(super) async fn make_when_due(queue: Weak<WriteQueue>) {
    let Some(is_due) = queue.upgrade().map(|queue| Arc::clone(&queue.is_due)) else { return };
    loop {
        is_due.notified().await;
        let mut count = 0;
        let mut last_came = Instant::now();
        while let Some(queue) = queue.upgrade() {
            let before = std::mem::replace(&mut count, queue.gathered().group.requests.len());
            if count > before {
                last_came = Instant::now();
            } else if !queue.has_company(last_came) {
                queue.make();
                break;
            }
            drop(queue);
            tokio::task::yield_now().await;
        }
    }
}

/// Hands over what has waited for long, for as long as it is polled.
pub(super) async fn hand_over_in_time(queue: Weak<WriteQueue>) {
    let Some(has_begun) = queue.upgrade().map(|queue| Arc::clone(&queue.has_begun)) else {
        return;
    };
    loop {
        has_begun.notified().await;
        while let Some(due) = queue.upgrade().and_then(|queue| queue.hand_over_late()) {
            tokio::time::sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Adjustment, Kind, ProductId, Quantity};

    /// The queue of the only worker or of one of several, and where its groups come out.
    fn queue(is_only: bool) -> (Arc<WriteQueue>, mpsc::UnboundedReceiver<WriteGroup>) {
        let (delivery, _) = mpsc::unbounded_channel();
        let (committer, waiting) = CommitterHandle::to_nobody();
        (Arc::new(WriteQueue::new(committer, delivery, CommitScheduler::new(is_only))), waiting)
    }

    fn request() -> WriteRequest {
        let (answer, _) = oneshot::channel();
        let delta = Quantity::from_units(1);
        let adjustment =
            Adjustment { product: ProductId::FIRST, delta, kind: Kind::Purchase, request_id: None };
        let (delivery, _) = mpsc::unbounded_channel();
        WriteRequest::new(vec![Change::Adjust(adjustment)], true, answer, delivery)
    }

    #[test]
    fn a_busy_worker_hands_over_more_and_more_until_it_sleeps() {
        let (queue, mut waiting) = queue(false);
        let mut sizes = Vec::new();
        for _ in 0..200 {
            assert!(queue.add(request()));
            sizes.extend(waiting.try_recv().map(|group| group.requests.len()));
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 64]);
        queue.before_sleep();
        assert_eq!(waiting.try_recv().map(|group| group.requests.len()), Ok(9));
        queue.before_sleep();
        assert!(waiting.try_recv().is_err());
        assert!(queue.add(request()));
        assert_eq!(waiting.try_recv().map(|group| group.requests.len()), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_change_waits_for_ever_for_others() {
        let (queue, mut waiting) = queue(false);
        tokio::spawn(hand_over_in_time(Arc::downgrade(&queue)));
        for _ in 0..6 {
            assert!(queue.add(request()));
        }
        let begun = Instant::now();
        let mut sizes = Vec::new();
        for _ in 0..3 {
            sizes.push(waiting.recv().await.unwrap().requests.len());
        }
        assert_eq!(sizes, [1, 2, 3]);
        assert!(begun.elapsed() <= 2 * GATHERING_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_wait_for_those_of_clients_who_choose() {
        let (queue, mut waiting) = queue(true);
        let tills = [(); 8].map(|()| ClientState::default());
        // Without one who only reads the worker would make the changes.
        queue.clients().note_read(&ClientState::default());
        let read_all = || tills.iter().for_each(|till| queue.clients().note_read(till));
        let change = |till: usize| {
            queue.clients().note_change(&tills[till]);
            assert!(queue.add(request()));
        };
        let mut handed_over = || waiting.try_recv().map_or(0, |group| group.requests.len());
        let millisecond = Duration::from_millis(1);
        tills.iter().for_each(|till| queue.clients().note_change(till));
        tokio::time::advance(millisecond).await;
        read_all();
        change(0);
        assert_eq!(handed_over(), 1);
        // Seven have read, and count for one round more.
        for till in 1..4 {
            change(till);
            queue.before_sleep();
            assert_eq!(handed_over(), 0);
        }
        // Three are left.
        change(4);
        assert_eq!(handed_over(), 0);
        queue.before_sleep();
        assert_eq!(handed_over(), 4);
        read_all();
        for till in 0..2 {
            change(till);
            queue.before_sleep();
            assert_eq!(handed_over(), 0);
            tokio::time::advance(millisecond).await;
            queue.before_sleep();
            assert_eq!(handed_over(), 1);
        }
        // None has read lately.
        change(2);
        assert_eq!(handed_over(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_change_waits_for_ever_for_clients_who_ask_for_none() {
        let (queue, mut waiting) = queue(true);
        queue.clients().note_read(&ClientState::default());
        tokio::spawn(hand_over_in_time(Arc::downgrade(&queue)));
        let tills = [(); 5].map(|()| ClientState::default());
        for till in &tills {
            queue.clients().note_change(till);
            queue.clients().note_read(till);
        }
        queue.clients().note_change(&tills[0]);
        assert!(queue.add(request()));
        queue.before_sleep();
        assert!(waiting.try_recv().is_err());
        let begun = Instant::now();
        assert_eq!(waiting.recv().await.unwrap().requests.len(), 1);
        assert!(begun.elapsed() <= 2 * GATHERING_MAX);
    }

    #[tokio::test]
    async fn who_asked_lately_is_waited_for_a_little() {
        let (queue, mut waiting) = queue(true);
        tokio::spawn(make_when_due(Arc::downgrade(&queue)));
        let tills = [(); 2].map(|()| ClientState::default());
        let change = |till: &ClientState| {
            queue.clients().note_change(till);
            assert!(queue.add(request()));
            queue.before_sleep();
        };
        let answer_all_made = || {
            queue.note_answers(&[]);
            let mut gathered = queue.gathered();
            gathered.unanswered = Load::of(&gathered.group);
        };
        // In vain, if the other never comes.
        tills.iter().for_each(|till| queue.clients().note_change(till));
        change(&tills[0]);
        assert_eq!(waiting.recv().await.unwrap().requests.len(), 1);
        answer_all_made();
        // A machine that has other things to do may take this test longer than that.
        for attempt in 0.. {
            assert!(attempt < 1000, "nobody was waited for");
            tills.iter().for_each(|till| queue.clients().note_change(till));
            change(&tills[0]);
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let was_waited_for = waiting.is_empty();
            change(&tills[1]);
            let made = waiting.recv().await.unwrap().requests.len();
            if was_waited_for {
                assert_eq!(made, 2);
                break;
            }
            answer_all_made();
            queue.before_sleep();
            assert_eq!((made, waiting.recv().await.unwrap().requests.len()), (1, 1));
            answer_all_made();
        }
    }

    #[test]
    fn what_nobody_waits_for_is_handed_over_too() {
        let (queue, mut waiting) = queue(false);
        for _ in 0..3 {
            assert!(queue.add(request()));
        }
        drop(queue);
        let sizes = std::iter::from_fn(|| waiting.try_recv().ok()).map(|group| group.requests.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn who_hands_over_to_nobody_is_told() {
        let (queue, waiting) = queue(false);
        drop(waiting);
        assert!(!queue.add(request()));
    }
}
