//! The present connection of the writer, for the readers and the keeper of the lease.

use std::sync::atomic::{AtomicI32, Ordering};
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
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// The place at which the lease is kept. A server that stands by reads there.
    pub(super) fn kept_at(&self) -> Option<Place> {
        *self.kept_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_kept_at(&self, place: Place) {
        *self.kept_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}
