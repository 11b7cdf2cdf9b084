//! The most recent movements and changes of terms, for those that watch the shop.
//!
//! The writer adds each transaction that it has published, if anybody watches. [`Recent`] keeps the last
//! [`RECENT_EVENTS_MAX`] events, and the pages of the ledger that watchers have read last, which lets
//! watchers that are equally far behind share a read. A watcher that needs older events reads the ledger.

mod events;
mod pace;
mod segment;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::published::{NAMED_AT_ONCE_MAX, read};
use crate::catalog::{Catalog, Transaction};
pub(super) use events::last_changes;
use pace::Pace;
pub use segment::Encoding;
pub(super) use segment::{Position, Recorded, Segment};

/// The most events that are kept: those of the time in which a watcher takes a delivery at full load. An event
/// takes about half a kilobyte, with its encodings.
const RECENT_EVENTS_MAX: usize = 16 * 1024;

/// The most events of a segment: an event is encoded together with its whole segment, in a tenth of a
/// millisecond.
pub(super) const SEGMENT_EVENTS_MAX: usize = 256;

/// The most pages of the ledger that are kept for other watchers: as many events as the recent ones.
const PAGES_MAX: usize = 64;

/// The most watchers at one time. Each takes some kilobytes, and one connection can open hundreds.
const WATCHERS_MAX: usize = 20_000;

/// The recent events, shared by the writer and all watchers.
pub(super) struct Recent {
    kept: Mutex<Kept>,
    /// Wakes the watchers that have seen everything.
    news: Notify,
    /// Whether there are events that no watcher was woken for.
    has_news: AtomicBool,
    /// The pace of those that take recent events, and of those that read the ledger, which wait for the disk
    /// and for each other.
    pub(super) live: Pace,
    pub(super) old: Pace,
}

#[derive(Default)]
struct Kept {
    watchers: usize,
    segments: VecDeque<Arc<Segment>>,
    /// The number of events in all segments.
    events: usize,
    /// The serial number of the next event.
    next_serial: u64,
    /// The position after the last event; `None` if no event was added since the first watcher came.
    end: Option<Position>,
    /// Pages of the ledger, the last one that was read at the end.
    pages: VecDeque<Arc<Segment>>,
}

/// The next event for a watcher.
pub(super) enum Next {
    /// The event at this index of a segment.
    Event(Arc<Segment>, usize),
    /// None: the watcher has seen all events that were added. The serial number of the next one.
    AtEnd(u64),
    /// Not known here. The watcher may have seen everything, or must read the ledger.
    Unknown,
}

/// A place among the watchers, until it is dropped.
pub(super) struct Watching(Arc<Recent>);

impl Default for Recent {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            news: Notify::new(),
            has_news: AtomicBool::new(false),
            live: Pace::default(),
            old: Pace::default(),
        }
    }
}

impl Recent {
    /// Adds a published transaction, if anybody watches. Called by the writer, in the order of the
    /// transactions.
    pub(super) fn add(&self, catalog: &RwLock<Catalog>, transaction: &Transaction) {
        // A watcher first counts itself and then looks at the catalog, so it either is seen here or sees the
        // transaction there.
        if self.kept().watchers == 0 {
            return;
        }
        let (before, events) = events::events_of(catalog, transaction);
        if events.is_empty() {
            return;
        }
        self.kept().add(before, events);
        self.live.note_change();
        self.old.note_change();
        self.has_news.store(true, Ordering::Release);
    }

    /// Wakes the watchers, if events were added.
    pub(super) fn announce(&self) {
        if self.has_news.load(Ordering::Relaxed) && self.has_news.swap(false, Ordering::AcqRel) {
            self.news.notify_waiters();
        }
    }

    /// Is ready when events are announced after this call.
    pub(super) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Counts a watcher. `None` if there are too many.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Watching> {
        let mut kept = self.kept();
        if kept.watchers >= WATCHERS_MAX {
            return None;
        }
        kept.watchers += 1;
        Some(Watching(Arc::clone(self)))
    }

