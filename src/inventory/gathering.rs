//! How the changes of one worker's connections are made.
//!
//! A transaction takes the processor for as long as a hundred changes do, however few it has.
//! Handed over one by one, the changes of many connections would become many small ones, and
//! on a machine whose processors are all busy each takes the place of the worker that was about
//! to hand over more. So a worker that always has more to do hands over more and more at once;
//! one that is about to sleep, all it has, and begins with one again. It also waits a little for
//! clients who read and may change something next.
//!
//! Where the [`Policy`] says so it hands over nothing: once it is about to sleep it makes all that
//! it has itself, after a moment for clients who were just answered and ask again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::clients::Clients;
use super::committer::SharedWriter;
use super::policy::{Decision, Load, Policy};
use super::submission::{Answered, Portion, Submission};

/// About how long a change may wait for others of its worker, timers being of milliseconds: one
/// that is never about to sleep is not to keep a change for ever, nor one that waits for clients
/// who then ask for none.
pub(super) const GATHERING_MAX: Duration = Duration::from_millis(1);

/// How long a worker that is to make changes waits, after the last one that came, for those of
/// clients who asked in this round or the one before: one on this machine asks again some 25 µs
/// after its answer, and all of them then share a transaction. With 2, 4, 8, 12, 16 and 50
/// connections that makes 1.3, 1.6, 1.4, 1.1, 1.1 and 1.0 times as many changes; in vain, it takes a
/// fifth of what a transaction does.
pub(super) const COMPANY_MAX: Duration = Duration::from_micros(30);

/// How long after answers clients are so waited for: hundreds have then asked again who do so at
/// once. Who asks less often is not kept waiting.
const COMPANY_AFTER_ANSWERS_MAX: Duration = Duration::from_micros(500);

/// The submissions of one worker, until they are handed over together.
pub(super) struct Gathering {
    portions: mpsc::UnboundedSender<Portion>,
    writer: SharedWriter,
    /// How answers come back to the worker.
    delivery: mpsc::UnboundedSender<Vec<Answered>>,
    gathered: Mutex<Gathered>,
    /// A round of theirs ends when what is gathered is handed over or made.
    clients: Clients,
    /// Told when something begins to wait.
    has_begun: Arc<Notify>,
    /// Told when the worker is to make what there is.
    is_due: Arc<Notify>,
}

/// What waits to be handed over, or to be made.
struct Gathered {
    portion: Portion,
    /// That, and what is not answered yet.
    unanswered: Load,
    policy: Policy,
    /// When the first of it came.
    begun_at: Instant,
    /// When answers last came for clients of this worker.
    answered_at: Instant,
}

impl Gathering {
    pub(super) fn new(
        portions: mpsc::UnboundedSender<Portion>,
        writer: SharedWriter,
        delivery: mpsc::UnboundedSender<Vec<Answered>>,
        policy: Policy,
    ) -> Self {
        let gathered = Mutex::new(Gathered {
            portion: Portion::default(),
            unanswered: Load::default(),
            policy,
            begun_at: Instant::now(),
            answered_at: Instant::now(),
        });
        let clients = Clients::default();
        Self {
            portions,
            writer,
            delivery,
            gathered,
            clients,
            has_begun: Arc::default(),
            is_due: Arc::default(),
        }
    }

    pub(super) fn clients(&self) -> &Clients {
        &self.clients
    }

    pub(super) fn delivery(&self) -> mpsc::UnboundedSender<Vec<Answered>> {
        self.delivery.clone()
    }

    /// Adds a submission, and hands over if that is enough. Returns whether the committer is
    /// there.
    pub(super) fn add(&self, submission: Submission) -> bool {
        let mut gathered = self.gathered();
        let Gathered { portion, unanswered, policy, .. } = &mut *gathered;
        unanswered.submissions += 1;
        unanswered.rows += submission.asker.rows;
        portion.add(submission);
        let (has_reader, choosing) = (self.clients.has_reader(), self.clients.choosing());
        if policy.note_submission(Load::of(portion), *unanswered, has_reader, choosing) {
            return self.hand_over(&mut gathered);
        }
        if gathered.portion.submissions.len() == 1 {
            gathered.begun_at = Instant::now();
            self.has_begun.notify_one();
        }
        true
    }

