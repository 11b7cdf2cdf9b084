//! Snapshots: the catalog as it was at an earlier moment, for lists that are still being sent.
//!
//! The version log keeps the state of each product before a change, as long as a snapshot of that time is
//! alive. A snapshot itself holds no products, so any number of snapshots take no more memory than the
//! log. At [`VERSIONS_MAX`] the log drops the oldest versions, which ends the snapshots that need them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cost::StockCost;
use super::name::Name;
use super::price::Price;
use super::product::{Flags, Product, ProductId};
use super::quantity::Quantity;
use super::terms::Terms;

/// Most versions kept: 40 MiB. Even at the highest rate of changes a list may take seconds, and in a shop,
/// days. The log is one allocation, so large (above `DEFAULT_MMAP_THRESHOLD_MAX` of glibc) that the
/// allocator returns it to the system when it is freed.
const VERSIONS_MAX: usize = 1024 * 1024;

/// Most versions freed on the calling thread. More are freed on a thread of their own, because returning
/// their memory to the system takes longer than a request may.
const FREED_AT_ONCE_MAX: usize = 64 * 1024;

/// The low bits of the log position of a product's last version. A place is invalid if the log has no
/// version of that product there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place(u32);

/// The state of a product before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    product: ProductId,
    /// The index of the unit in the catalog's table.
    pub(super) unit: u32,
    pub(super) price: Price,
    pub(super) stock: Quantity,
    pub(super) stock_cost: StockCost,
    /// The log position of the product's previous version; this version's own position, or above, if there
    /// is none.
    pub(super) earlier: u64,
}

const _: () = assert!(size_of::<Version>() == 40);

/// The state of a product that seldom changes, before such a change. The change has a [`Version`] at the same log
/// position, too.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) name: Name,
    pub(super) flags: Flags,
    /// `None` if the product had no terms.
    pub(super) terms: Option<Arc<Terms>>,
}

/// The versions of one catalog, shared with its snapshots.
#[derive(Debug, Default)]
pub(super) struct VersionLog(Mutex<Versions>);

impl VersionLog {
    pub(super) fn lock(&self) -> MutexGuard<'_, Versions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(super) struct Versions {
    pub(super) versions: VecDeque<Version>,
    /// The log position of the first version.
    pub(super) start: u64,
    /// How many snapshots there are of each moment. A moment is the log position of the next version.
    snapshots: BTreeMap<u64, usize>,
    /// The identities before changes of them, by product and log position, and those in the order of the log.
    identities: BTreeMap<(ProductId, u64), Identity>,
    identity_order: VecDeque<(u64, ProductId)>,
    /// The moment before the large change that is being applied. Snapshots that begin until the change is
    /// shown are of this moment, too.
    before_large: Option<u64>,
    pub(super) versions_max: usize,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            versions: VecDeque::new(),
            start: 0,
            snapshots: BTreeMap::new(),
            identities: BTreeMap::new(),
            identity_order: VecDeque::new(),
            before_large: None,
            versions_max: VERSIONS_MAX,
        }
    }
}

impl Versions {
    /// Whether there are snapshots, for which versions must be noted.
    pub(super) fn are_needed(&self) -> bool {
        !self.snapshots.is_empty()
    }

    /// Notes a product's state before a change, if a snapshot needs it. `unit` returns the index of the
    /// product's unit.
    pub(super) fn note(&mut self, product: &Product, place: &mut Place, unit: impl FnOnce() -> u32) {
        let last = self.last(product.id, *place);
        if self.snapshots.last_key_value().is_none_or(|(newest, _)| last.is_some_and(|last| last >= *newest))
        {
            return;
        }
        self.push(product, place, unit);
    }

    /// Notes a product's state before a change of its name, its flags or its terms, too, if there are
    /// snapshots. Each such change has a version of its own, because the version before may be of a sale.
    pub(super) fn note_identity(
        &mut self,
        product: &Product,
        terms: Option<&Arc<Terms>>,
        place: &mut Place,
        unit: impl FnOnce() -> u32,
    ) {
        if let Some(position) = self.push(product, place, unit) {
            let identity =
                Identity { name: product.name.clone(), flags: product.flags, terms: terms.cloned() };
            self.identities.insert((product.id, position), identity);
            self.identity_order.push_back((position, product.id));
        }
    }

