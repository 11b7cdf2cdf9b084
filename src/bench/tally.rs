//! The measurements of one connection, and their sum.

use std::collections::HashMap;

use hdrhistogram::Histogram;

use super::schedule::Operation;

/// The longest latency that the histogram distinguishes, in nanoseconds: a minute.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// The significant digits of a recorded latency.
const LATENCY_DIGITS: u8 = 3;

/// The measurements.
pub(super) struct Tally {
    /// The nanoseconds from the intended start to the answer.
    pub(super) latency: Histogram<u64>,
    /// The bytes sent and received.
    pub(super) bytes: u64,
    /// The units added to each product, by its place in the list.
    pub(super) added: HashMap<usize, i64>,
    /// The operations of an open loop that could not begin, because the answers did not keep up.
    pub(super) not_begun: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, LATENCY_MAX_NS, LATENCY_DIGITS);
        let latency = latency.expect("the bounds are in order");
        Self { latency, bytes: 0, added: HashMap::new(), not_begun: 0 }
    }

    pub(super) fn merge(&mut self, other: Self) {
        // The two histograms have the same bounds, so adding cannot fail.
        let _ = self.latency.add(&other.latency);
        self.bytes += other.bytes;
        self.not_begun += other.not_begun;
        for (product, units) in other.added {
            *self.added.entry(product).or_default() += units;
        }
    }

    pub(super) fn count(&mut self, operation: &Operation) {
        let nanoseconds = u64::try_from(operation.intended.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.latency.saturating_record(nanoseconds.max(1));
        if operation.is_write {
            *self.added.entry(operation.product).or_default() += 1;
        }
    }
}
