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

/// The most watchers at one time. Each takes about two kilobytes, and one connection can open hundreds.
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
