//! Price lists: all rows or none, once.

use hortifruti::operation::Operation;

use super::shop::{
    Change, Counts, Draft, DraftTerms, Product, Shop, Terms, UndoneImport, four_products, refused,
};

super::scenarios! {
    an_import_creates_and_reprices_and_keeps_stocks: [ListProducts, ImportProducts];
    an_import_is_all_or_none_and_names_each_bad_row: [ListProducts, ImportProducts];
    an_import_that_is_repeated_is_made_once: [ListProducts, AdjustStock, ImportProducts];
    an_import_is_the_same_however_its_unit_is_spelt: [ListProducts, ImportProducts];
    a_dry_run_counts_and_changes_nothing: [ListProducts, ImportProducts];
    a_list_changes_the_terms_that_it_has_and_no_others: [ListProductChanges, ImportProducts];
    an_import_is_undone_whole_and_once: [ListProducts, ImportProducts, UndoImport];
    what_was_used_or_changed_since_an_import: [AdjustStock, UpdateProduct, ImportProducts, UndoImport];
    an_undone_import_outlives_a_crash: [ListProducts, ImportProducts, UndoImport], restarts = true;
    terms_that_cannot_be_are_refused_with_their_rows: [GetProduct, UpdateProduct, ImportProducts];
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

/// Terms of which none is left out.
const TERMS: DraftTerms = DraftTerms {
    code: 12,
    barcodes: &["4011", "7891000100103"],
    category: "frutas; \"de época\", secas",
    minimum_thousandths: Some(5_000),
    target_thousandths: Some(9_500),
    shelf_life_days: Some(3),
};

fn a_list_changes_the_terms_that_it_has_and_no_others(shop: &mut Shop) {
    let caju = || Draft::new("Caju", 200, "un", 0);
    let counts = |created, updated, unchanged| Counts { created, updated, unchanged };
    let list = [caju().terms(TERMS), Draft::new("Uva", 990, "kg", 0)];
    assert_eq!(shop.import_products(&list, false, "").unwrap(), counts(1, 1, 0));
    for code in ["12", "000012", "4011", "7891000100103"] {
        assert_eq!(shop.get_product(code).unwrap().name, "Caju", "{code}");
    }
    let changes = |shop: &mut Shop| {
        let changes = shop.list_product_changes("Caju").unwrap();
        changes.into_iter().map(|(field, old, new)| format!("{field}: {old} → {new}")).collect::<Vec<_>>()
    };
    let first = changes(shop);
    assert_eq!(
        first,
        [
            "shelf_life_days: 0 → 3",
            "target_thousandths: 0 → 9500",
            "minimum_thousandths: 0 → 5000",
            "category:  → frutas; \"de época\", secas",
            "barcodes:  → 4011,7891000100103",
            "code:  → 12",
        ]
    );
    // A list without the terms, one with them as they are, and one with other ones.
    assert_eq!(shop.import_products(&[caju()], false, "").unwrap(), counts(0, 0, 1));
    assert_eq!(shop.import_products(&[caju().terms(TERMS)], false, "").unwrap(), counts(0, 0, 1));
    let other = DraftTerms { code: 13, target_thousandths: Some(0), ..DraftTerms::default() };
    assert_eq!(shop.import_products(&[caju().terms(other)], false, "").unwrap(), counts(0, 1, 0));
    let all = changes(shop);
    assert_eq!(all[..2], ["target_thousandths: 9500 → 0", "code: 12 → 13"]);
    assert_eq!(all[2..], first);
    assert_eq!(shop.get_product("4011").unwrap().name, "Caju");
}

fn terms_that_cannot_be_are_refused_with_their_rows(shop: &mut Shop) {
    let coded = Terms { code: Some(7), minimum_thousandths: Some(4_000), ..Terms::default() };
    shop.update_product("Caju", &coded, "").unwrap();
    let none = DraftTerms::default();
    let limits =
        |minimum, target| DraftTerms { minimum_thousandths: minimum, target_thousandths: target, ..none };
    let list = [
        Draft::new("Uva", 990, "kg", 0).terms(DraftTerms { code: 8, ..none }),
        // The code of another product, a code twice, a wrong check digit, and targets below the minimum.
        Draft::new("Lima", 100, "un", 0).terms(DraftTerms { code: 7, ..none }),
        Draft::new("Kiwi", 100, "un", 0).terms(DraftTerms { code: 8, ..none }),
        Draft::new("Figo", 100, "un", 0).terms(DraftTerms { barcodes: &["7891000100104"], ..none }),
        Draft::new("Anis", 100, "un", 0).terms(limits(Some(5_000), Some(4_000))),
        Draft::new("Caju", 200, "un", 0).terms(limits(None, Some(3_000))),
        Draft::new("Maca", 300, "un", 0).terms(limits(Some(5_000), Some(5_000))),
        Draft::new("Pera", 500, "un", 0).terms(limits(Some(5_000), Some(0))),
    ];
    for is_dry_run in [true, false] {
        let refusal = refused(shop.import_products(&list, is_dry_run, ""), "INVALID_ARGUMENT");
        assert_eq!(refusal.rows, [1, 2, 3, 4, 5], "{refusal:?}");
    }
    assert_eq!(shop.products(), four_products());
    // `product set` refuses the same.
    let below = Terms { target_thousandths: Some(3_000), ..Terms::default() };
    let refusal = refused(shop.update_product("Caju", &below, ""), "INVALID_ARGUMENT");
    assert!(refusal.message.contains("o alvo 3 de \"Caju\" fica abaixo do mínimo 4"), "{refusal:?}");
    let both = Terms { minimum_thousandths: Some(3_000), ..below };
    shop.update_product("Caju", &both, "").unwrap();
}

/// The undo of [`list`].
const UNDONE: UndoneImport = UndoneImport { restored: 2, retired: 1, kept: 0 };

fn an_import_is_undone_whole_and_once(shop: &mut Shop) {
    // No import was made yet: the four products of a new shop are none.
    refused(shop.undo_import(""), "MOVEMENT_NOT_FOUND");
    shop.import_products(&list(), false, "").unwrap();
    assert_eq!(shop.undo_import("estorno-1").unwrap(), UNDONE);
    assert_eq!(shop.products(), four_products());
    let again = refused(shop.undo_import(""), "ALREADY_UNDONE");
    assert!(again.message.contains("já foi desfeita"), "{again:?}");
    // A product that the import created leaves its name and its codes free.
    let coded = |code| DraftTerms { code, ..DraftTerms::default() };
    shop.import_products(&[Draft::new("Uva", 890, "kg", 0).terms(coded(7))], false, "").unwrap();
    assert_eq!(shop.get_product("7").unwrap(), Product::new("Uva", 890, 0));
    for (transport, mut client) in shop.clients(Operation::UndoImport) {
        assert_eq!(client.undo_import("estorno-1").unwrap(), UNDONE, "{transport}");
    }
    refused(shop.adjust_stock(&Change::new("Caju", 1_000).id("estorno-1")), "REQUEST_ID_REUSED");
    assert_eq!(shop.products().len(), 5);
    // The import of one product is one too.
    assert_eq!(shop.undo_import("").unwrap(), UndoneImport { restored: 0, retired: 1, kept: 0 });
    refused(shop.undo_import(""), "ALREADY_UNDONE");
    assert_eq!(shop.products(), four_products());
}

fn what_was_used_or_changed_since_an_import(shop: &mut Shop) {
    shop.import_products(&list(), false, "").unwrap();
    let dearer = Terms { price_centavos: Some(260), ..Terms::default() };
    shop.update_product("Caju", &dearer, "").unwrap();
    shop.change("Uva", -500);
    let before = shop.products();
    let used = refused(shop.undo_import("estorno-1"), "INSUFFICIENT_STOCK");
    assert!(
        used.message.contains("\"Uva\", que ela criou, foi usado depois por #6 (ajuste -0.5)"),
        "{used:?}"
    );
    assert_eq!(shop.products(), before);
    shop.undo_movement(6, "").unwrap();
    // The refused undo left its id free.
    let undone = UndoneImport { restored: 1, retired: 1, kept: 1 };
    assert_eq!(shop.undo_import("estorno-1").unwrap(), undone);
    let mut expected = four_products();
    expected[3].price_centavos = 260;
    assert_eq!(shop.products(), expected);
}

fn an_undone_import_outlives_a_crash(shop: &mut Shop) {
    shop.import_products(&list(), false, "").unwrap();
    let other = [Draft::new("Maca", 350, "un", 0), Draft::new("Pera", 550, "un", 0)];
    shop.import_products(&other, false, "").unwrap();
    assert_eq!(shop.undo_import("estorno-1").unwrap().restored, 2);
    for end in [Shop::crash, Shop::close_and_open] {
        end(shop);
        assert_eq!(shop.products()[0], Product::new("Maca", 310, 20_000));
        assert_eq!(shop.undo_import("estorno-1").unwrap().restored, 2);
        refused(shop.undo_import("estorno-2"), "ALREADY_UNDONE");
    }
    shop.import_products(&other, false, "").unwrap();
    assert_eq!(shop.undo_import("").unwrap().restored, 2);
}
