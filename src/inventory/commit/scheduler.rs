//! The commit scheduler: who commits the queue of a worker, and when.
//!
//! If the worker commits, no other thread has to be woken and the whole queue shares one transaction, but the
//! worker's connections wait for the disk. If the committer thread commits, the worker queues the next group
//! at the same time. So the worker commits if it has nothing else to do, the transaction is short, and no
//! client only reads:
//!
//! | the worker is about to sleep, and | decision |
//! |---|---|
//! | a client that only reads asked in the last [`READERS_REST`] | the committer commits |
//! | more than [`COMMIT_HERE_ROWS_MAX`] rows wait for their results | the committer commits |
//! | there are several workers, and more than one request waits for its result | the committer commits |
//! | the committer still has requests of this worker | wait for their results |
//! | clients that asked lately are missing, and the last request came less than [`COMMIT_DELAY`] ago | look again soon |
//! | none of these | the worker commits |
//!
//! A worker that does not sleep hands its queue over if the committer is to commit and the queue has
//! [`GROUP_ROWS_MIN`] rows, and after [`QUEUE_TIME_MAX`] in any case.

use std::time::Duration;

/// The most rows that a worker commits itself: a larger transaction takes longer than waking the committer
/// (row `update-64`).
pub(super) const COMMIT_HERE_ROWS_MAX: usize = 512;

/// The fewest rows of a group that a busy worker hands over: with fewer, the transaction would cost more than
/// its changes (row `update-64`).
const GROUP_ROWS_MIN: usize = 64;

/// The time for which the committer commits after a read of a client that only reads: a client that reads
/// more often never waits for the disk, and one that reads less often seldom does (row `read-p99`).
pub(super) const READERS_REST: Duration = Duration::from_millis(100);

/// The time that the worker waits, after the last request, for clients that asked lately: a client on this
/// machine asks again some 25 µs after its answer, and then shares the transaction. PostgreSQL has
/// `commit_delay` for the same purpose.
const COMMIT_DELAY: Duration = Duration::from_micros(30);

/// The longest time that a request waits in the queue of a worker that never sleeps. Timers count
/// milliseconds.
pub(super) const QUEUE_TIME_MAX: Duration = Duration::from_millis(1);

/// The state that a decision depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QueueState {
    /// Whether there is no other worker.
    pub(super) is_only_worker: bool,
    /// Requests in the queue, and the rows of the store that they may touch.
    pub(super) requests: usize,
    pub(super) rows: usize,
    /// All requests that wait for their results, in the queue or with the committer, and their rows.
    pub(super) waiting_requests: usize,
    pub(super) waiting_rows: usize,
    /// Whether a client that only reads asked in the last [`READERS_REST`].
    pub(super) has_readers: bool,
    /// Clients that asked for changes in this round or the one before.
    pub(super) clients: usize,
    /// The time since the last request came.
    pub(super) quiet: Duration,
}

/// The next step for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The worker commits the queue.
    CommitHere,
    /// The committer commits the queue.
    HandToCommitter,
    /// More requests may come in some microseconds: decide again after a turn of all connections.
    Delay,
    /// The committer has requests of this worker, whose clients may ask again after their results:
    /// decide again when the worker is next about to sleep.
    AwaitResults,
}

impl QueueState {
    /// Decides about a queue that is not empty when the worker has nothing else to do.
    pub(super) fn decide(&self) -> Decision {
        let may_commit_here = self.is_only_worker || self.waiting_requests == 1;
        if self.has_readers || self.waiting_rows > COMMIT_HERE_ROWS_MAX || !may_commit_here {
            Decision::HandToCommitter
        } else if self.requests < self.waiting_requests {
            Decision::AwaitResults
        } else if self.requests < self.clients && self.quiet < COMMIT_DELAY {
            Decision::Delay
        } else {
            Decision::CommitHere
        }
    }

    /// Whether the queue goes to the committer although the worker has other work.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= GROUP_ROWS_MIN && self.decide() == Decision::HandToCommitter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_WORKER: QueueState = QueueState {
        is_only_worker: true,
        requests: 50,
        rows: 50,
        waiting_requests: 50,
        waiting_rows: 50,
        has_readers: false,
        clients: 50,
        quiet: Duration::ZERO,
    };

    fn rows(rows: usize) -> QueueState {
        QueueState { rows, waiting_rows: rows, ..ONE_WORKER }
    }

    #[test]
    fn the_only_worker_commits_short_transactions() {
        for state in [ONE_WORKER, rows(COMMIT_HERE_ROWS_MAX)] {
            assert_eq!(state.decide(), Decision::CommitHere);
            assert!(!state.is_full());
        }
        let long = rows(COMMIT_HERE_ROWS_MAX + 1);
        assert_eq!(long.decide(), Decision::HandToCommitter);
        assert!(long.is_full());
    }

    #[test]
    fn the_committer_commits_while_somebody_only_reads() {
        let state = |rows| QueueState { rows, has_readers: true, ..ONE_WORKER };
        assert_eq!(state(1).decide(), Decision::HandToCommitter);
        assert!(!state(GROUP_ROWS_MIN - 1).is_full() && state(GROUP_ROWS_MIN).is_full());
    }

    #[test]
    fn one_of_several_workers_commits_a_lone_request() {
        let several = QueueState { is_only_worker: false, ..ONE_WORKER };
        assert_eq!(several.decide(), Decision::HandToCommitter);
        let two = QueueState { requests: 1, waiting_requests: 2, clients: 2, ..several };
        assert_eq!(two.decide(), Decision::HandToCommitter);
        let lone = QueueState { requests: 1, waiting_requests: 1, clients: 1, ..several };
        assert_eq!(lone.decide(), Decision::CommitHere);
    }

    #[test]
    fn the_worker_waits_for_results_before_it_commits() {
        let state = QueueState { requests: 4, waiting_requests: 14, ..ONE_WORKER };
        assert_eq!(state.decide(), Decision::AwaitResults);
    }

    #[test]
    fn the_worker_waits_a_little_for_clients_that_asked_lately() {
        let state = |quiet| QueueState { clients: 51, quiet, ..ONE_WORKER };
        assert_eq!(state(COMMIT_DELAY - Duration::from_nanos(1)).decide(), Decision::Delay);
        assert_eq!(state(COMMIT_DELAY).decide(), Decision::CommitHere);
    }
}
