//! Who makes the changes of a worker: itself, or the committer.
//!
//! While the worker makes them, no other thread is to be woken, and all who wait share one
//! transaction; but its connections wait for the disk. While the committer does, the worker takes
//! in those of the next one.

use std::time::Duration;

use tokio::time::Instant;

use super::submission::Portion;

/// Submissions that wait from which on a worker makes them itself, and below which it no longer
/// does. With one connection that made 1.19 times as many changes as the committer, with 2, 4, 10
/// and 12 fewer (0.92, 0.83, 0.96 and 0.93), with 16, 20, 26, 32 and 50 more (1.10 and 1.24, 1.20,
/// 1.25, 1.28, 1.34), each with one change in flight, on two cores.
const MANY_FROM: usize = 14;
const STILL_MANY_FROM: usize = 7;

/// Submissions, and rows of the store, of which a worker makes a transaction itself at most. While
/// it makes larger ones it could have taken in much: with 300 connections it made 0.90 times as
/// many changes (with 200 0.99, with 150 1.13), and with 50 that have 16 in flight 0.94.
const OWN_SUBMISSIONS_MAX: usize = 192;
pub(super) const OWN_ROWS_MAX: usize = 512;

/// Times that a submission must have been the only one that waits, one after the other, before a
/// worker makes it itself: with several connections it sometimes is.
const ALONE_TIMES: u32 = 4;

/// How often changes are taken while clients who read may ask for some next, if they are so many
/// and no fewer than those that wait: each transaction takes its processor from those who read,
/// however few changes it has. With ten reads to a change, 8, 20 and 50 connections so asked 1.2,
/// 1.6 and 1.3 times as much as when every sleep of the worker ended a portion, and the slowest
/// hundredth waited 1.2, 0.9 and 0.6 times as long. When one client alone was waited for too, four
/// connections with four reads to a change asked 0.68 times as much.
const PACE: Duration = Duration::from_micros(500);
const CHOOSING_MANY: usize = 4;

/// For how long the committer makes the changes after a client that only reads has asked: one
/// that asks more often does not wait for the disk, and one that asks less often seldom does.
const READERS_REST: Duration = Duration::from_millis(100);

/// How much waits: submissions, each of which will be answered on its own, and the rows of the
/// store that they may touch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub(super) submissions: usize,
    pub(super) rows: usize,
}

impl Load {
    pub(super) fn of(portion: &Portion) -> Self {
        Self { submissions: portion.submissions.len(), rows: portion.rows }
    }
}

/// What to do with the changes that are gathered when the worker is about to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The worker makes them itself.
    Make,
    /// Not yet: together with those of clients whom the committer answers soon, or who may ask for
    /// some next; or, if that takes longer, the committer.
    Wait,
    /// The committer makes them.
    HandOver,
}

/// What one worker's changes were like until now.
pub(super) struct Policy {
    /// There is no other: the changes of several would mostly be in each other's way, and the
    /// committer gathers them.
    is_only_worker: bool,
    are_many: bool,
    alone_times: u32,
    readers_until: Option<Instant>,
    /// When changes were last taken, to be made or handed over.
    taken: Instant,
}

impl Policy {
    pub(super) fn new(is_only_worker: bool) -> Self {
        let taken = Instant::now();
        Self { is_only_worker, are_many: false, alone_times: 0, readers_until: None, taken }
    }

    /// Notes that a submission came, after which so many wait, and so many may come next.
    pub(super) fn note_submission(&mut self, unanswered: usize, choosing: usize) {
        self.alone_times =
            if unanswered == 1 && choosing < CHOOSING_MANY { self.alone_times.saturating_add(1) } else { 0 };
    }

    /// Notes that the worker was too long in going to sleep.
    pub(super) fn note_lateness(&mut self) {
        self.are_many = false;
        self.alone_times = 0;
    }

    /// Notes that what was gathered is taken.
    pub(super) fn note_taken(&mut self) {
        self.taken = Instant::now();
    }

    /// Whether the changes of so many are to wait for those of clients who may ask for one next.
    pub(super) fn paces(&self, gathered: usize, choosing: usize) -> bool {
        self.is_only_worker && choosing >= CHOOSING_MANY.max(gathered) && self.taken.elapsed() < PACE
    }

    /// Whether changes are to gather until the worker is about to sleep.
    pub(super) fn gathers(&self) -> bool {
        self.is_own() && self.readers_until.is_none()
    }

    /// Decides for what is gathered, given all that is not answered yet, whether a client that only
    /// reads has asked since it last decided, and how many may ask for a change next.
    pub(super) fn decide(
        &mut self,
        gathered: Load,
        unanswered: Load,
        has_reader: bool,
        choosing: usize,
    ) -> Decision {
        let is_small = unanswered.submissions <= OWN_SUBMISSIONS_MAX && unanswered.rows <= OWN_ROWS_MAX;
        let many_from = if self.are_many { STILL_MANY_FROM } else { MANY_FROM };
        self.are_many = self.is_only_worker && is_small && unanswered.submissions >= many_from;
        let has_readers = self.has_readers(has_reader);
        if has_readers || !is_small || !self.is_own() {
            if self.paces(gathered.submissions, choosing) { Decision::Wait } else { Decision::HandOver }
        } else if gathered.submissions < unanswered.submissions {
            Decision::Wait
        } else {
            Decision::Make
        }
    }

