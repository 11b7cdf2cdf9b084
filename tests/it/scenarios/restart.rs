//! What outlives the server.

use super::shop::{Change, Draft, Kind, Shop, refused};

super::scenarios! {
    a_killed_server_has_lost_nothing_that_it_answered: [GetProduct, ListProducts, AdjustStock], restarts = true;
    a_stop_keeps_everything: [GetProduct, ListProducts, AdjustStock], restarts = true;
    a_batch_outlives_a_crash: [GetProduct, BatchAdjustStock], restarts = true;
    an_import_outlives_a_crash: [ListProducts, ImportProducts], restarts = true;
    an_empty_shop_stays_empty: [ListProducts], restarts = true;
}

fn a_killed_server_has_lost_nothing_that_it_answered(shop: &mut Shop) {
    keeps_everything(shop, Shop::crash);
}

fn a_stop_keeps_everything(shop: &mut Shop) {
    keeps_everything(shop, Shop::close_and_open);
}

fn keeps_everything(shop: &mut Shop, end: fn(&mut Shop)) {
    shop.arrange(&[Draft::new("Tomate", 599, "kg", 10_500)]);
    let sale = Change::new("Caju", -20_000).kind(Kind::Sale).id("pedido-1");
    let first = shop.adjust_stock(&sale).unwrap();
    shop.change("Caju", -1_000);
    shop.change("Tomate", -250);
    let before = shop.products();
    for _ in 0..2 {
        end(shop);
        assert_eq!(shop.products(), before);
        assert_eq!(shop.adjust_stock(&sale).unwrap(), first);
        let other = Change { delta_thousandths: -19_000, ..sale.clone() };
        refused(shop.adjust_stock(&other), "REQUEST_ID_REUSED");
    }
    assert_eq!(shop.change("Tomate", -10_250).stock_thousandths, 0);
    assert_eq!(shop.stock("Caju"), 39_000);
}

fn a_batch_outlives_a_crash(shop: &mut Shop) {
    let changes = [Change::new("Caju", -20_000), Change::new("Pera", -1_000)];
    let first = shop.batch_adjust_stock(&changes, "lote-1").unwrap();
    shop.crash();
    assert_eq!(shop.batch_adjust_stock(&changes, "lote-1").unwrap(), first);
    refused(shop.batch_adjust_stock(&changes[..1], "lote-1"), "REQUEST_ID_REUSED");
    assert_eq!((shop.stock("Caju"), shop.stock("Pera")), (40_000, 14_000));
}

fn an_import_outlives_a_crash(shop: &mut Shop) {
    let list = [Draft::new("Uva", 990, "kg", 1_500), Draft::new("Caju", 250, "un", 0)];
    let counts = shop.import_products(&list, false, "lista-1").unwrap();
    let before = shop.products();
    shop.crash();
    assert_eq!(shop.products(), before);
    assert_eq!(shop.import_products(&list, false, "lista-1").unwrap(), counts);
    assert_eq!(shop.products(), before);
}

fn an_empty_shop_stays_empty(shop: &mut Shop) {
    let mut empty = shop.another(&["--empty"]);
    assert_eq!(empty.products(), []);
    empty.close_and_open();
    assert_eq!(empty.products(), []);
}