    /// The next event after a position. `serial` is the serial number of that event, if the watcher knows it.
    pub(super) fn after(&self, position: Position, serial: Option<u64>) -> Next {
        self.kept().after(position, serial)
    }

    /// The page of the ledger with the movement of this number, if a watcher has read it lately.
    pub(super) fn page(&self, sequence: i64) -> Option<Arc<Segment>> {
        let kept = self.kept();
        kept.pages.iter().rev().find(|page| page.has_sequence(sequence)).cloned()
    }

    /// Keeps a page of the ledger for other watchers.
    pub(super) fn keep_page(&self, page: Arc<Segment>) {
        let mut kept = self.kept();
        // A page at the end of the ledger has become longer.
        kept.pages.retain(|old| old.before != page.before);
        if kept.pages.len() >= PAGES_MAX {
            kept.pages.pop_front();
        }
        kept.pages.push_back(page);
    }

    /// Forgets the recent events, as if there had been too many.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, before: Position, mut events: Vec<Recorded>) {
        if self.end.is_some_and(|end| end != before) {
            // Events are missing, so the earlier ones do not lead to these.
            self.clear();
        }
        let mut before = before;
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(SEGMENT_EVENTS_MAX));
            let segment = Segment::new(before, self.next_serial, std::mem::replace(&mut events, rest));
            before = segment.after();
            self.next_serial += segment.events.len() as u64;
            self.events += segment.events.len();
            self.segments.push_back(Arc::new(segment));
        }
        self.end = Some(before);
        while self.events > RECENT_EVENTS_MAX
            && let Some(oldest) = self.segments.pop_front()
        {
            self.events -= oldest.events.len();
        }
    }

    fn after(&self, position: Position, serial: Option<u64>) -> Next {
        let first_serial = self.segments.front().map_or(self.next_serial, |first| first.serial);
        if let Some(serial) = serial.filter(|serial| *serial >= first_serial) {
            let next = self.segments.partition_point(|segment| segment.serial <= serial);
            return match next.checked_sub(1).map(|index| &self.segments[index]) {
                Some(segment) if serial < self.next_serial => {
                    Next::Event(Arc::clone(segment), (serial - segment.serial) as usize)
                }
                _ => Next::AtEnd(self.next_serial),
            };
        }
        // The positions of segments grow, so the first segment that is not behind the watcher holds the event.
        let next = self.segments.partition_point(|segment| segment.after().is_within(position));
        match self.segments.get(next) {
            Some(segment) if segment.before.is_within(position) => {
                Next::Event(Arc::clone(segment), segment.index_after(position))
            }
            None if self.end.is_some_and(|end| end.is_within(position)) => Next::AtEnd(self.next_serial),
            _ => Next::Unknown,
        }
    }

    fn clear(&mut self) {
        self.segments.clear();
        self.events = 0;
        self.end = None;
        // The next event does not follow the last one of any watcher.
        self.next_serial += 1;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut kept = self.0.kept();
        kept.watchers -= 1;
        if kept.watchers == 0 {
            kept.clear();
            kept.pages.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Adjustment, Draft, Kind, ProductId, Quantity, original_products};

    /// A shop with recent events, and a watcher.
    struct Shop {
        catalog: RwLock<Catalog>,
        recent: Arc<Recent>,
        watching: Option<Watching>,
    }

    impl Shop {
        fn new() -> Self {
            let recent = Arc::<Recent>::default();
            let watching = recent.begin();
            let shop = Self { catalog: RwLock::default(), recent, watching };
            shop.make(|draft| drop(draft.import(&original_products(), None).unwrap()));
            shop
        }

        /// Publishes a transaction that is not added to the recent events.
        fn publish(&self, plan: impl FnOnce(&mut Draft<'_>)) -> Transaction {
            let transaction = {
                let catalog = read(&self.catalog);
                let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
                plan(&mut draft);
                draft.finish()
            };
            self.catalog.write().unwrap().apply(&transaction);
            transaction
        }

        fn make(&self, plan: impl FnOnce(&mut Draft<'_>)) {
            let transaction = self.publish(plan);
            self.recent.add(&self.catalog, &transaction);
        }

        fn at(sequence: i64) -> Position {
            Position { sequence, change: 0 }
        }

        /// The number of the movement after this one, 0 at the end, or -1 if it is not known.
        fn after(&self, sequence: i64, serial: Option<u64>) -> i64 {
            match self.recent.after(Self::at(sequence), serial) {
                Next::Event(segment, index) => segment.events[index].after.sequence,
                Next::AtEnd(_) => 0,
                Next::Unknown => -1,
            }
        }
    }

    fn sell(count: usize) -> impl FnOnce(&mut Draft<'_>) {
        move |draft| {
            for _ in 0..count {
                let sale = Adjustment::new(ProductId::FIRST, Quantity::from_units(1), Kind::Purchase);
                draft.adjust(&sale).unwrap();
            }
        }
    }

    #[test]
    fn events_follow_one_another_by_position_and_by_serial_number() {
        let shop = Shop::new();
        shop.make(sell(2));
        assert_eq!([0, 1, 4, 5, 6].map(|sequence| shop.after(sequence, None)), [1, 2, 5, 6, 0]);
        // A serial number leads to its event, whatever the position.
        assert_eq!([0, 3, 4, 5, 6].map(|serial| shop.after(0, Some(serial))), [1, 4, 5, 6, 0]);
    }

    #[test]
    fn a_planted_gap_hides_the_events_before_it_and_leads_to_the_ledger() {
        let shop = Shop::new();
        shop.publish(sell(1));
        shop.make(sell(1));
        // Movement 5 is missing, so whoever has seen 4 or less must not be given 6.
        assert_eq!([0, 3, 4, 5, 6].map(|sequence| shop.after(sequence, None)), [-1, -1, -1, 6, 0]);
        // Serial numbers from before the gap lead nowhere either, not even that of the next event.
        assert_eq!([3, 4].map(|seen| shop.after(seen, Some(seen as u64))), [-1, -1]);
    }

    #[test]
    fn events_of_a_time_without_watchers_are_not_kept() {
        let mut shop = Shop::new();
        assert_eq!(shop.after(4, None), 0);
        drop(shop.watching.take());
        assert_eq!(shop.after(4, None), -1);
        shop.make(sell(1));
        assert_eq!((shop.after(4, None), shop.after(5, None)), (-1, -1));
        shop.watching = shop.recent.begin();
        shop.make(sell(1));
        assert_eq!((shop.after(4, None), shop.after(5, None), shop.after(6, None)), (-1, 6, 0));
    }

    #[test]
    fn no_more_is_kept_than_the_limit_and_what_is_gone_is_in_the_ledger() {
        let shop = Shop::new();
        let rounds = 2 * RECENT_EVENTS_MAX / 1000;
        for _ in 0..rounds {
            shop.make(sell(1000));
        }
        let last = read(&shop.catalog).last_sequence();
        let kept = shop.recent.kept();
        assert!((RECENT_EVENTS_MAX - SEGMENT_EVENTS_MAX..=RECENT_EVENTS_MAX).contains(&kept.events));
        assert!(kept.segments.iter().all(|segment| segment.events.len() <= SEGMENT_EVENTS_MAX));
        let oldest = last - kept.events as i64;
        drop(kept);
        assert_eq!([oldest - 1, oldest, last].map(|seen| shop.after(seen, None)), [-1, oldest + 1, 0]);
        assert_eq!(shop.after(7, Some(7)), -1);
    }

    #[test]
    fn a_watcher_too_many_is_turned_away_until_one_leaves() {
        let recent = Arc::<Recent>::default();
        let mut all: Vec<_> = (0..WATCHERS_MAX).map(|_| recent.begin().unwrap()).collect();
        assert!(recent.begin().is_none());
        all.pop();
        assert!(recent.begin().is_some());
    }
}
