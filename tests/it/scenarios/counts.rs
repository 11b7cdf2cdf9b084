//! Counts: a stock is set to what was counted, once.

use hortifruti::operation::Operation;

use super::shop::{Change, Draft, Shop, refused};

super::scenarios! {
    a_count_sets_the_stock: [GetProduct, AdjustStock, CountStock];
    a_count_that_is_repeated_is_made_once: [GetProduct, AdjustStock, CountStock];
    a_count_outlives_a_crash: [GetProduct, AdjustStock, CountStock], restarts = true;
    a_count_that_cannot_be_changes_nothing: [GetProduct, ListProducts, CountStock];
    a_count_is_undone_like_any_change: [GetProduct, CountStock, UndoMovement];
}

fn a_count_sets_the_stock(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Uva", 990, "kg", 10_000)]);
    for (name, counted) in [("caju", 57_000), ("MAÇÃ", 0), ("Pera", 15_000), ("uva", 9_650), ("Uva", 12_345)]
    {
        let product = shop.count_stock(name, counted, "").unwrap();
        assert_eq!(product.stock_thousandths, counted);
        assert_eq!(shop.get_product(name).unwrap(), product);
    }
    shop.change("Caju", -7_000);
    assert_eq!(shop.count_stock("Caju", 57_000, "").unwrap().stock_thousandths, 57_000);
}

fn a_count_that_is_repeated_is_made_once(shop: &mut Shop) {
    let first = shop.count_stock("Caju", 57_000, "contagem-1").unwrap();
    // Nothing differs: the first answer is kept all the same.
    let same = shop.count_stock("Maca", 20_000, "contagem-2").unwrap();
    shop.change("Caju", -5_000);
    shop.change("Maca", -5_000);
    for (transport, mut client) in shop.clients(Operation::CountStock) {
        assert_eq!(client.count_stock("CAJÚ", 57_000, "contagem-1").unwrap(), first, "{transport}");
        assert_eq!(client.count_stock("Maca", 20_000, "contagem-2").unwrap(), same, "{transport}");
        refused(client.count_stock("Caju", 56_000, "contagem-1"), "REQUEST_ID_REUSED");
        refused(client.count_stock("Maca", 57_000, "contagem-1"), "REQUEST_ID_REUSED");
        refused(client.adjust_stock(&Change::new("Caju", -3_000).id("contagem-1")), "REQUEST_ID_REUSED");
    }
    assert_eq!((shop.stock("Caju"), shop.stock("Maca")), (52_000, 15_000));
}

fn a_count_outlives_a_crash(shop: &mut Shop) {
    let first = shop.count_stock("Caju", 57_000, "contagem-1").unwrap();
    let same = shop.count_stock("Maca", 20_000, "contagem-2").unwrap();
    shop.change("Caju", -1_000);
    shop.change("Maca", -1_000);
    for end in [Shop::crash, Shop::close_and_open] {
        end(shop);
        assert_eq!(shop.count_stock("Caju", 57_000, "contagem-1").unwrap(), first);
        assert_eq!(shop.count_stock("Maca", 20_000, "contagem-2").unwrap(), same);
        refused(shop.count_stock("Maca", 19_000, "contagem-2"), "REQUEST_ID_REUSED");
        assert_eq!((shop.stock("Caju"), shop.stock("Maca")), (56_000, 19_000));
    }
}

fn a_count_that_cannot_be_changes_nothing(shop: &mut Shop) {
    let before = shop.products();
    refused(shop.count_stock("Kiwi", 1_000, ""), "PRODUCT_NOT_FOUND");
    refused(shop.count_stock("Caju", -1_000, ""), "INVALID_ARGUMENT");
    refused(shop.count_stock("Caju", 57_500, ""), "INVALID_ARGUMENT");
    assert_eq!(shop.products(), before);
}

fn a_count_is_undone_like_any_change(shop: &mut Shop) {
    shop.count_stock("Caju", 57_000, "").unwrap();
    assert_eq!(shop.undo_movement(5, "").unwrap()[0].stock_thousandths, 60_000);
    // A count that changed nothing has no movement.
    shop.count_stock("Caju", 60_000, "").unwrap();
    refused(shop.undo_movement(7, ""), "MOVEMENT_NOT_FOUND");
}
