//! Names that look like a wrong one, and how much time goes into the search for them.
//!
//! The search is the one read that takes long. Without a limit, a client that asks for wrong names
//! without end would make all others wait.

use std::time::{Duration, Instant};

use super::{Session, read};
use crate::catalog::Search;
use crate::refusal::{Code, Refusal};

/// A search is followed by so many times as long without one: all of them together take no
/// more than a hundredth of a thread, so that of the others' waits even the 99th percentile
/// stays below one search.
const REST_FACTOR: u32 = 100;

/// How far searches may be ahead of their rests. A tenth of a second of searching may come at
/// once: some hundred wrong names on a market's list, which people do not type in ten seconds.
const AHEAD_MAX: Duration = Duration::from_secs(10);

/// The account of the searches: a clock that each search sets on by what it took and its rest.
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
        // A process that was stopped meanwhile did not search for as long as it seems.
        let rest = took.saturating_mul(REST_FACTOR).min(AHEAD_MAX);
        self.rested_at = self.rested_at.max(now) + rest;
    }
}

impl Session {
    /// Adds the names that look like a wrong name to its refusal, if that is `PRODUCT_NOT_FOUND` and
    /// there is time for the search.
    pub async fn explain(&self, name: &str, refusal: Refusal) -> Refusal {
        if refusal.code != Code::ProductNotFound {
            return refusal;
        }
        let mut time = self.inventory.near_names.lock().await;
        if !time.is_left(Instant::now()) {
            return refusal;
        }
        let mut search = Search::new(name);
        loop {
            let begun = Instant::now();
            let has_more = search.go_on(read(&self.inventory.catalog).products());
            time.spend(begun, begun.elapsed());
            if !has_more {
                return Refusal::product_not_found(name, &search.names());
            }
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop};
    use super::*;
    use crate::operation::BatchRequest;

    #[tokio::test]
    async fn a_wrong_name_is_answered_with_those_that_look_like_it() {
        let (session, _committer) = shop();
        let refused = async |typed: &str| session.find(typed, |_| ()).await.unwrap_err();
        for (typed, offered) in [("Cajú amigo", "Caju"), ("Bananna", "Banana"), ("aca", "Maca")] {
            let refusal = refused(typed).await;
            assert_eq!(refusal.code, Code::ProductNotFound);
            assert!(refusal.message.contains(offered), "{}", refusal.message);
        }
        // A change and a batch name similar products, too.
        let refusal = session.adjust(asked("Bananna 1")).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        let batch = BatchRequest { adjustments: vec![asked("Caju 1"), asked("Bananna 1")], request_id: None };
        let refusal = session.adjust_together(batch).await.unwrap_err();
        assert!(refusal.message.contains("Banana."), "{}", refusal.message);
        assert!(refusal.metadata.contains(&("index", "1".to_owned())));
        // After more of them than are searched for.
        for _ in 0..2 {
            session.inventory.near_names.lock().await.spend(Instant::now(), Duration::from_secs(60));
        }
        let refusal = refused("Bananna").await;
        assert_eq!(refusal.code, Code::ProductNotFound);
        assert!(refusal.message.contains("veja a lista de todos"), "{}", refusal.message);
    }

    #[test]
    fn searches_take_a_hundredth_of_the_time_after_a_tenth_of_a_second() {
        let search = Duration::from_millis(1);
        let start = Instant::now();
        let mut time = SearchTime::new(start);
        // Asked for every millisecond, for a minute and a half.
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
        // Who has not asked for long has no more than that at once.
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
