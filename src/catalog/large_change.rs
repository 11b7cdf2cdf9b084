//! Changes of many products, applied in slices, so that nobody waits long for the catalog, and shown
//! together after the last slice.
//!
//! Until then the catalog shows its state before the change: new products are beyond its visible end, and
//! altered products are hidden by copies of their old state. Lists read the new products and the old
//! versions in the version log; the log has a version of every altered product, because a list may begin
//! between any two slices.

use std::collections::hash_map;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Catalog;
use super::balance::Balance;
use super::code::CodeValue;
use super::price_bounds::PriceBounds;
use super::product::{Product, ProductId};
use super::products::Shown;
use super::transaction::Transaction;
use super::version_log::Snapshot;

/// Most balances that are applied in one slice: a quarter of a millisecond, if no product is in the
/// processor's cache.
const BALANCES_AT_ONCE_MAX: usize = 4096;

/// A change of many products that is being applied.
pub struct LargeChange<'c> {
    changes: &'c Transaction,
    listed: slice::Iter<'c, Product>,
    balances: hash_map::Iter<'c, ProductId, Balance>,
    /// The listed products whose price bounds are not raised yet.
    raised: slice::Iter<'c, Product>,
    /// How many products there were before the change.
    len: usize,
    /// Before the first slice, the copies to show during the change; after the last one, the same copies,
    /// to be dropped. `None` in between.
    shown: Option<Box<Shown>>,
    /// The codes that products lose. The products keep them until the change is shown.
    freed: Vec<(CodeValue, ProductId)>,
    stage: Stage,
}

/// How far a large change is applied.
enum Stage {
    NotBegun,
    /// Some slices are applied and not shown. The snapshot is of the moment before the change, because lists
    /// that begin now show that moment.
    Hidden(Snapshot),
    Shown,
}

impl<'c> LargeChange<'c> {
    /// Most created or altered products that are applied in one slice: a quarter of a millisecond, or half
    /// a millisecond if none is in the processor's cache.
    pub const LISTED_AT_ONCE_MAX: usize = 128;

    /// Whether changes take too long for [`Catalog::apply`].
    pub fn is_large(changes: &Transaction) -> bool {
        changes.products.len() > Self::LISTED_AT_ONCE_MAX || changes.balances.len() > BALANCES_AT_ONCE_MAX
    }

    /// Prepares changes, which must be durable and drafted on this catalog's present state. No other change
    /// may be applied until these are shown. Copying the products that the changes alter takes long, and
    /// needs the catalog for reading only.
    pub fn new(catalog: &Catalog, changes: &'c Transaction) -> Self {
        let listed = changes.products.iter().map(|product| product.id);
        let shown = catalog.products.copy(listed.chain(changes.balances.keys().copied()));
        Self {
            changes,
            listed: changes.products.iter(),
            balances: changes.balances.iter(),
            raised: changes.products.iter(),
            len: catalog.products.len(),
            shown: Some(shown),
            freed: Vec::new(),
            stage: Stage::NotBegun,
        }
    }

