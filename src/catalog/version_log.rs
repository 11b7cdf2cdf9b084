//! Snapshots: the catalog as it was at an earlier moment, for lists that are still being sent.
//!
//! The version log keeps each product as it was before a change, for as long as a snapshot of that time is
//! alive. So a snapshot holds no products itself, and any number of snapshots together hold no more
//! than the log. At [`VERSIONS_MAX`] the log forgets the oldest versions, which ends the snapshots that
//! need them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Catalog;
use super::price::Price;
use super::product::{Product, ProductId};
use super::quantity::Quantity;

/// Most versions kept: 32 MiB of them. Even at the highest rate of changes a list may take seconds, and
/// in a shop, days. The log is one allocation, too large for the allocator to keep for itself once it
/// is free (above `DEFAULT_MMAP_THRESHOLD_MAX` of glibc).
const VERSIONS_MAX: usize = 1024 * 1024;

/// Most versions freed on the calling thread. More are freed on a thread of their own, because giving
/// their memory back to the system takes longer than a request may.
const FREED_AT_ONCE_MAX: usize = 64 * 1024;

/// The low bits of the log position of a product's last version. Without a meaning if the log has no
/// version of that product there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place(u32);

/// A product as it was before a change.
#[derive(Debug, Clone, Copy)]
struct Version {
    product: ProductId,
    /// The index of the unit in the catalog's table.
    unit: u32,
    price: Price,
    stock: Quantity,
    /// The log position of the product's version before this one; at or above this one's own if there
    /// is none.
    earlier: u64,
}

const _: () = assert!(size_of::<Version>() == 32);

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
    versions: VecDeque<Version>,
    /// The log position of the first version.
    start: u64,
    /// How many snapshots there are of each moment. A moment is the log position of the next version.
    snapshots: BTreeMap<u64, usize>,
    /// The moment before the large change that is being applied, of which are also the snapshots that
    /// begin meanwhile.
    before_large: Option<u64>,
    versions_max: usize,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            versions: VecDeque::new(),
            start: 0,
            snapshots: BTreeMap::new(),
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

    /// Notes a product as it is before a change, if a snapshot needs it. `unit` returns the index of
    /// its unit.
    pub(super) fn note(&mut self, product: &Product, place: &mut Place, unit: impl FnOnce() -> u32) {
        let last = self.last(product.id, *place);
        if self.snapshots.last_key_value().is_none_or(|(newest, _)| last.is_some_and(|last| last >= *newest))
        {
            return;
        }
        if self.versions.len() >= self.versions_max {
            self.forget_oldest();
            if !self.are_needed() {
                return;
            }
        }
        if self.versions.capacity() == 0 {
            self.versions.reserve_exact(self.versions_max);
        }
        let position = self.end();
        self.versions.push_back(Version {
            product: product.id,
            unit: unit(),
            price: product.price,
            stock: product.stock,
            earlier: last.unwrap_or(position),
        });
        *place = Place(position as u32);
    }

    fn end(&self) -> u64 {
        self.start + self.versions.len() as u64
    }

    fn get(&self, position: u64) -> Option<&Version> {
        self.versions.get(usize::try_from(position.checked_sub(self.start)?).ok()?)
    }

    /// The position of a product's last version.
    fn last(&self, product: ProductId, place: Place) -> Option<u64> {
        // The last position with the low bits of `place`.
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

    /// Forgets the versions that no snapshot needs.
    fn trim(&mut self) {
        let Some((oldest, _)) = self.snapshots.first_key_value() else {
            self.start = self.end();
            let freed = std::mem::take(&mut self.versions);
            if freed.len() > FREED_AT_ONCE_MAX {
                // If no thread can be started, the versions are freed here.
                let _ = std::thread::Builder::new().spawn(move || drop(freed));
            }
            return;
        };
        // The snapshots that begin while a large change is applied may be too old already.
        let unneeded = oldest.saturating_sub(self.start);
        self.versions.drain(..unneeded as usize);
        self.start += unneeded;
    }
}

/// One moment of a catalog, as long as the version log goes back to it.
#[derive(Debug)]
pub(super) struct Snapshot {
    log: Arc<VersionLog>,
    moment: u64,
}

impl Snapshot {
    fn new(log: &Arc<VersionLog>) -> Self {
        Self { log: Arc::clone(log), moment: log.lock().begin() }
    }

    /// The moment before a large change. Until it is shown, all snapshots that begin are of this moment.
    pub(super) fn before_large(log: &Arc<VersionLog>) -> Self {
        let snapshot = Self::new(log);
        log.lock().before_large = Some(snapshot.moment);
        snapshot
    }

    /// Ends this snapshot of the moment before a large change, which is shown now.
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

/// The products at the moment when the cursor was made, one after the other in the order of creation.
#[derive(Debug, Clone)]
pub struct Cursor {
    snapshot: Snapshot,
    /// How many products there were.
    len: usize,
    max_price: Option<Price>,
    /// The index of the next product.
    next: usize,
    /// The next product's version at which the search for an earlier one goes on, if it was interrupted.
    version: Option<u64>,
}

/// A cursor's error: more has changed since it was made than the version log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOld;

/// Why a cursor has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// There are no more products.
    AtEnd,
    /// The caller broke off the visit.
    AsAsked,
    /// The turn is over: the cursor has looked at as much as it may before others have theirs.
    InTurn,
}

