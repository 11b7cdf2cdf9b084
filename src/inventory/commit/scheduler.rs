//! Who makes the changes of a worker: itself, or the committer.
//!
//! While the worker makes them, no other thread is to be woken, and all who wait share one
//! transaction; but its connections wait for the disk. While the committer does, the worker takes
//! in those of the next one. So the worker makes them where it has nothing else to do and nobody
//! only reads:
//!
//! | whose changes | who makes them | when |
//! |---|---|---|
//! | the only worker's, up to [`OWN_ROWS_MAX`], and nobody only reads | the worker | when it is about to sleep, or [`COMMIT_DELAY`](super::queue::COMMIT_DELAY) after the last one came |
//! | one of several workers', of a client that was alone [`ALONE_TIMES`] | the worker | the same |
//! | the only worker's others, if several clients read between their changes | the committer | when it is about to sleep, but not sooner than [`PACE`] after the last time, or with [`PORTION_ROWS_MAX`] |
//! | all others | the committer | when the worker is about to sleep; where it does not, in growing groups |
//!
//! None waits much longer than [`GATHERING_MAX`](super::queue::GATHERING_MAX) to be handed over.

use std::time::Duration;

use tokio::time::Instant;

use super::group::WriteGroup;

/// Rows of the store that the changes of a transaction of the worker's own touch at most. While it
/// makes a larger one it could have taken in much: with 64 changes in flight 50 connections would
/// make 0.84 times as many with 4096.
pub(super) const OWN_ROWS_MAX: usize = 512;

/// Rows that a worker hands over at once at most, when all came one by one: more would only keep
/// the committer waiting.
const PORTION_ROWS_MAX: usize = 64;

/// Times that a request must have been the only one that waits, one after the other, before one
/// of several workers makes it itself: with several connections it sometimes is.
const ALONE_TIMES: u32 = 4;

/// How often changes are handed over while clients who read may ask for some next, if they are so
/// many and no fewer than those that wait: each transaction takes its processor from those who read,
/// however few changes it has. Beside five clients that only read, 45 with ten reads to a change so
/// asked 1.4 times as much as when every sleep of the worker ended a group, and the slowest
/// hundredth waited 0.45 times as long.
const PACE: Duration = Duration::from_micros(500);
const CHOOSING_MANY: usize = 4;

/// For how long the committer makes the changes after a client that only reads has asked: one
/// that asks more often does not wait for the disk, and one that asks less often seldom does.
const READERS_REST: Duration = Duration::from_millis(100);

/// How much waits: requests, each of which will be answered on its own, and the rows of the
/// store that they may touch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub(super) requests: usize,
    pub(super) rows: usize,
}

impl Load {
    pub(super) fn of(group: &WriteGroup) -> Self {
        Self { requests: group.requests.len(), rows: group.rows }
    }
}

/// What to do with the changes that are gathered when the worker is about to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The worker makes them itself.
    CommitHere,
    /// Not yet: together with those of clients whom the committer answers soon, or who may ask for
    /// some next; or, if that takes longer, the committer.
    Delay,
    /// The committer makes them.
    HandToCommitter,
}

/// What one worker's changes were like until now.
pub(super) struct CommitScheduler {
    /// There is no other: the changes of several would mostly be in each other's way, and the
    /// committer gathers them.
    is_only_worker: bool,
    /// It had no time to sleep, or has more changes than it may make at once.
    is_busy: bool,
    /// Rows with which a group is handed over before the worker sleeps. They double each time that
    /// one is.
    portion_rows: usize,
    alone_times: u32,
    readers_until: Option<Instant>,
    /// When changes were last taken, to be made or handed over.
    taken: Instant,
}

impl CommitScheduler {
    pub(super) fn new(is_only_worker: bool) -> Self {
        let taken = Instant::now();
        Self { is_only_worker, is_busy: false, portion_rows: 1, alone_times: 0, readers_until: None, taken }
    }

    /// Notes that a request came, after which so much is gathered and not answered, whether a
    /// client that only reads has asked since the last decision, and how many may ask for a change
    /// next. Returns whether what is gathered is to be handed over before the worker sleeps.
    pub(super) fn note_request(
        &mut self,
        gathered: Load,
        unanswered: Load,
        has_reader: bool,
        choosing: usize,
    ) -> bool {
        self.alone_times = if unanswered.requests == 1 { self.alone_times.saturating_add(1) } else { 0 };
        let enough = if self.is_own() && self.readers_until.is_none() && !has_reader {
            OWN_ROWS_MAX + 1
        } else if self.paces(gathered.requests, choosing) {
            PORTION_ROWS_MAX
        } else {
            self.portion_rows
        };
        let is_enough = gathered.rows >= enough;
        if is_enough {
            self.portion_rows = (self.portion_rows * 2).min(PORTION_ROWS_MAX);
        }
        is_enough
    }

    /// Notes that the worker is about to sleep.
    pub(super) fn note_sleep(&mut self) {
        self.portion_rows = 1;
    }

    /// Notes that the worker was too long in going to sleep, with so much gathered.
    pub(super) fn note_lateness(&mut self, gathered: Load) {
        self.is_busy = true;
        // No more come in that time.
        self.portion_rows = gathered.rows;
    }

    /// Notes that what was gathered is taken.
    pub(super) fn note_taken(&mut self) {
        self.taken = Instant::now();
    }

