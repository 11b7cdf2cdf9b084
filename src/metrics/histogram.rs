//! A histogram of atomics, which takes many equal observations in one step. The histogram of
//! prometheus-client takes a lock for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of times, in nanoseconds: from a read in memory to the longest wait for a disk.
pub(super) const DURATION_NANOS: &[u64] = &[
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// The upper bounds of the changes in a transaction: from one to those of a large import.
pub(super) const CHANGES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16_384, 65_536];

/// The nanoseconds of a time. Five hundred years are the most.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Observations by their size.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// The observations up to each bound, and those beyond the last one.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// The state of a histogram at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The upper bound of each bucket, with the observations in it alone. The last bucket has no bound.
    pub buckets: Vec<(Option<u64>, u64)>,
    /// The sum of all observations.
    pub sum: u64,
    /// The number of observations.
    pub count: u64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::default()).collect();
        Self { bounds, counts, sum: AtomicU64::default() }
    }

    /// Notes `count` observations of this value.
    pub(super) fn observe(&self, value: u64, count: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(count, Ordering::Relaxed);
        // A sum that begins again at zero is a restart to those who read it.
        self.sum.fetch_add(value.wrapping_mul(count), Ordering::Relaxed);
    }

    /// The state now.
    pub fn snapshot(&self) -> Snapshot {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Snapshot { buckets, sum: self.sum.load(Ordering::Relaxed), count }
    }
}

impl Snapshot {
    /// The bound of the bucket with the observation at this share of all, such as 0.99. `None` if there is no
    /// observation, or if that one lies beyond the last bound.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        bucket.and_then(|(bound, _)| *bound).filter(|_| self.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_counts_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(&[10, 20]);
        for (value, count) in [(0, 1), (10, 2), (11, 4), (20, 8), (21, 16)] {
            histogram.observe(value, count);
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets, [(Some(10), 3), (Some(20), 12), (None, 16)]);
        assert_eq!((snapshot.sum, snapshot.count), (20 + 44 + 160 + 336, 31));
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let histogram = Histogram::new(&[10, 20]);
        assert_eq!(histogram.snapshot().quantile(0.5), None);
        histogram.observe(1, 98);
        histogram.observe(15, 1);
        histogram.observe(99, 1);
        let snapshot = histogram.snapshot();
        let quantiles = [0.0, 0.5, 0.98, 0.981, 0.99, 1.0].map(|share| snapshot.quantile(share));
        assert_eq!(quantiles, [Some(10), Some(10), Some(10), Some(20), Some(20), None]);
    }
}
