//! Request ids: a change that is repeated under its id is made once.

use hortifruti::operation::Operation;

use super::shop::{Change, Kind, Shop, refused};

super::scenarios! {
    a_change_that_is_repeated_is_made_once: [GetProduct, AdjustStock];
    a_change_that_many_ask_for_at_once_is_made_once: [GetProduct, AdjustStock];
    a_request_id_means_one_change: [GetProduct, AdjustStock];
    a_refused_change_leaves_its_request_id_free: [GetProduct, AdjustStock];
    a_request_id_has_at_most_64_characters: [GetProduct, AdjustStock];
}

fn a_change_that_is_repeated_is_made_once(shop: &mut Shop) {
    let sale = Change::new("Caju", -20_000).kind(Kind::Sale).id("pedido-1");
    let first = shop.adjust_stock(&sale).unwrap();
    assert_eq!(first.stock_thousandths, 40_000);
    shop.change("Caju", -1_000);
    // The repetition gets the first answer, whatever has changed since, and over any transport.
    assert_eq!(shop.adjust_stock(&sale).unwrap(), first);
    for (transport, mut client) in shop.clients(Operation::AdjustStock) {
        assert_eq!(client.adjust_stock(&sale).unwrap(), first, "{transport}");
        let spelt_otherwise = Change { name: "CAJÚ".to_owned(), ..sale.clone() };
        assert_eq!(client.adjust_stock(&spelt_otherwise).unwrap(), first, "{transport}");
    }
    assert_eq!(shop.stock("Caju"), 39_000);
}

fn a_change_that_many_ask_for_at_once_is_made_once(shop: &mut Shop) {
    const ROUNDS: i64 = 3;
    for round in 1..=ROUNDS {
        let sale = Change::new("Caju", -5_000).id(&format!("pedido-{round}"));
        let mut clients: Vec<_> = (0..6).map(|_| shop.colleague()).collect();
        std::thread::scope(|scope| {
            for client in &mut clients {
                let sale = &sale;
                scope.spawn(move || {
                    let made = client.adjust_stock(sale).unwrap();
                    assert_eq!(made.stock_thousandths, 60_000 - round * 5_000);
                });
            }
        });
    }
    assert_eq!(shop.stock("Caju"), 60_000 - ROUNDS * 5_000);
}

fn a_request_id_means_one_change(shop: &mut Shop) {
    let sale = Change::new("Caju", -20_000).kind(Kind::Sale).id("pedido-1");
    shop.adjust_stock(&sale).unwrap();
    for other in [
        Change { delta_thousandths: -19_000, ..sale.clone() },
        Change { name: "Maca".to_owned(), ..sale.clone() },
        Change { kind: Kind::Adjustment, ..sale.clone() },
        sale.clone().total(4_000),
    ] {
        refused(shop.adjust_stock(&other), "REQUEST_ID_REUSED");
    }
    assert_eq!((shop.stock("Caju"), shop.stock("Maca")), (40_000, 20_000));
    // Ids differ by case.
    assert_eq!(shop.adjust_stock(&sale.id("PEDIDO-1")).unwrap().stock_thousandths, 20_000);
}

fn a_refused_change_leaves_its_request_id_free(shop: &mut Shop) {
    refused(shop.adjust_stock(&Change::new("Caju", -61_000).id("a")), "INSUFFICIENT_STOCK");
    refused(shop.adjust_stock(&Change::new("Kiwi", -1_000).id("a")), "PRODUCT_NOT_FOUND");
    assert_eq!(shop.adjust_stock(&Change::new("Caju", -1_000).id("a")).unwrap().stock_thousandths, 59_000);
}

fn a_request_id_has_at_most_64_characters(shop: &mut Shop) {
    let change = Change::new("Caju", -1_000);
    refused(shop.adjust_stock(&change.clone().id(&"x".repeat(65))), "INVALID_ARGUMENT");
    assert_eq!(shop.stock("Caju"), 60_000);
    for _ in 0..2 {
        let made = shop.adjust_stock(&change.clone().id(&"x".repeat(64))).unwrap();
        assert_eq!(made.stock_thousandths, 59_000);
    }
}
