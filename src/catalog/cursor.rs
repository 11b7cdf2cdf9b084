//! A list of the products of one moment, which is read while the catalog changes.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Catalog;
use super::product::{Product, ProductId};
use super::product_view::ProductView;
use super::selection::Selection;
use super::terms::Terms;
use super::version_log::Snapshot;

/// The products at the moment when the cursor was made, one after the other in the order of creation.
#[derive(Debug, Clone)]
pub struct Cursor {
    snapshot: Snapshot,
    /// How many products there were at that moment.
    len: usize,
    selection: Arc<Selection>,
    /// The index of the next product.
    next: usize,
    /// The position in the version log at which an interrupted search for the next product's earliest
    /// version continues.
    version: Option<u64>,
}

/// The error of a cursor whose moment the version log no longer keeps, because too much has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOld;

/// Why a cursor has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// There are no more products.
    AtEnd,
    /// The caller's function returned `Break`.
    AsAsked,
    /// The turn is over; other work goes first.
    InTurn,
}

/// Products, bounds and versions looked at in one turn: up to a tenth of a millisecond, if none of them
/// is in the processor's cache.
const LOOKS_IN_TURN: usize = 1024;

impl Catalog {
    /// A cursor over the selected products that come after this one, in the order of creation. The cursor
    /// shows each product in its present state, even if the product changes before the cursor reaches it.
    pub fn cursor(&self, selection: Selection, after: Option<ProductId>) -> Cursor {
        let snapshot = Snapshot::new(&self.version_log);
        let next = after.map_or(0, |id| id.index() + 1);
        Cursor { snapshot, len: self.products.len(), selection: Arc::new(selection), next, version: None }
    }
}

impl Cursor {
    /// Calls `visit` with each next product of this catalog, until `visit` breaks or the turn ends.
    ///
    /// # Errors
    /// If more has changed since the cursor was made than the version log keeps.
    pub fn visit(
        &mut self,
        catalog: &Catalog,
        mut visit: impl FnMut(ProductView<'_>) -> ControlFlow<()>,
    ) -> Result<Stopped, TooOld> {
        let versions = self.snapshot.log.lock();
        if self.snapshot.moment < versions.start {
            return Err(TooOld);
        }
        let mut looks = LOOKS_IN_TURN;
        loop {
            if let Some(max_price) = self.selection.max_price {
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
            if self.selection.max_price.is_some_and(|max_price| price > max_price) {
                continue;
            }
            looks = looks.saturating_sub(self.selection.looks());
            let mut visit = |view: ProductView<'_>| match self.selection.takes(view) {
                true => visit(view),
                false => ControlFlow::Continue(()),
            };
            let visited = match earliest {
                None => visit(catalog.products.latest_view(product)),
                Some(version) => {
                    let mut product = Product {
                        price,
                        stock: version.stock,
                        stock_cost: version.stock_cost,
                        unit: catalog.units.get(version.unit).clone(),
                        ..product.clone()
                    };
                    match versions.identity(product.id, self.snapshot.moment) {
                        None => visit(catalog.products.latest_view(&product)),
                        Some(identity) => {
                            product.name = identity.name.clone();
                            product.flags = identity.flags;
                            let terms = identity.terms.as_deref().unwrap_or(Terms::NONE);
                            visit(ProductView { product: &product, terms })
                        }
                    }
                }
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

    use super::super::{Adjustment, Draft, Kind, Name, Price, ProductDraft, Quantity, TermsDraft, Unit};
    use super::*;

    fn row(name: &str, centavos: i64, unit: &str) -> ProductDraft {
        ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            unit: Some(Unit::parse(unit).unwrap()),
            opening_stock: Quantity::from_units(1000),
            terms: TermsDraft::default(),
        }
    }

    fn import(catalog: &mut Catalog, rows: &[ProductDraft]) {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        draft.import(rows, None).unwrap();
        let changes = draft.finish();
        catalog.apply(&changes);
    }

    fn adjust(catalog: &mut Catalog, product: ProductId, units: i32) {
        let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH);
        let delta = Quantity::from_units(units);
        draft.adjust(&Adjustment::new(product, delta, Kind::Adjustment)).unwrap();
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
                products.push(listed(product.product));
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
                        cursors.insert(product % 8, (catalog.cursor(Selection::up_to(max_price), None), expected));
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
        let mut untaken = catalog.cursor(Selection::default(), None);
        adjust(&mut catalog, id(1), 1);
        let mut taken = catalog.cursor(Selection::default(), None);
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
        let mut only = catalog.cursor(Selection::default(), None);
        (1..=65).for_each(|number| adjust(&mut catalog, id(number), 1));
        assert_eq!(read(&catalog, &mut only, 1), Err(TooOld));
        assert_eq!(kept(&catalog), (0, 0));
    }

    #[test]
    fn a_product_that_changes_between_many_cursors_is_looked_up_in_turns() {
        let mut catalog = catalog(3);
        let mut first = catalog.cursor(Selection::default(), None);
        let mut last = catalog.cursor(Selection::default(), None);
        for _ in 0..3 * LOOKS_IN_TURN {
            adjust(&mut catalog, id(2), 1);
            last = catalog.cursor(Selection::default(), None);
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
        let mut cursor = catalog.cursor(Selection::up_to(Price::from_centavos(0).ok()), Some(id(1)));
        let mut found = Vec::new();
        let stopped = cursor.visit(&catalog, |product| {
            found.push(product.id.number());
            ControlFlow::Continue(())
        });
        assert_eq!((stopped, found), (Ok(Stopped::AtEnd), vec![200_000]));
    }
}