    /// Hands over what there is, or has it made, or lets it wait: the worker has answered all that it
    /// has read.
    pub(super) fn before_sleep(&self) {
        let mut gathered = self.gathered();
        let Gathered { portion, unanswered, policy, .. } = &mut *gathered;
        policy.note_sleep();
        if unanswered.submissions == 0 {
            // A reader is kept in mind until then.
            return;
        }
        let (has_reader, choosing) = (self.clients.take_reader(), self.clients.choosing());
        match policy.decide(Load::of(portion), *unanswered, has_reader, choosing) {
            Decision::Wait => {}
            Decision::HandOver => {
                self.hand_over(&mut gathered);
            }
            Decision::Make => self.is_due.notify_one(),
        }
    }

    /// Makes what there is, or hands it over where it may not or a reader has come since.
    fn make(&self) {
        let portion = self.take(&mut self.gathered());
        if portion.submissions.is_empty() {
            return;
        }
        let is_left = match self.clients.has_reader() {
            true => Err(portion),
            false => self.writer.try_commit(portion),
        };
        if let Err(portion) = is_left {
            let _ = self.portions.send(portion);
        }
    }

    /// Whether clients may ask for changes now that could share the transaction of those that there
    /// are, the last of which came then.
    fn has_company(&self, last_came: Instant) -> bool {
        let gathered = self.gathered();
        let count = gathered.portion.submissions.len();
        count > 0
            && count < self.clients.changing()
            && !self.clients.has_reader()
            && last_came.elapsed() < COMPANY_MAX
            && gathered.answered_at.elapsed() < COMPANY_AFTER_ANSWERS_MAX
    }

    /// Notes that these are answered.
    pub(super) fn note_answers(&self, answers: &[Answered]) {
        let mut gathered = self.gathered();
        gathered.answered_at = Instant::now();
        let unanswered = &mut gathered.unanswered;
        unanswered.submissions -= answers.len();
        unanswered.rows -= answers.iter().map(Answered::rows).sum::<usize>();
    }

    /// Hands over what has waited for [`GATHERING_MAX`]; tells when to look again, if anything
    /// waits.
    fn hand_over_late(&self) -> Option<Instant> {
        let mut gathered = self.gathered();
        if gathered.portion.submissions.is_empty() {
            return None;
        }
        let due = gathered.begun_at + GATHERING_MAX;
        if due > Instant::now() {
            return Some(due);
        }
        let late = Load::of(&gathered.portion);
        gathered.policy.note_lateness(late);
        self.hand_over(&mut gathered);
        None
    }

    /// Hands over what there is, if anything. Returns whether the committer is there.
    fn hand_over(&self, gathered: &mut Gathered) -> bool {
        let portion = self.take(gathered);
        portion.submissions.is_empty() || self.portions.send(portion).is_ok()
    }

