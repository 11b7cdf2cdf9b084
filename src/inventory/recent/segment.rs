//! Segments: consecutive events of the shop, each encoded once for all watchers.

use std::sync::OnceLock;

use crate::catalog::{Catalog, ProductId};
use crate::operation::WatchEvent;

/// A place in the order of events: all movements up to one, and all changes of terms up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inventory) struct Position {
    /// The number of the last movement.
    pub(in crate::inventory) sequence: i64,
    /// The number of the last change of terms.
    pub(in crate::inventory) change: i64,
}

impl Position {
    /// The position before everything.
    pub(in crate::inventory) const FIRST: Position = Position { sequence: 0, change: 0 };

    /// The position up to which the catalog shows everything.
    pub(in crate::inventory) fn of(catalog: &Catalog) -> Self {
        Self { sequence: catalog.last_sequence(), change: catalog.last_change() }
    }

    /// Whether whoever has seen everything up to `other` has seen everything up to this position.
    pub(in crate::inventory) fn is_within(self, other: Position) -> bool {
        self.sequence <= other.sequence && self.change <= other.change
    }

    /// The position of whoever has seen everything up to both positions.
    pub(in crate::inventory) fn and(self, other: Position) -> Position {
        Position { sequence: self.sequence.max(other.sequence), change: self.change.max(other.change) }
    }
}

/// An event, the product that it is about, and the position after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inventory) struct Recorded {
    pub(in crate::inventory) product: ProductId,
    /// The product that the event creates, which is an event before it.
    pub(in crate::inventory) created: Option<WatchEvent>,
    pub(in crate::inventory) event: WatchEvent,
    pub(in crate::inventory) after: Position,
}

impl Recorded {
    /// Whether whoever has seen everything up to a position has seen the event. A transaction changes terms before
    /// stocks, so whoever resumes after one of its movements may lack its terms and not the movements behind them.
    pub(in crate::inventory) fn is_seen_at(&self, position: Position) -> bool {
        match self.event {
            WatchEvent::Movement(_) => self.after.sequence <= position.sequence,
            _ => self.after.change <= position.change,
        }
    }
}

/// An encoding of events. A segment keeps what its first watcher has encoded.
pub struct Encoding {
    /// The encoding's place in a segment, below [`ENCODINGS`](Encoding::ENCODINGS).
    pub place: usize,
    /// Writes an event. An event that the encoding does not have is written as nothing.
    pub write: fn(&WatchEvent, &mut Vec<u8>),
}

impl Encoding {
    /// The number of encodings: messages, lines of text, and messages of JSON.
    pub const ENCODINGS: usize = 3;
}

/// The bytes of a segment in one encoding, and the end of each event in them.
struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Consecutive events.
pub(in crate::inventory) struct Segment {
    /// The position before the first event.
    pub(in crate::inventory) before: Position,
    /// The serial number of the first event. Pages of the ledger have none.
    pub(in crate::inventory) serial: u64,
    pub(in crate::inventory) events: Vec<Recorded>,
    encoded: [OnceLock<Encoded>; Encoding::ENCODINGS],
}

impl Segment {
    pub(in crate::inventory) fn new(before: Position, serial: u64, events: Vec<Recorded>) -> Self {
        Self { before, serial, events, encoded: Default::default() }
    }

    /// The position after the last event.
    pub(in crate::inventory) fn after(&self) -> Position {
        self.events.last().map_or(self.before, |last| last.after)
    }

    /// Whether the movement with this number is in the segment.
    pub(in crate::inventory) fn has_sequence(&self, sequence: i64) -> bool {
        self.before.sequence < sequence && sequence <= self.after().sequence
    }

    /// The index of the first event after a position.
    pub(in crate::inventory) fn index_after(&self, position: Position) -> usize {
        self.events.partition_point(|recorded| recorded.after.is_within(position))
    }

    /// The bytes of an event.
    pub(in crate::inventory) fn bytes(&self, index: usize, encoding: &Encoding) -> &[u8] {
        let encoded = self.encoded[encoding.place].get_or_init(|| {
            let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(self.events.len()));
            for recorded in &self.events {
                recorded.created.iter().for_each(|created| (encoding.write)(created, &mut bytes));
                (encoding.write)(&recorded.event, &mut bytes);
                ends.push(bytes.len());
            }
            bytes.shrink_to_fit();
            Encoded { bytes, ends }
        });
        let start = index.checked_sub(1).map_or(0, |before| encoded.ends[before]);
        &encoded.bytes[start..encoded.ends[index]]
    }
}
