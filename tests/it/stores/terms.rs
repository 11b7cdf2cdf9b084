//! The terms of products, and the changes of them.

use std::time::SystemTime;

use hortifruti::catalog::{
    Barcode, Catalog, Category, Draft, Name, ProductId, ShopCode, TermsField, TermsUpdate, original_products,
};
use hortifruti::store::{ChangesQuery, Wait};

use super::over_every_durable_store;

fn name(text: &str) -> TermsUpdate {
    TermsUpdate { name: Some(Name::parse(text).unwrap()), ..TermsUpdate::default() }
}

#[test]
fn terms_are_stored_and_every_change_of_them() {
    over_every_durable_store(|place| {
        let mut store = place.open();
        assert!(store.load().unwrap().is_none());
        let mut catalog = Catalog::default();
        let mut opening = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        opening.import(&original_products(), None).unwrap();
        opening.mark_examples();
        let opening = opening.finish();
        store.create(&opening).unwrap();
        catalog.apply(&opening);
        let id = |number| ProductId::from_number(number).unwrap();
        let coded = TermsUpdate {
            code: Some(ShopCode::from_number(123).ok()),
            barcodes: Some(["4011", "0614141007349"].map(|text| Barcode::parse(text).unwrap()).to_vec()),
            category: Some(Category::parse("Frutas").ok()),
            shelf_life_days: Some(3),
            ..name("Cajá")
        };
        let moved = TermsUpdate { code: Some(None), is_discontinued: Some(true), ..name("Caju seco") };
        let taken = TermsUpdate { code: coded.code, ..name("Cajá") };
        // The second gives the name and the code of one product to another, and the third exchanges names.
        let steps = [
            vec![(4, coded)],
            vec![(4, moved), (1, taken)],
            vec![(2, name("Por agora")), (1, name("Pera")), (2, name("Cajá"))],
            vec![(2, name("Maca")), (2, name("PERÃO"))],
        ];
        let mut made = Vec::new();
        for updates in steps {
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            for (product, update) in updates {
                draft.update(id(product), &update, "balcao".parse().ok().as_ref()).unwrap();
            }
            let changes = draft.finish();
            store.commit(&changes, Wait::ForOthers).unwrap();
            catalog.apply(&changes);
            made.extend(changes.changes);
            assert!(store.load().unwrap().unwrap() == catalog);
        }
        let ledger = store.ledger();
        let query = ChangesQuery { product: None, lowest: 1, before: i64::MAX, count_max: 1000 };
        let newest_first: Vec<_> = made.iter().rev().cloned().collect();
        assert_eq!(ledger.product_changes(&query).unwrap(), newest_first);
        for product in (1..=4).map(id) {
            let of_product: Vec<_> =
                newest_first.iter().filter(|change| change.product == product).cloned().collect();
            let query = ChangesQuery { product: Some(product), ..query };
            assert_eq!(ledger.product_changes(&query).unwrap(), of_product);
        }
        let page = ChangesQuery { before: 5, lowest: 2, count_max: 2, ..query };
        let numbers: Vec<i64> =
            ledger.product_changes(&page).unwrap().iter().map(|change| change.number).collect();
        assert_eq!(numbers, [4, 3]);
        assert!(made.iter().any(|change| change.field == TermsField::Name));
        drop(store);
        assert!(place.open().load().unwrap().unwrap() == catalog);
    });
}
