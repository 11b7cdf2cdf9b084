//! Purchases, their suppliers, lots and expiries.

use std::time::{Duration, SystemTime};

use hortifruti::catalog::{
    Adjustment, Catalog, Details, Kind, Movement, Purchase, Quantity, Undoable, parse_expiry,
};
use hortifruti::store::{Expiry, Origin, PurchaseQuery, PurchaseRow, Store};

use super::{Place, commit, over_every_store};

/// Purchases of two products, one in three from a supplier, of a lot and with an expiry, and of which some are undone.
fn bought(place: &Place) -> (Box<dyn Store>, Catalog, Vec<Movement>, Vec<i64>) {
    const SUPPLIERS: [&str; 3] = ["Sítio do Zé", "SITIO DO ZE", "Ceasa"];
    let (mut store, mut catalog) = place.open_shop();
    let products = ["caju", "maca"].map(|key| catalog.find(key).unwrap().id);
    let mut purchases = Vec::new();
    for index in 0..30 {
        let purchase = Purchase {
            supplier: (index % 3 == 0).then(|| SUPPLIERS[index / 3 % 3].parse().unwrap()),
            lot: (index % 3 == 1).then(|| format!("L{}", index % 4).parse().unwrap()),
            expires_on: (index % 3 == 2).then(|| parse_expiry(&format!("2026-12-{:02}", index + 1)).unwrap()),
            invoice: (index % 4 == 3).then(|| format!("nota {}", index / 12).parse().unwrap()),
            item: (index % 5 == 4).then(|| format!("item {}", index % 2).parse().unwrap()),
            pack: (index % 7 == 6).then(|| Quantity::from_units(20)),
        };
        let details = Details { purchase: Some(purchase), ..Details::default() }.boxed();
        let delta = Quantity::from_units(1 + index as i32);
        let adjustment =
            Adjustment { details, ..Adjustment::new(products[index % 2], delta, Kind::Purchase) };
        let stored = commit(&mut *store, &mut catalog, 100 + index as u64, |draft| {
            draft.adjust(&adjustment).unwrap();
        });
        purchases.extend(stored.movements);
    }
    let undone: Vec<i64> = purchases.iter().skip(4).step_by(7).map(|movement| movement.sequence).collect();
    for sequence in &undone {
        let movement = purchases.iter().find(|movement| movement.sequence == *sequence).unwrap();
        let undoable = Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 };
        commit(&mut *store, &mut catalog, 1000, |draft| {
            draft.undo(*sequence, &[undoable], None, None).unwrap();
        });
    }
    (store, catalog, purchases, undone)
}

fn purchase(movement: &Movement) -> Purchase {
    movement.details.as_ref().and_then(|details| details.purchase.clone()).unwrap_or_default()
}

#[test]
fn purchases_are_read_newest_first_without_what_was_undone() {
    over_every_store(|place| {
        let (store, catalog, purchases, undone) = bought(place);
        let ledger = store.ledger();
        let last = catalog.last_sequence();
        let row = |movement: &Movement| PurchaseRow {
            sequence: movement.sequence,
            product: movement.product,
            recorded_at: movement.recorded_at,
            bought: movement.delta,
            purchase: purchase(movement),
        };
        for product in [None, Some(purchases[0].product), Some(purchases[1].product)] {
            for (start, through, count_max) in [
                (last, last, None),
                (last, last, Some(3)),
                (20, last, Some(5)),
                // Nothing was undone yet.
                (last, purchases[29].sequence, None),
            ] {
                let is_asked_for = |movement: &&Movement| {
                    movement.sequence <= start
                        && product.is_none_or(|product| product == movement.product)
                        && (through < last || !undone.contains(&movement.sequence))
                };
                let expected: Vec<_> = purchases
                    .iter()
                    .rev()
                    .filter(is_asked_for)
                    .map(row)
                    .take(count_max.unwrap_or(usize::MAX))
                    .collect();
                let query = PurchaseQuery { product, start, through, count_max };
                assert_eq!(ledger.purchases(&query).unwrap(), expected, "{query:?}");
            }
        }
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(purchases[7].recorded_at, at(107));
    });
}

#[test]
fn suppliers_lots_and_expiries_are_read_in_order_from_one_on() {
    over_every_store(|place| {
        let (store, catalog, purchases, _) = bought(place);
        let ledger = store.ledger();
        let last = catalog.last_sequence();
        // Two spellings of one supplier have one key.
        assert_eq!(ledger.suppliers("", 10).unwrap(), ["ceasa", "sitio do ze"]);
        assert_eq!(ledger.suppliers("", 1).unwrap(), ["ceasa"]);
        assert_eq!(ledger.suppliers("ceasa", 10).unwrap(), ["sitio do ze"]);
        let of_ceasa =
            |range, count_max| ledger.of_origin(Origin::Supplier("ceasa"), range, count_max).unwrap();
        let mut expected: Vec<i64> = purchases
            .iter()
            .filter(|movement| purchase(movement).supplier.is_some_and(|name| name.as_str() == "Ceasa"))
            .map(|movement| movement.sequence)
            .collect();
        expected.reverse();
        assert_eq!(of_ceasa(1..=last, 100), expected);
        assert_eq!(of_ceasa(1..=last, 2), expected[..2]);
        assert_eq!(of_ceasa(expected[2]..=expected[1], 100), expected[1..=2]);
        for (origin, is_of) in [
            (
                Origin::Invoice("nota 1"),
                (|it| it.invoice.is_some_and(|key| key.as_str() == "nota 1")) as fn(Purchase) -> bool,
            ),
            (Origin::Item("item 0"), |it| it.item.is_some_and(|item| item.as_str() == "item 0")),
        ] {
            let numbers = purchases.iter().rev().filter(|movement| is_of(purchase(movement)));
            let numbers: Vec<i64> = numbers.map(|movement| movement.sequence).collect();
            assert_eq!(ledger.of_origin(origin, 1..=last, 100).unwrap(), numbers);
            assert_eq!(ledger.of_origin(origin, 1..=numbers[1], 1).unwrap(), numbers[1..2]);
        }
        let mut lots: Vec<(String, i64)> = purchases
            .iter()
            .filter_map(|movement| Some((purchase(movement).lot?.as_str().to_owned(), movement.sequence)))
            .collect();
        lots.sort();
        assert_eq!(ledger.lots(&(String::new(), 0), 100).unwrap(), lots);
        assert_eq!(ledger.lots(&lots[2], 3).unwrap(), lots[3..6]);
        let expiries: Vec<Expiry> = purchases
            .iter()
            .filter_map(|movement| {
                let expires_on = purchase(movement).expires_on?;
                Some(Expiry { sequence: movement.sequence, product: movement.product, expires_on })
            })
            .collect();
        assert_eq!(ledger.expiries(1..=last, 100).unwrap(), expiries);
        let (from, to) = (expiries[1].sequence, expiries[4].sequence);
        assert_eq!(ledger.expiries(from..=to, 100).unwrap(), expiries[1..=4]);
        assert_eq!(ledger.expiries(from..=to, 2).unwrap(), expiries[1..=2]);
    });
}
