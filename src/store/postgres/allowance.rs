//! The time that is allowed for an action of an engine that may never answer.

use std::time::Duration;

use crate::store::lease::LEASE;

/// How long the engine may take for the barrier, which waits for a commit that still runs: at first, and after some
/// that took too long. A primary that was replaced waits for its standby for ever.
pub(super) const BARRIER_TIME: Duration = Duration::from_millis(500);
pub(super) const BARRIER_TIME_MAX: Duration = Duration::from_secs(5);

/// How long a step behind another server may take: at first, as long as a lease, because no server takes over while
/// this one waits for an engine that was replaced; and after some that took too long, because a step may have the whole
/// price list of a shop.
pub(super) const TAIL_TIME: Duration = LEASE;
pub(super) const TAIL_TIME_MAX: Duration = Duration::from_secs(60);

/// The time for an action that is tried again until it is done. The first attempts end soon, because the next
/// connection may find the engine that replaced this one, and the later ones may need more.
pub(super) struct Allowance {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Allowance {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// The time for the attempt that begins now. The next one has twice as much.
    pub(super) fn take(&mut self) -> Duration {
        let now = self.next;
        self.next = self.max.min(2 * now);
        now
    }

    /// Notes that the action was done.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_makes_the_next_one_longer_until_the_action_is_done() {
        let second = Duration::from_secs(1);
        let mut allowance = Allowance::new(second, 5 * second);
        assert_eq!([(); 5].map(|()| allowance.take()), [1, 2, 4, 5, 5].map(|seconds| seconds * second));
        allowance.reset();
        assert_eq!(allowance.take(), second);
    }
}