    /// Adds a version, and returns its position, if there are snapshots.
    fn push(&mut self, product: &Product, place: &mut Place, unit: impl FnOnce() -> u32) -> Option<u64> {
        if self.versions.len() >= self.versions_max {
            self.forget_oldest();
        }
        if !self.are_needed() {
            return None;
        }
        if self.versions.capacity() == 0 {
            self.versions.reserve_exact(self.versions_max);
        }
        let (position, last) = (self.end(), self.last(product.id, *place));
        self.versions.push_back(Version {
            product: product.id,
            unit: unit(),
            price: product.price,
            stock: product.stock,
            stock_cost: product.stock_cost,
            earlier: last.unwrap_or(position),
        });
        *place = Place(position as u32);
        Some(position)
    }

    /// The product's name, flags and terms at this moment, if they were changed since.
    pub(super) fn identity(&self, product: ProductId, moment: u64) -> Option<&Identity> {
        let mut since = self.identities.range((product, moment)..=(product, u64::MAX));
        since.next().map(|(_, identity)| identity)
    }

    fn end(&self) -> u64 {
        self.start + self.versions.len() as u64
    }

    pub(super) fn get(&self, position: u64) -> Option<&Version> {
        self.versions.get(usize::try_from(position.checked_sub(self.start)?).ok()?)
    }

    /// The position of a product's last version.
    pub(super) fn last(&self, product: ProductId, place: Place) -> Option<u64> {
        // The greatest position before the end that has the low bits of `place`.
        let behind = (self.end() as u32).wrapping_sub(place.0).wrapping_sub(1);
        let position = self.end().checked_sub(u64::from(behind) + 1)?;
        self.get(position).filter(|version| version.product == product).map(|_| position)
    }

    fn begin(&mut self) -> u64 {
        let moment = self.before_large.unwrap_or_else(|| self.end());
        *self.snapshots.entry(moment).or_default() += 1;
        moment
    }

    fn end_one(&mut self, moment: u64) {
        if let Some(count) = self.snapshots.get_mut(&moment) {
            *count -= 1;
            if *count == 0 {
                self.snapshots.remove(&moment);
                self.trim();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn forget_all(&mut self) {
        self.snapshots.clear();
        self.trim();
        self.start += 1;
    }

    /// Ends the snapshots of the oldest moment.
    fn forget_oldest(&mut self) {
        self.snapshots.pop_first();
        self.trim();
    }

    /// Drops the versions that no snapshot needs.
    fn trim(&mut self) {
        let Some((oldest, _)) = self.snapshots.first_key_value() else {
            self.start = self.end();
            self.identities.clear();
            self.identity_order.clear();
            let freed = std::mem::take(&mut self.versions);
            if freed.len() > FREED_AT_ONCE_MAX {
                // If no thread can be started, the versions are freed here.
                let _ = std::thread::Builder::new().spawn(move || drop(freed));
            }
            return;
        };
        // A snapshot that begins while a large change is applied may already be older than the log.
        let unneeded = oldest.saturating_sub(self.start);
        self.versions.drain(..unneeded as usize);
        self.start += unneeded;
        while let Some((position, product)) = self.identity_order.pop_front_if(|(at, _)| *at < self.start) {
            self.identities.remove(&(product, position));
        }
    }
}

/// A moment of a catalog, which is kept as long as the version log goes back to it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) log: Arc<VersionLog>,
    pub(super) moment: u64,
}

impl Snapshot {
    pub(super) fn new(log: &Arc<VersionLog>) -> Self {
        Self { log: Arc::clone(log), moment: log.lock().begin() }
    }

    /// The moment before a large change. All snapshots that begin until the change is shown are of this
    /// moment.
    pub(super) fn before_large(log: &Arc<VersionLog>) -> Self {
        let snapshot = Self::new(log);
        log.lock().before_large = Some(snapshot.moment);
        snapshot
    }

    /// Ends the snapshot of the moment before a large change, because the change is shown now.
    pub(super) fn end(self) {
        self.log.lock().before_large = None;
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        if let Some(count) = self.log.lock().snapshots.get_mut(&self.moment) {
            *count += 1;
        }
        Self { log: Arc::clone(&self.log), moment: self.moment }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.log.lock().end_one(self.moment);
    }
}