    /// Applies the next slice: at least one product, for about this time. Returns whether slices are left.
    /// If none are left, the changes are shown; the caller drops `self` after it unlocks the catalog,
    /// because freeing the copies takes long.
    pub fn go_on(&mut self, catalog: &mut Catalog, time: Duration) -> bool {
        let begun = Instant::now();
        let log = Arc::clone(&catalog.version_log);
        if let Stage::NotBegun = self.stage {
            self.shown = catalog.products.show(self.shown.take());
            // Renames are rare and few. They are shown in the first slice, so that no two products ever have
            // the same name.
            for (id, name) in &self.changes.renames {
                catalog.rename(*id, name, Some(&mut log.lock()));
            }
            self.stage = Stage::Hidden(Snapshot::before_large(&log));
        }
        let mut versions = log.lock();
        for product in self.listed.by_ref() {
            let terms = self.changes.terms.get(&product.id);
            if catalog.apply_product(product, terms, &mut self.freed, Some(&mut versions)) {
                // The old price is still shown.
                catalog.products.lower_price_bound(product.id.index(), product.price);
            }
            if begun.elapsed() >= time {
                return true;
            }
        }
        for (id, balance) in self.balances.by_ref() {
            // A new product already has its balance.
            if id.index() < self.len {
                catalog.apply_balance(*id, *balance, Some(&mut versions));
            } else {
                let created = catalog.products.get_mut(*id);
                debug_assert!(created.is_some_and(|(product, _)| product.balance() == *balance), "{id:?}");
            }
            if begun.elapsed() >= time {
                return true;
            }
        }
        drop(versions);
        if let Stage::Hidden(before) = std::mem::replace(&mut self.stage, Stage::Shown) {
            self.shown = catalog.products.show(None);
            catalog.free_codes(std::mem::take(&mut self.freed));
            catalog.note_last(self.changes);
            catalog.large_changes += 1;
            before.end();
        }
        let versions = log.lock();
        if versions.are_needed() {
            return false;
        }
        while let Some(product) = self.raised.next() {
            let index = product.id.index();
            // All products of a block have one bound.
            let block = PriceBounds::block_of(index);
            while self.raised.as_slice().first().is_some_and(|next| block.contains(&next.id.index())) {
                self.raised.next();
            }
            catalog.products.raise_price_bound(index);
            if begun.elapsed() >= time {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::super::{
        Adjustment, Cursor, Draft, ImportCheck, ImportCounts, Kind, Name, NearNames, Price, ProductDraft,
        Quantity, Search, Selection, Stopped, TermsDraft, Unit,
    };
    use super::*;

    fn row(number: i64, centavos: i64) -> ProductDraft {
        ProductDraft {
            name: Name::parse(&format!("Maçã {number}")).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: Some(Unit::parse(["un", "kg", "cx"][centavos as usize % 3]).unwrap()),
            opening_stock: Quantity::from_units(1000),
            terms: TermsDraft::default(),
        }
    }

    fn id(number: i64) -> ProductId {
        ProductId::from_number(number).unwrap()
    }

    /// A price list, and sales of these products in the same transaction.
    fn changes(catalog: &Catalog, rows: &[ProductDraft], sold: &[i64]) -> Transaction {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        for number in sold {
            let delta = Quantity::from_units(-1);
            let sale = Adjustment::new(id(*number), delta, Kind::Sale);
            draft.adjust(&sale).unwrap();
        }
        draft.import(rows, None).unwrap();
        draft.finish()
    }

    fn catalog(rows: &[ProductDraft]) -> Catalog {
        let mut catalog = Catalog::default();
        let changes = changes(&catalog, rows, &[]);
        catalog.apply(&changes);
        catalog
    }

    /// The product as lists show it: without the number of its last movement.
    fn as_listed(product: &Product) -> Product {
        Product { last_movement: 0, ..product.clone() }
    }

    fn listed(catalog: &Catalog, mut cursor: Cursor) -> Vec<Product> {
        let mut products = Vec::new();
        while cursor.visit(catalog, |product| {
            products.push(as_listed(&product));
            ControlFlow::Continue(())
        }) == Ok(Stopped::InTurn)
        {}
        products
    }

    /// All that can be seen of a catalog.
    #[derive(Debug, PartialEq)]
    struct Seen {
        products: Vec<Product>,
        by_id: Vec<Option<Product>>,
        by_name: Vec<Option<Product>>,
        ids: Vec<Option<ProductId>>,
        lists: Vec<Vec<Product>>,
        nearest: NearNames,
        dry_run: ImportCounts,
        len: usize,
        last_sequence: i64,
    }

    const NAMES: i64 = 24;

    fn seen(catalog: &Catalog) -> Seen {
        let numbers = 0..NAMES;
        let names = numbers.clone().flat_map(|number| [format!("Maçã {number}"), format!("MACA {number}")]);
        let prices = (0..30).step_by(3).map(|centavos| Price::from_centavos(centavos).ok()).chain([None]);
        let mut search = Search::new("maca 1");
        while search.go_on(catalog.products()) {}
        let rows: Vec<_> = numbers.map(|number| row(number, 7)).collect();
        Seen {
            products: catalog.products().iter().cloned().collect(),
            by_id: (1..=2 * NAMES).map(|number| catalog.products().get(id(number)).cloned()).collect(),
            by_name: names.clone().map(|name| catalog.find(&name).map(|view| view.product.clone())).collect(),
            ids: names.map(|name| catalog.id_of(&name)).collect(),
            lists: prices
                .map(|max_price| listed(catalog, catalog.cursor(Selection::up_to(max_price), None)))
                .collect(),
            nearest: search.names(),
            dry_run: Draft::new(catalog, SystemTime::UNIX_EPOCH).import(&rows, None).unwrap().counts,
            len: catalog.products().len(),
            last_sequence: catalog.last_sequence(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 1000 }))]
        #[test]
        fn a_large_change_is_seen_whole_or_not_at_all(
            first in 1..NAMES,
            earlier in 0..30_i64,
            prices in prop::collection::vec(0..30_i64, NAMES as usize),
            listed_from in 0..NAMES,
            sold in prop::collection::vec(0..NAMES, 0..12),
            keeps_lists in any::<bool>(),
        ) {
            let earlier: Vec<_> = (0..first).map(|number| row(number, earlier)).collect();
            let rows: Vec<_> = (listed_from..NAMES).map(|number| row(number, prices[number as usize])).collect();
            let sold: Vec<_> = sold.iter().map(|number| number % first + 1).collect();
            let (mut catalog, mut at_once) = (catalog(&earlier), catalog(&earlier));
            let changes = changes(&catalog, &rows, &sold);
            let before = seen(&catalog);
            at_once.apply(&changes);
            let after = seen(&at_once);

            let mut lists = Vec::new();
            let mut slices = 0;
            let mut large = LargeChange::new(&catalog, &changes);
            loop {
                if keeps_lists {
                    let products = catalog.products().iter().map(as_listed).collect::<Vec<_>>();
                    lists.push((catalog.cursor(Selection::default(), None), products));
                }
                let goes_on = large.go_on(&mut catalog, Duration::ZERO);
                slices += 1;
                let is_shown = matches!(large.stage, Stage::Shown);
                prop_assert_eq!(&seen(&catalog), if is_shown { &after } else { &before });
                if !goes_on {
                    prop_assert!(is_shown);
                    break;
                }
            }
            prop_assert!(slices > rows.len() / 2);
            drop(large);
            prop_assert_eq!(&seen(&catalog), &after);
            // Lists that began before, during and after the change show their own moment.
            let later: Vec<_> = (0..NAMES).map(|number| row(number, 29)).collect();
            let all: Vec<_> = (1..=first).collect();
            for catalog in [&mut catalog, &mut at_once] {
                let later = super::tests::changes(catalog, &later, &all);
                catalog.apply(&later);
            }
            prop_assert_eq!(&seen(&catalog), &seen(&at_once));
            for (cursor, products) in lists {
                prop_assert_eq!(listed(&catalog, cursor), products);
            }
            prop_assert!(!catalog.version_log.lock().are_needed());
        }
    }

    #[test]
    fn a_dry_run_counts_with_a_large_change_or_without_it() {
        let mut catalog = catalog(&[row(0, 1)]);
        let rows: Vec<_> = (0..10).map(|number| row(number, 3)).collect();
        let mut check = ImportCheck::new(&rows);
        let go_on = |check: &mut ImportCheck<'_>, catalog: &Catalog| {
            check.go_on(&Draft::new(catalog, SystemTime::UNIX_EPOCH), 4)
        };
        assert!(go_on(&mut check, &catalog));
        let changes = changes(&catalog, &rows, &[]);
        let mut large = LargeChange::new(&catalog, &changes);
        large.go_on(&mut catalog, Duration::ZERO);
        assert!(go_on(&mut check, &catalog));
        while large.go_on(&mut catalog, Duration::ZERO) {}
        let mut turns = 1;
        while go_on(&mut check, &catalog) {
            turns += 1;
        }
        let unchanged = ImportCounts { unchanged: 10, ..ImportCounts::default() };
        assert_eq!((turns, check.finish().map(|imported| imported.counts)), (3, Ok(unchanged)));
    }

    #[test]
    fn price_bounds_are_raised_unless_a_list_shows_the_old_prices() {
        for has_list in [false, true] {
            let rows = |centavos| (0..5000).map(|number| row(number, centavos)).collect::<Vec<_>>();
            let mut catalog = catalog(&rows(3));
            let changes = changes(&catalog, &rows(6), &[]);
            assert!(LargeChange::is_large(&changes));
            let list = has_list.then(|| catalog.cursor(Selection::default(), None));
            let mut large = LargeChange::new(&catalog, &changes);
            while large.go_on(&mut catalog, Duration::from_micros(200)) {}
            drop(list);
            let mut cheap = catalog.cursor(Selection::up_to(Price::from_centavos(5).ok()), None);
            let stopped = cheap.visit(&catalog, |_| ControlFlow::Break(()));
            assert_eq!(stopped, Ok(if has_list { Stopped::InTurn } else { Stopped::AtEnd }));
        }
    }
}
