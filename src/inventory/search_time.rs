//! The time budget of searches for names that resemble a wrong one.
//!
//! A search of this kind is the only read that takes long. Without a limit, a client that asks for one wrong
//! name after the other would make all other clients wait.

use std::time::{Duration, Instant};

/// The rest after a search, as a multiple of its duration. All searches together take no more than a
/// hundredth of a thread, so even the 99th percentile of the other requests' waits stays below one search.
const REST_FACTOR: u32 = 100;

/// The most rest that searches may owe, which allows a burst of a tenth of a second of searching: some
/// hundred wrong names on a market's list, more than people type in ten seconds.
const AHEAD_MAX: Duration = Duration::from_secs(10);

/// The account of the searches: a clock that each search moves forward by its duration and its rest.
#[derive(Debug)]
pub(super) struct SearchTime {
    rested_at: Instant,
}

impl SearchTime {
    pub(super) fn new(now: Instant) -> Self {
        Self { rested_at: now }
    }

    /// Whether another search may begin.
    pub(super) fn is_left(&self, now: Instant) -> bool {
        self.rested_at <= now + AHEAD_MAX
    }

    /// Counts a search that has ended.
    pub(super) fn spend(&mut self, now: Instant, took: Duration) {
        // If the process was stopped during the search, the search took less time than it seems.
        let rest = took.saturating_mul(REST_FACTOR).min(AHEAD_MAX);
        self.rested_at = self.rested_at.max(now) + rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_take_a_hundredth_of_the_time_after_a_tenth_of_a_second() {
        let search = Duration::from_millis(1);
        let start = Instant::now();
        let mut time = SearchTime::new(start);
        // A client asks every millisecond, for a minute and a half.
        let searches_until = |time: &mut SearchTime, from: u64, until: u64| {
            (from..until)
                .filter(|millisecond| {
                    let now = start + Duration::from_millis(*millisecond);
                    let is_left = time.is_left(now);
                    if is_left {
                        time.spend(now, search);
                    }
                    is_left
                })
                .count()
        };
        let at_once = searches_until(&mut time, 0, 1_000);
        assert!((100..=112).contains(&at_once), "{at_once}");
        let later = searches_until(&mut time, 1_000, 91_000);
        assert!((890..=910).contains(&later), "{later}");
        // A client that has not asked for long has no larger burst.
        let at_once = searches_until(&mut time, 1_000_000, 1_001_000);
        assert!((100..=112).contains(&at_once), "{at_once}");
    }

    #[test]
    fn a_search_that_was_held_up_stops_the_others_for_seconds() {
        let start = Instant::now();
        let mut time = SearchTime::new(start);
        time.spend(start, Duration::from_secs(3600));
        time.spend(start, Duration::from_secs(3600));
        assert!(!time.is_left(start));
        assert!(time.is_left(start + AHEAD_MAX));
    }
}
