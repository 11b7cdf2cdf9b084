//! The published catalog, which every read sees.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::catalog::Catalog;

/// The rows that get their products' names under one lock of the catalog.
pub(super) const NAMED_AT_ONCE_MAX: usize = 128;

/// Locks the catalog for reading, also after a panic: only [`Catalog::apply`] and
/// [`LargeChange`](crate::catalog::LargeChange) change a catalog, and neither leaves it half changed.
pub(super) fn read(catalog: &RwLock<Catalog>) -> RwLockReadGuard<'_, Catalog> {
    catalog.read().unwrap_or_else(PoisonError::into_inner)
}
