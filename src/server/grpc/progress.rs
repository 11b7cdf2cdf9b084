//! The progress of a connection, by which the server sees that it is idle or left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Goes up with each call, with the changes that come together on a stream, with each part of a
/// large message that comes, and with each part of an answer that is taken: while it does, a
/// connection is neither idle nor left.
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

/// One counted thing, until it is dropped.
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