/// Products, bounds and versions looked at in one turn: up to a tenth of a millisecond, if none of them
/// is in the processor's cache.
const LOOKS_IN_TURN: usize = 1024;

impl Cursor {
    /// A cursor over all products of the catalog, or those up to a price, that come after this one.
    pub(super) fn new(catalog: &Catalog, max_price: Option<Price>, after: Option<ProductId>) -> Self {
        let snapshot = Snapshot::new(&catalog.version_log);
        let next = after.map_or(0, |id| id.index() + 1);
        let len = catalog.products.len();
        Self { snapshot, len, max_price, next, version: None }
    }

    /// Calls `visit` with each next product of this catalog, until `visit` breaks or the turn ends.
    ///
    /// # Errors
    /// If more has changed since the cursor was made than the version log keeps.
    pub fn visit(
        &mut self,
        catalog: &Catalog,
        mut visit: impl FnMut(&Product) -> ControlFlow<()>,
    ) -> Result<Stopped, TooOld> {
        let versions = self.snapshot.log.lock();
        if self.snapshot.moment < versions.start {
            return Err(TooOld);
        }
        let mut looks = LOOKS_IN_TURN;
        loop {
            if let Some(max_price) = self.max_price {
                self.next = catalog.products.price_bounds().next(self.next, max_price, &mut looks);
            }
            if self.next >= self.len {
                return Ok(Stopped::AtEnd);
            }
            let Some(product) = catalog.products.latest(self.next) else { return Ok(Stopped::AtEnd) };
            let mut earliest = None;
            let mut position = self
                .version
                .take()
                .or_else(|| versions.last(product.id, catalog.products.version_at(self.next)));
            while let Some(version) = position.filter(|position| *position >= self.snapshot.moment) {
                if looks == 0 {
                    self.version = Some(version);
                    return Ok(Stopped::InTurn);
                }
                looks -= 1;
                earliest = versions.get(version);
                position = earliest.map(|at| at.earlier).filter(|earlier| *earlier < version);
            }
            if looks == 0 {
                return Ok(Stopped::InTurn);
            }
            looks -= 1;
            self.next += 1;
            let price = earliest.map_or(product.price, |version| version.price);
            if self.max_price.is_some_and(|max_price| price > max_price) {
                continue;
            }
            let visited = match earliest {
                None => visit(product),
                Some(version) => visit(&Product {
                    price,
                    stock: version.stock,
                    unit: catalog.units.get(version.unit).clone(),
                    ..product.clone()
                }),
            };
            if visited.is_break() {
                return Ok(Stopped::AsAsked);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::super::{Adjustment, Draft, Kind, Name, ProductDraft, Unit};
    use super::*;

    fn row(name: &str, centavos: i64, unit: &str) -> ProductDraft {
        ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: Some(Unit::parse(unit).unwrap()),
            opening_stock: Quantity::from_units(1000),
        }
    }

    fn import(catalog: &mut Catalog, rows: &[ProductDraft]) {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        draft.import(rows).unwrap();
        let changes = draft.finish();
        catalog.apply(&changes);
    }

    fn adjust(catalog: &mut Catalog, product: ProductId, units: i32) {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        let delta = Quantity::from_units(units);
        draft.adjust(&Adjustment { product, delta, kind: Kind::Adjustment, request_id: None }).unwrap();
        let changes = draft.finish();
        catalog.apply(&changes);
    }

    fn catalog(count: i64) -> Catalog {
        let mut catalog = Catalog::default();
        let rows: Vec<_> = (0..count).map(|number| row(&format!("P{number}"), number, "un")).collect();
        import(&mut catalog, &rows);
        catalog
    }

    fn id(number: i64) -> ProductId {
        ProductId::from_number(number).unwrap()
    }

    /// Up to `count` of a cursor's next products.
    fn read(catalog: &Catalog, cursor: &mut Cursor, count: usize) -> Result<Vec<Product>, TooOld> {
        let mut products = Vec::new();
        while products.len() < count {
            let stopped = cursor.visit(catalog, |product| {
                products.push(listed(product));
                if products.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            if stopped == Stopped::AtEnd {
                break;
            }
        }
        Ok(products)
    }

    /// A product as a list shows it: no version says which movement was the last.
    fn listed(product: &Product) -> Product {
        Product { last_movement: 0, ..product.clone() }
    }

    fn kept(catalog: &Catalog) -> (usize, usize) {
        let log = catalog.version_log.lock();
        (log.versions.len(), log.versions.capacity())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 2000 }))]
        #[test]
        fn a_cursor_shows_its_moment(
            steps in prop::collection::vec((0..6_u8, 0..90_i64, 0..100_i64), 1..200),
            start in prop::sample::select(vec![0, 1, u64::from(u32::MAX) - 20, 5 * (1_u64 << 32) - 3]),
        ) {
            let mut catalog = catalog(80);
            catalog.version_log.lock().start = start;
            catalog.version_log.lock().versions_max = 60;
            // Each cursor with the products that it is still to show.
            let mut cursors: HashMap<i64, (Cursor, Vec<Product>)> = HashMap::new();
            for (step, product, value) in steps {
                match step {
                    0 => import(&mut catalog, &[row(&format!("P{product}"), value, ["un", "cx"][value as usize % 2])]),
                    1 => {
                        let max_price = (value < 50).then(|| Price::from_centavos(value).unwrap());
                        let is_within =
                            |product: &&Product| max_price.is_none_or(|max_price| product.price <= max_price);
                        let expected = catalog.products.iter().filter(is_within).map(listed).collect();
                        cursors.insert(product % 8, (catalog.cursor(max_price, None), expected));
                    }
                    2 => drop(cursors.remove(&(product % 8))),
                    3 => {
                        if let Some((cursor, expected)) = cursors.get_mut(&(product % 8)) {
                            let mut other = cursor.clone();
                            // The cursor may be too old.
                            if let Ok(products) = read(&catalog, cursor, value as usize) {
                                let count = expected.len().min(value as usize);
                                let shown: Vec<_> = expected.drain(..count).collect();
                                prop_assert_eq!(&products, &shown);
                                prop_assert_eq!(read(&catalog, &mut other, count), Ok(shown));
                            }
                        }
                    }
                    _ => adjust(&mut catalog, id(product % 80 + 1), 1),
                }
                prop_assert!(kept(&catalog).0 <= 60);
            }
            cursors.clear();
            prop_assert_eq!(kept(&catalog), (0, 0));
        }
    }