    /// Whether the changes of so many are to wait for those of clients who may ask for one next.
    fn paces(&self, gathered: usize, choosing: usize) -> bool {
        self.is_only_worker && choosing >= CHOOSING_MANY.max(gathered) && self.taken.elapsed() < PACE
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
        self.is_busy = unanswered.rows > OWN_ROWS_MAX;
        let has_readers = self.has_readers(has_reader);
        let decision = if has_readers || !self.is_own() {
            if self.paces(gathered.requests, choosing) { Decision::Delay } else { Decision::HandToCommitter }
        } else if gathered.requests < unanswered.requests {
            Decision::Delay
        } else {
            Decision::CommitHere
        };
        if decision == Decision::Delay {
            // What comes now waits too.
            self.portion_rows = PORTION_ROWS_MAX;
        }
        decision
    }

    fn is_own(&self) -> bool {
        !self.is_busy && (self.is_only_worker || self.alone_times >= ALONE_TIMES)
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

    fn load(requests: usize) -> Load {
        Load { requests, rows: requests }
    }

    /// Whether so many are gathered until the worker is about to sleep.
    fn gathers(scheduler: &mut CommitScheduler, requests: usize) -> bool {
        !scheduler.note_request(load(requests), load(requests), false, 0)
    }

    /// Decides with so many gathered of so many that wait, after the last came, and no reader.
    fn decide(scheduler: &mut CommitScheduler, gathered: usize, unanswered: usize) -> Decision {
        scheduler.note_request(load(gathered), load(unanswered), false, 0);
        scheduler.decide(load(gathered), load(unanswered), false, 0)
    }

    #[test]
    fn who_only_changes_is_served_by_its_worker() {
        let mut scheduler = CommitScheduler::new(true);
        for waiting in [1, 2, 50, 512] {
            assert_eq!(decide(&mut scheduler, waiting, waiting), Decision::CommitHere);
        }
        // The committer has the others, and will answer them.
        assert_eq!(decide(&mut scheduler, 4, 14), Decision::Delay);
    }

    #[test]
    fn several_workers_serve_only_who_is_alone() {
        let mut scheduler = CommitScheduler::new(false);
        for _ in 0..2 {
            for _ in 1..ALONE_TIMES {
                assert_eq!(decide(&mut scheduler, 1, 1), Decision::HandToCommitter);
            }
            for _ in 0..3 {
                assert_eq!(decide(&mut scheduler, 1, 1), Decision::CommitHere);
            }
            assert_eq!(decide(&mut scheduler, 1, 2), Decision::HandToCommitter);
            assert_eq!(decide(&mut scheduler, 50, 50), Decision::HandToCommitter);
        }
        scheduler.note_taken();
        assert!(!scheduler.paces(1, 50));
    }

    #[test]
    fn a_worker_that_does_not_sleep_no_longer_gathers_until_it_does() {
        let mut scheduler = CommitScheduler::new(true);
        assert!(gathers(&mut scheduler, 50));
        scheduler.note_lateness(load(50));
        assert!(gathers(&mut scheduler, 49));
        assert!(!gathers(&mut scheduler, 50));
        assert_eq!(decide(&mut scheduler, 50, 50), Decision::CommitHere);
        assert!(gathers(&mut scheduler, 512));
    }

    #[test]
    fn what_takes_long_is_handed_over() {
        let mut scheduler = CommitScheduler::new(true);
        let rows = |rows| Load { requests: 100, rows };
        assert!(scheduler.note_request(rows(513), rows(513), false, 0));
        assert_eq!(scheduler.decide(rows(513), rows(513), false, 0), Decision::HandToCommitter);
        assert!(!gathers(&mut scheduler, 100));
        assert_eq!(scheduler.decide(rows(512), rows(512), false, 0), Decision::CommitHere);
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_reads_does_not_wait_for_the_disk() {
        let mut scheduler = CommitScheduler::new(true);
        assert_eq!(decide(&mut scheduler, 50, 50), Decision::CommitHere);
        assert_eq!(scheduler.decide(load(50), load(50), true, 0), Decision::HandToCommitter);
        tokio::time::advance(READERS_REST / 2).await;
        assert_eq!(scheduler.decide(load(50), load(50), true, 0), Decision::HandToCommitter);
        tokio::time::advance(READERS_REST - Duration::from_millis(1)).await;
        assert_eq!(decide(&mut scheduler, 50, 50), Decision::HandToCommitter);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(decide(&mut scheduler, 50, 50), Decision::CommitHere);
    }

    #[tokio::test(start_paused = true)]
    async fn few_changes_wait_for_clients_who_choose() {
        let mut scheduler = CommitScheduler::new(true);
        tokio::time::advance(PACE).await;
        let mut decide = |gathered, choosing| {
            let decision = scheduler.decide(load(gathered), load(gathered), true, choosing);
            if decision != Decision::Delay {
                scheduler.note_taken();
            }
            decision
        };
        assert_eq!(decide(2, CHOOSING_MANY), Decision::HandToCommitter);
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Delay);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Delay);
        // Nobody who might change something is left, or too few.
        assert_eq!(decide(2, CHOOSING_MANY - 1), Decision::HandToCommitter);
        assert_eq!(decide(CHOOSING_MANY + 1, CHOOSING_MANY), Decision::HandToCommitter);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::Delay);
        tokio::time::advance(PACE / 2).await;
        assert_eq!(decide(2, CHOOSING_MANY), Decision::HandToCommitter);
    }
}
