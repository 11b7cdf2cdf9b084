//! The progress of a connection, by which the server notices that the connection is idle or abandoned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count that grows with each call, each run of changes on a stream, each arriving part of a large message
/// and each part of an answer that the client takes. While the count grows, the connection is neither idle
/// nor abandoned.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicUsize>);

impl Progress {
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A place in a count, until it is dropped.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(super) fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