    /// Takes what there is.
    fn take(&self, gathered: &mut Gathered) -> Portion {
        if !gathered.portion.submissions.is_empty() {
            gathered.policy.note_taken();
            self.clients.end_round();
        }
        std::mem::take(&mut gathered.portion)
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Gathering {
    /// A change is made also where nobody waits for it any more.
    fn drop(&mut self) {
        self.hand_over(&mut self.gathered());
    }
}

/// Makes what is due, for as long as it is polled. Before, it reads what has come since, for as long
/// as more comes, and waits a little for clients who asked lately and are missing.
pub(super) async fn make_when_due(gathering: Weak<Gathering>) {
    let Some(is_due) = gathering.upgrade().map(|gathering| Arc::clone(&gathering.is_due)) else { return };
    loop {
        is_due.notified().await;
        let mut count = 0;
        let mut last_came = Instant::now();
        while let Some(gathering) = gathering.upgrade() {
            let before = std::mem::replace(&mut count, gathering.gathered().portion.submissions.len());
            if count > before {
                last_came = Instant::now();
            } else if !gathering.has_company(last_came) {
                gathering.make();
                break;
            }
            drop(gathering);
            tokio::task::yield_now().await;
        }
    }
}

/// Hands over what has waited for long, for as long as it is polled.
pub(super) async fn hand_over_in_time(gathering: Weak<Gathering>) {
    let Some(has_begun) = gathering.upgrade().map(|gathering| Arc::clone(&gathering.has_begun)) else {
        return;
    };
    loop {
        has_begun.notified().await;
        while let Some(due) = gathering.upgrade().and_then(|gathering| gathering.hand_over_late()) {
            tokio::time::sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::clients::Client;
    use super::super::committer::Committer;
    use super::super::submission::Change;
    use super::*;
    use crate::catalog::{Adjustment, Kind, ProductId, Quantity};
    use crate::store::sqlite::SqliteStore;

    /// A gathering of the only worker or of one of several, and where its portions come out.
    fn gathering(is_only: bool) -> (Arc<Gathering>, mpsc::UnboundedReceiver<Portion>) {
        let (portions, waiting) = mpsc::unbounded_channel();
        let (delivery, _) = mpsc::unbounded_channel();
        let store = SqliteStore::in_memory().unwrap();
        let (_, nothing) = mpsc::unbounded_channel();
        let (committer, writer) = Committer::start(Arc::default(), Box::new(store), nothing);
        // With nobody who could hand over anything, it is gone, and all is left for it.
        committer.join().unwrap();
        (Arc::new(Gathering::new(portions, writer, delivery, Policy::new(is_only))), waiting)
    }

    fn submission() -> Submission {
        let (answer, _) = oneshot::channel();
        let delta = Quantity::from_units(1);
        let adjustment =
            Adjustment { product: ProductId::FIRST, delta, kind: Kind::Purchase, request_id: None };
        Submission::new(vec![Change::Adjust(adjustment)], true, answer, None)
    }

    #[test]
    fn a_busy_worker_hands_over_more_and_more_until_it_sleeps() {
        let (gathering, mut waiting) = gathering(false);
        let mut sizes = Vec::new();
        for _ in 0..200 {
            assert!(gathering.add(submission()));
            sizes.extend(waiting.try_recv().map(|portion| portion.submissions.len()));
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 64]);
        gathering.before_sleep();
        assert_eq!(waiting.try_recv().map(|portion| portion.submissions.len()), Ok(9));
        gathering.before_sleep();
        assert!(waiting.try_recv().is_err());
        assert!(gathering.add(submission()));
        assert_eq!(waiting.try_recv().map(|portion| portion.submissions.len()), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_change_waits_for_ever_for_others() {
        let (gathering, mut waiting) = gathering(false);
        tokio::spawn(hand_over_in_time(Arc::downgrade(&gathering)));
        for _ in 0..6 {
            assert!(gathering.add(submission()));
        }
        let begun = Instant::now();
        let mut sizes = Vec::new();
        for _ in 0..3 {
            sizes.push(waiting.recv().await.unwrap().submissions.len());
        }
        assert_eq!(sizes, [1, 2, 3]);
        assert!(begun.elapsed() <= 2 * GATHERING_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_wait_for_those_of_clients_who_choose() {
        let (gathering, mut waiting) = gathering(true);
        let tills = [(); 8].map(|()| Client::default());
        // Without one who only reads the worker would make the changes.
        gathering.clients().note_read(&Client::default());
        let read_all = || tills.iter().for_each(|till| gathering.clients().note_read(till));
        let change = |till: usize| {
            gathering.clients().note_change(&tills[till]);
            assert!(gathering.add(submission()));
        };
        let mut handed_over = || waiting.try_recv().map_or(0, |portion| portion.submissions.len());
        let millisecond = Duration::from_millis(1);
        tills.iter().for_each(|till| gathering.clients().note_change(till));
        tokio::time::advance(millisecond).await;
        read_all();
        change(0);
        assert_eq!(handed_over(), 1);
        // Seven have read, and count for one round more.
        for till in 1..4 {
            change(till);
            gathering.before_sleep();
            assert_eq!(handed_over(), 0);
        }
        // Three are left.
        change(4);
        assert_eq!(handed_over(), 0);
        gathering.before_sleep();
        assert_eq!(handed_over(), 4);
        read_all();
        for till in 0..2 {
            change(till);
            gathering.before_sleep();
            assert_eq!(handed_over(), 0);
            tokio::time::advance(millisecond).await;
            gathering.before_sleep();
            assert_eq!(handed_over(), 1);
        }
        // None has read lately.
        change(2);
        assert_eq!(handed_over(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_change_waits_for_ever_for_clients_who_ask_for_none() {
        let (gathering, mut waiting) = gathering(true);
        gathering.clients().note_read(&Client::default());
        tokio::spawn(hand_over_in_time(Arc::downgrade(&gathering)));
        let tills = [(); 5].map(|()| Client::default());
        for till in &tills {
            gathering.clients().note_change(till);
            gathering.clients().note_read(till);
        }
        gathering.clients().note_change(&tills[0]);
        assert!(gathering.add(submission()));
        gathering.before_sleep();
        assert!(waiting.try_recv().is_err());
        let begun = Instant::now();
        assert_eq!(waiting.recv().await.unwrap().submissions.len(), 1);
        assert!(begun.elapsed() <= 2 * GATHERING_MAX);
    }

    #[tokio::test]
    async fn who_asked_lately_is_waited_for_a_little() {
        let (gathering, mut waiting) = gathering(true);
        tokio::spawn(make_when_due(Arc::downgrade(&gathering)));
        let tills = [(); 2].map(|()| Client::default());
        let change = |till: &Client| {
            gathering.clients().note_change(till);
            assert!(gathering.add(submission()));
            gathering.before_sleep();
        };
        let answer_all_made = || {
            gathering.note_answers(&[]);
            let mut gathered = gathering.gathered();
            gathered.unanswered = Load::of(&gathered.portion);
        };
        // In vain, if the other never comes.
        tills.iter().for_each(|till| gathering.clients().note_change(till));
        change(&tills[0]);
        assert_eq!(waiting.recv().await.unwrap().submissions.len(), 1);
        answer_all_made();
        // A machine that has other things to do may take this test longer than that.
        for attempt in 0.. {
            assert!(attempt < 1000, "nobody was waited for");
            tills.iter().for_each(|till| gathering.clients().note_change(till));
            change(&tills[0]);
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let was_waited_for = waiting.is_empty();
            change(&tills[1]);
            let made = waiting.recv().await.unwrap().submissions.len();
            if was_waited_for {
                assert_eq!(made, 2);
                break;
            }
            answer_all_made();
            gathering.before_sleep();
            assert_eq!((made, waiting.recv().await.unwrap().submissions.len()), (1, 1));
            answer_all_made();
        }
    }

    #[test]
    fn what_nobody_waits_for_is_handed_over_too() {
        let (gathering, mut waiting) = gathering(false);
        for _ in 0..3 {
            assert!(gathering.add(submission()));
        }
        drop(gathering);
        let sizes = std::iter::from_fn(|| waiting.try_recv().ok()).map(|portion| portion.submissions.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn who_hands_over_to_nobody_is_told() {
        let (gathering, waiting) = gathering(false);
        drop(waiting);
        assert!(!gathering.add(submission()));
    }
}
