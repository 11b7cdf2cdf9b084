//! The ledger: what changed, newest first.

use hortifruti::operation::Operation;

use super::shop::{Change, Draft, Kind, Movement, Shop, refused};

super::scenarios! {
    the_history_has_every_change_newest_first: [ListMovements, AdjustStock];
    the_history_of_a_product_has_its_movements_alone: [ListMovements, AdjustStock];
    a_history_without_movements_is_empty: [ListMovements];
    a_refused_change_leaves_no_movement: [ListMovements, AdjustStock];
    the_history_of_a_wrong_name_names_similar_ones: [ListMovements];
    a_batch_is_several_movements: [ListMovements, BatchAdjustStock];
    an_undo_is_a_movement_of_the_same_kind: [ListMovements, AdjustStock, UndoMovement];
    every_transport_shows_the_same_ledger: [ListMovements, AdjustStock, GetProduct];
    the_ledger_outlives_a_crash: [ListMovements, AdjustStock], restarts = true;
}

fn movement(sequence: i64, kind: &str, name: &str, delta: i64, balance: i64, amount: i64) -> Movement {
    Movement {
        sequence,
        kind: kind.to_owned(),
        product_name: name.to_owned(),
        delta_thousandths: delta,
        balance_thousandths: balance,
        amount_centavos: amount,
    }
}

fn the_history_has_every_change_newest_first(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("caju", -20_000).kind(Kind::Sale)).unwrap();
    shop.adjust_stock(&Change::new("MAÇÃ", 5_000).kind(Kind::Purchase)).unwrap();
    let expected = [
        movement(6, "compra", "Maca", 5_000, 25_000, 1_500),
        movement(5, "venda", "Caju", -20_000, 40_000, 4_000),
        movement(4, "abertura", "Caju", 60_000, 60_000, 12_000),
        movement(3, "abertura", "Banana", 30_000, 30_000, 30_000),
        movement(2, "abertura", "Pera", 15_000, 15_000, 7_500),
        movement(1, "abertura", "Maca", 20_000, 20_000, 6_000),
    ];
    for limit in [1, 4, 6, 1000] {
        let some = &expected[..expected.len().min(limit)];
        assert_eq!(shop.list_movements("", limit).unwrap(), some, "{limit}");
    }
}

fn the_history_of_a_product_has_its_movements_alone(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Uva sem semente", 599, "kg", 1_000)]);
    for _ in 0..3 {
        shop.change("Caju", 1_000);
        shop.change("Uva sem semente", -150);
    }
    let sequences = |found: Vec<Movement>| found.into_iter().map(|it| it.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(shop.list_movements("cajú", 100).unwrap()), [10, 8, 6, 4]);
    let found = shop.list_movements("uva sem semente", 2).unwrap();
    let uva = |sequence, balance| movement(sequence, "ajuste", "Uva sem semente", -150, balance, 90);
    assert_eq!(found, [uva(11, 550), uva(9, 700)]);
}

fn a_history_without_movements_is_empty(shop: &mut Shop) {
    let mut empty = shop.another(&["--empty"]);
    assert_eq!(empty.list_movements("", 10).unwrap(), []);
    empty.arrange(&[Draft::new("Figo", 300, "un", 0)]);
    assert_eq!(empty.list_movements("Figo", 10).unwrap(), [movement(1, "abertura", "Figo", 0, 0, 0)]);
}

fn a_refused_change_leaves_no_movement(shop: &mut Shop) {
    let before = shop.list_movements("", 10).unwrap();
    refused(shop.adjust_stock(&Change::new("Caju", -61_000)), "INSUFFICIENT_STOCK");
    shop.adjust_stock(&Change::new("Caju", -1_000).id("uma")).unwrap();
    shop.adjust_stock(&Change::new("Caju", -1_000).id("uma")).unwrap();
    let after = shop.list_movements("", 10).unwrap();
    assert_eq!(after[1..], before);
}

fn the_history_of_a_wrong_name_names_similar_ones(shop: &mut Shop) {
    let refused = refused(shop.list_movements("Bananna", 10), "PRODUCT_NOT_FOUND");
    assert!(refused.message.contains("Banana."), "{refused:?}");
}

fn a_batch_is_several_movements(shop: &mut Shop) {
    shop.batch_adjust_stock(&[Change::new("Maca", -1_000), Change::new("Pera", -2_000)], "").unwrap();
    let found = shop.list_movements("", 2).unwrap();
    let of = |name| found.iter().find(|it| it.product_name == name).unwrap().delta_thousandths;
    assert_eq!((of("Maca"), of("Pera")), (-1_000, -2_000));
}

fn an_undo_is_a_movement_of_the_same_kind(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("Caju", -20_000).kind(Kind::Sale)).unwrap();
    shop.undo_movement(5, "").unwrap();
    let expected = [
        movement(6, "venda", "Caju", 20_000, 60_000, 4_000),
        movement(5, "venda", "Caju", -20_000, 40_000, 4_000),
    ];
    // Nothing in the ledger is ever taken out of it.
    assert_eq!(shop.list_movements("Caju", 2).unwrap(), expected);
}

fn every_transport_shows_the_same_ledger(shop: &mut Shop) {
    for (transport, mut client) in shop.clients(Operation::AdjustStock) {
        client.change("Caju", -1_000);
        let all = shop.list_movements("", 100).unwrap();
        assert_eq!(client.list_movements("", 100).unwrap(), all, "{transport}");
        // The stock is the sum of its movements, and the last of them has it as its balance.
        let of_caju = all.iter().filter(|movement| movement.product_name == "Caju");
        let deltas: Vec<i64> = of_caju.map(|movement| movement.delta_thousandths).collect();
        let stock = client.stock("Caju");
        assert_eq!((deltas.iter().sum::<i64>(), all[0].balance_thousandths), (stock, stock), "{transport}");
        let sequences: Vec<i64> = all.iter().map(|movement| movement.sequence).collect();
        assert_eq!(sequences, (1..=all[0].sequence).rev().collect::<Vec<_>>(), "{transport}");
    }
}

fn the_ledger_outlives_a_crash(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("Caju", -20_000).kind(Kind::Sale).id("pedido-1")).unwrap();
    shop.change("Maca", 1_000);
    let before = shop.list_movements("", 100).unwrap();
    for end in [Shop::crash, Shop::close_and_open] {
        end(shop);
        assert_eq!(shop.list_movements("", 100).unwrap(), before);
    }
    shop.change("Maca", 1_000);
    assert_eq!(shop.list_movements("Maca", 1).unwrap()[0].sequence, before[0].sequence + 1);
}