    #[test]
    fn the_oldest_ends_if_too_much_has_changed_and_the_others_go_on() {
        let mut catalog = catalog(100);
        catalog.version_log.lock().versions_max = 64;
        adjust(&mut catalog, id(1), 1);
        assert_eq!(kept(&catalog), (0, 0), "nobody needs it");
        let mut untaken = catalog.cursor(None, None);
        adjust(&mut catalog, id(1), 1);
        let mut taken = catalog.cursor(None, None);
        for number in 1..=63 {
            adjust(&mut catalog, id(number), 1);
            // A second change of the same product, whose version no cursor needs.
            adjust(&mut catalog, id(number), 1);
        }
        assert_eq!(kept(&catalog), (64, 64));
        assert_eq!(read(&catalog, &mut untaken.clone(), 1).unwrap()[0].stock, Quantity::from_units(1001));
        adjust(&mut catalog, id(64), 1);
        assert_eq!(kept(&catalog).0, 64);
        assert_eq!(read(&catalog, &mut untaken, 1), Err(TooOld));
        let products = read(&catalog, &mut taken, 200).unwrap();
        assert_eq!(products.len(), 100);
        assert_eq!(products[0].stock, Quantity::from_units(1002));
        assert!(products[1..].iter().all(|product| product.stock == Quantity::from_units(1000)));
        drop(untaken);
        assert_eq!(kept(&catalog).0, 64);
        drop(taken);
        assert_eq!(kept(&catalog), (0, 0));
        // The only cursor can be too old, too.
        let mut only = catalog.cursor(None, None);
        (1..=65).for_each(|number| adjust(&mut catalog, id(number), 1));
        assert_eq!(read(&catalog, &mut only, 1), Err(TooOld));
        assert_eq!(kept(&catalog), (0, 0));
    }

    #[test]
    fn a_product_that_changes_between_many_cursors_is_looked_up_in_turns() {
        let mut catalog = catalog(3);
        let mut first = catalog.cursor(None, None);
        let mut last = catalog.cursor(None, None);
        for _ in 0..3 * LOOKS_IN_TURN {
            adjust(&mut catalog, id(2), 1);
            last = catalog.cursor(None, None);
        }
        assert_eq!(kept(&catalog).0, 3 * LOOKS_IN_TURN);
        let mut turns = 1;
        let mut stocks = Vec::new();
        while first.visit(&catalog, |product| {
            stocks.push(product.stock);
            ControlFlow::Continue(())
        }) == Ok(Stopped::InTurn)
        {
            turns += 1;
        }
        assert_eq!((turns, stocks), (4, vec![Quantity::from_units(1000); 3]));
        let now = Quantity::from_units(1000 + 3 * LOOKS_IN_TURN as i32);
        assert_eq!(read(&catalog, &mut last, 3).unwrap()[1].stock, now);
    }

    #[test]
    fn few_products_up_to_a_price_are_found_in_one_turn() {
        let mut catalog = catalog(200_000);
        import(&mut catalog, &[row("P199999", 0, "un")]);
        let mut cursor = catalog.cursor(Price::from_centavos(0).ok(), Some(id(1)));
        let mut found = Vec::new();
        let stopped = cursor.visit(&catalog, |product| {
            found.push(product.id.number());
            ControlFlow::Continue(())
        });
        assert_eq!((stopped, found), (Ok(Stopped::AtEnd), vec![200_000]));
    }
}