    fn is_own(&self) -> bool {
        self.are_many || self.alone_times >= ALONE_TIMES
    }

    fn has_readers(&mut self, has_reader: bool) -> bool {
        if has_reader {
            self.readers_until = Some(Instant::now() + READERS_REST);
        } else if self.readers_until.is_some_and(|until| until <= Instant::now()) {
            self.readers_until = None;
        }
        self.readers_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(submissions: usize) -> Load {
        Load { submissions, rows: submissions }
    }

    /// Decides with so many gathered of so many that wait, after the last came, and no reader.
    fn decide(policy: &mut Policy, gathered: usize, unanswered: usize) -> Decision {
        policy.note_submission(unanswered, 0);
        policy.decide(load(gathered), load(unanswered), false, 0)
    }

    #[test]
    fn who_is_alone_is_served_by_its_worker() {
        let mut policy = Policy::new(true);
        for _ in 0..2 {
            for _ in 1..ALONE_TIMES {
                assert_eq!(decide(&mut policy, 1, 1), Decision::HandOver);
            }
            for _ in 0..3 {
                assert_eq!(decide(&mut policy, 1, 1), Decision::Make);
            }
            assert_eq!(decide(&mut policy, 1, 2), Decision::HandOver);
        }
    }

    #[test]
    fn who_has_company_that_reads_is_not_alone() {
        let mut policy = Policy::new(true);
        for choosing in [CHOOSING_MANY; ALONE_TIMES as usize] {
            policy.note_submission(1, choosing);
        }
        assert_eq!(decide(&mut policy, 1, 1), Decision::HandOver);
    }

    #[test]
    fn many_are_served_by_their_worker_until_they_are_few() {
        let mut policy = Policy::new(true);
        assert_eq!(decide(&mut policy, 13, 13), Decision::HandOver);
        // The committer has the others, and will answer them.
        assert_eq!(decide(&mut policy, 4, 14), Decision::Wait);
        for waiting in [14, 192, 7] {
            assert_eq!(decide(&mut policy, waiting, waiting), Decision::Make);
        }
        assert_eq!(decide(&mut policy, 6, 6), Decision::HandOver);
        assert_eq!(decide(&mut policy, 7, 7), Decision::HandOver);
    }

    #[test]
    fn several_workers_leave_many_to_the_committer() {
        let mut policy = Policy::new(false);
        for waiting in [50, 50] {
            assert_eq!(decide(&mut policy, waiting, waiting), Decision::HandOver);
        }
        policy.note_taken();
        assert!(!policy.paces(1, 50));
        let decisions = [1; 4].map(|waiting| decide(&mut policy, waiting, waiting));
        assert_eq!(decisions.last(), Some(&Decision::Make));
    }

    #[test]
    fn a_worker_that_does_not_sleep_no_longer_gathers() {
        let mut policy = Policy::new(true);
        assert_eq!(decide(&mut policy, 50, 50), Decision::Make);
        assert!(policy.gathers());
        policy.note_lateness();
        assert!(!policy.gathers());
    }

    #[test]
    fn what_takes_long_is_handed_over() {
        let mut policy = Policy::new(true);
        assert_eq!(decide(&mut policy, 193, 193), Decision::HandOver);
        let rows = |rows| Load { submissions: 100, rows };
        assert_eq!(policy.decide(rows(513), rows(513), false, 0), Decision::HandOver);
        assert_eq!(policy.decide(rows(512), rows(512), false, 0), Decision::Make);
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_reads_does_not_wait_for_the_disk() {
        let mut policy = Policy::new(true);
        assert_eq!(decide(&mut policy, 50, 50), Decision::Make);
        assert_eq!(policy.decide(load(50), load(50), true, 0), Decision::HandOver);
        tokio::time::advance(READERS_REST / 2).await;
        assert_eq!(policy.decide(load(50), load(50), true, 0), Decision::HandOver);
        tokio::time::advance(READERS_REST - Duration::from_millis(1)).await;
        assert_eq!(decide(&mut policy, 50, 50), Decision::HandOver);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(decide(&mut policy, 50, 50), Decision::Make);
    }

    #[tokio::test(start_paused = true)]
    async fn few_changes_wait_for_clients_who_choose() {
        let mut policy = Policy::new(true);
        tokio::time::advance(PACE).await;
        let mut decide = |gathered, choosing| {
            let decision = policy.decide(load(gathered), load(gathered), false, choosing);
            if decision != Decision::Wait {
                policy.note_taken();
            }
            decision
        };
        assert_eq!(decide(2, CHOOSING_MANY), Decision::HandOver);
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Wait);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Wait);
        // Nobody who might change something is left, or too few.
        assert_eq!(decide(2, CHOOSING_MANY - 1), Decision::HandOver);
        assert_eq!(decide(CHOOSING_MANY + 1, CHOOSING_MANY), Decision::HandOver);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Wait);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::HandOver);
        assert_eq!(decide(14, CHOOSING_MANY), Decision::Make);
    }
}
