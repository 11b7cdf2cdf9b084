//! Price lists: all rows or none, once.

use super::shop::{Counts, Draft, Product, Shop, four_products, refused};

super::scenarios! {
    an_import_creates_and_reprices_and_keeps_stocks: [ListProducts, ImportProducts];
    an_import_is_all_or_none_and_names_each_bad_row: [ListProducts, ImportProducts];
    an_import_that_is_repeated_is_made_once: [ListProducts, AdjustStock, ImportProducts];
    an_import_is_the_same_however_its_unit_is_spelt: [ListProducts, ImportProducts];
    a_dry_run_counts_and_changes_nothing: [ListProducts, ImportProducts];
}

/// A list of one new product, two new prices, and one product as it is.
fn list() -> [Draft; 4] {
    [
        Draft::new("Uva", 990, "kg", 1_500),
        Draft::new("CAJÚ", 250, "un", 1_000),
        Draft::new("Maca", 310, "un", 0),
        Draft::new("Pera", 500, "un", 0),
    ]
}

const COUNTS: Counts = Counts { created: 1, updated: 2, unchanged: 1 };

fn an_import_creates_and_reprices_and_keeps_stocks(shop: &mut Shop) {
    assert_eq!(shop.import_products(&list(), false, "").unwrap(), COUNTS);
    assert_eq!(
        shop.products(),
        [
            Product::new("Maca", 310, 20_000),
            Product::new("Pera", 500, 15_000),
            Product::new("Banana", 1000, 30_000),
            Product::new("Caju", 250, 60_000),
            Product::new("Uva", 990, 1_500),
        ]
    );
    let again = shop.import_products(&list(), false, "").unwrap();
    assert_eq!(again, Counts { created: 0, updated: 0, unchanged: 4 });
}

fn an_import_is_all_or_none_and_names_each_bad_row(shop: &mut Shop) {
    let [good, ..] = list();
    let bad = [
        // Half a piece, and a price that no product has.
        Draft::new("Figo", 100, "un", 500),
        Draft::new("Figo", 1_000_000_000_001, "un", 0),
        // The same product twice.
        Draft::new("UVA", 100, "kg", 0),
    ];
    for bad in bad {
        let list = [good.clone(), bad, Draft::new("Lima", 100, "un", 0), Draft::new("Anis", 100, "un", 1)];
        for is_dry_run in [true, false] {
            let refusal = refused(shop.import_products(&list, is_dry_run, ""), "INVALID_ARGUMENT");
            assert_eq!(refusal.rows, [1, 3], "{refusal:?}");
        }
        assert_eq!(shop.products(), four_products());
    }
    refused(shop.import_products(&[], false, ""), "INVALID_ARGUMENT");
}

fn an_import_that_is_repeated_is_made_once(shop: &mut Shop) {
    assert_eq!(shop.import_products(&list(), false, "lista-1").unwrap(), COUNTS);
    shop.change("Uva", -500);
    let before = shop.products();
    assert_eq!(shop.import_products(&list(), false, "lista-1").unwrap(), COUNTS);
    assert_eq!(shop.products(), before);
    let other = [Draft::new("Uva", 9_900, "kg", 0)];
    refused(shop.import_products(&other, false, "lista-1"), "REQUEST_ID_REUSED");
    assert_eq!(shop.products(), before);
}

fn an_import_is_the_same_however_its_unit_is_spelt(shop: &mut Shop) {
    let spelt = |unit| [Draft::new("Uva", 990, unit, 2_000), Draft::new("Figo", 200, "Und.", 0)];
    let counts = Counts { created: 2, updated: 0, unchanged: 0 };
    for unit in ["Kilo", "Kilo", "kg", "KGS"] {
        assert_eq!(shop.import_products(&spelt(unit), false, "lista-1").unwrap(), counts, "{unit}");
    }
    refused(shop.import_products(&spelt("cx"), false, "lista-1"), "REQUEST_ID_REUSED");
    assert_eq!(shop.products().len(), 6);
}

fn a_dry_run_counts_and_changes_nothing(shop: &mut Shop) {
    for _ in 0..2 {
        assert_eq!(shop.import_products(&list(), true, "lista-1").unwrap(), COUNTS);
        assert_eq!(shop.products(), four_products());
    }
    // The rehearsal leaves its id free.
    assert_eq!(shop.import_products(&list(), false, "lista-1").unwrap(), COUNTS);
}
