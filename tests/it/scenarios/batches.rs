//! Batches: several changes, all or none, once.

use super::shop::{Change, Kind, Shop, four_products, refused};

super::scenarios! {
    a_batch_is_all_or_none: [ListProducts, BatchAdjustStock];
    a_batch_that_is_repeated_is_made_once: [GetProduct, AdjustStock, BatchAdjustStock];
}

fn sale(name: &str, delta_thousandths: i64) -> Change {
    Change::new(name, delta_thousandths).kind(Kind::Sale)
}

fn a_batch_is_all_or_none(shop: &mut Shop) {
    for (changes, code) in [
        (vec![sale("Maca", -1_000), sale("Kiwi", -1_000)], "PRODUCT_NOT_FOUND"),
        (vec![sale("Maca", -1_000), sale("Pera", -16_000)], "INSUFFICIENT_STOCK"),
        // Each fits alone, but not both.
        (vec![sale("Maca", -15_000), sale("MAÇÃ", -15_000)], "INSUFFICIENT_STOCK"),
        (vec![sale("Maca", -500), sale("Pera", -1_000)], "INVALID_ARGUMENT"),
        (vec![sale("Maca", -1_000).id("id")], "INVALID_ARGUMENT"),
        (vec![], "INVALID_ARGUMENT"),
        (vec![sale("Maca", -1); 1001], "INVALID_ARGUMENT"),
    ] {
        refused(shop.batch_adjust_stock(&changes, ""), code);
    }
    assert_eq!(shop.products(), four_products());
}

fn a_batch_that_is_repeated_is_made_once(shop: &mut Shop) {
    let purchase = Change::new("CAJU", 80_000).kind(Kind::Purchase);
    let changes = [sale("Caju", -50_000), sale("Pera", -1_000), purchase, sale("Caju", -90_000)];
    let first = shop.batch_adjust_stock(&changes, "lote-1").unwrap();
    // What comes in is booked first, and each answer shows the product after its own change.
    let stocks: Vec<i64> = first.iter().map(|product| product.stock_thousandths).collect();
    assert_eq!(stocks, [90_000, 14_000, 140_000, 0]);
    shop.change("Caju", 5_000);
    assert_eq!(shop.batch_adjust_stock(&changes, "lote-1").unwrap(), first);
    assert_eq!(shop.stock("Caju"), 5_000);
    refused(shop.batch_adjust_stock(&changes[..3], "lote-1"), "REQUEST_ID_REUSED");
    // One space of ids for changes of every sort.
    refused(shop.adjust_stock(&sale("Pera", -1_000).id("lote-1")), "REQUEST_ID_REUSED");
    assert_eq!((shop.stock("Caju"), shop.stock("Pera")), (5_000, 14_000));
}
