//! The present connection of the writer, for the readers and the keeper of the lease.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// A host of the address, at one moment of the engine's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The index of the host in the address.
    pub(super) host: usize,
    /// The engine's timeline, which rises with each promotion of a standby.
    pub(super) timeline: u32,
}

/// The shop and the place that the writer is connected to.
#[derive(Debug, Default)]
pub(super) struct Current {
    /// The number of the shop; 0 before it is known.
    shop: AtomicI32,
    place: Mutex<Option<Place>>,
    /// The place at which the lease is kept.
    kept_at: Mutex<Option<Place>>,
    /// The highest timeline of all places until now.
    timeline: AtomicU32,
}

impl Current {
    /// The number of the shop.
    pub(super) fn shop(&self) -> i32 {
        self.shop.load(Ordering::Relaxed)
    }

    pub(super) fn set_shop(&self, shop: i32) {
        self.shop.store(shop, Ordering::Relaxed);
    }

    /// The place that the writer is connected to. A reader that is connected to another one must connect again, or
    /// it might read from a host that was replaced.
    pub(super) fn place(&self) -> Option<Place> {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_place(&self, place: Place) {
        self.timeline.fetch_max(place.timeline, Ordering::Relaxed);
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// The place at which the lease is kept. A server that stands by reads there.
    pub(super) fn kept_at(&self) -> Option<Place> {
        *self.kept_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_kept_at(&self, place: Place) {
        self.timeline.fetch_max(place.timeline, Ordering::Relaxed);
        *self.kept_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// The timeline below which an engine was replaced: the highest one that this server has seen.
    pub(super) fn timeline_min(&self) -> u32 {
        self.timeline.load(Ordering::Relaxed)
    }

    /// Whether another engine has replaced the one at this place, which may run on. The writer and the keeper of the
    /// lease find that out apart, and must not use two engines.
    pub(super) fn is_replaced(&self, place: Place) -> bool {
        place.timeline < self.timeline_min()
    }
}
