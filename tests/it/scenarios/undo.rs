//! Undone movements: the opposite is appended, once only.

use hortifruti::operation::Operation;

use super::shop::{Change, Kind, Shop, refused};

super::scenarios! {
    a_movement_is_undone_once: [GetProduct, AdjustStock, UndoMovement];
    an_undo_that_is_repeated_is_made_once: [GetProduct, AdjustStock, UndoMovement];
    an_undo_outlives_a_crash: [GetProduct, AdjustStock, UndoMovement], restarts = true;
    a_batch_is_undone_whole: [ListProducts, UndoMovement];
    what_was_used_since_is_not_undone: [GetProduct, AdjustStock, UndoMovement];
}

/// The number of the first movement after the four openings of a new shop.
const FIRST: i64 = 5;

fn a_movement_is_undone_once(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("Caju", -20_000).kind(Kind::Sale)).unwrap();
    let undone = shop.undo_movement(FIRST, "").unwrap();
    assert_eq!(undone, [shop.get_product("Caju").unwrap()]);
    assert_eq!(shop.stock("Caju"), 60_000);
    refused(shop.undo_movement(FIRST, ""), "ALREADY_UNDONE");
    let is_undo = refused(shop.undo_movement(FIRST + 1, ""), "ALREADY_UNDONE");
    assert!(is_undo.message.contains("#6 desfaz o #5"), "{is_undo:?}");
    for sequence in [FIRST + 2, 0, i64::MAX] {
        let none = refused(shop.undo_movement(sequence, ""), "MOVEMENT_NOT_FOUND");
        assert!(none.message.contains(&format!("#{sequence}")), "{none:?}");
    }
    assert_eq!(shop.stock("Caju"), 60_000);
    // An opening is a movement like any other.
    assert_eq!(shop.undo_movement(1, "").unwrap()[0].stock_thousandths, 0);
}

fn an_undo_that_is_repeated_is_made_once(shop: &mut Shop) {
    shop.change("Caju", -20_000);
    shop.change("Maca", -1_000);
    let first = shop.undo_movement(FIRST, "estorno-1").unwrap();
    shop.change("Caju", -5_000);
    for (transport, mut client) in shop.clients(Operation::UndoMovement) {
        assert_eq!(client.undo_movement(FIRST, "estorno-1").unwrap(), first, "{transport}");
        refused(client.undo_movement(FIRST + 1, "estorno-1"), "REQUEST_ID_REUSED");
        refused(client.adjust_stock(&Change::new("Caju", 20_000).id("estorno-1")), "REQUEST_ID_REUSED");
    }
    // The id of a change is none of an undo, and a refused undo leaves its id free.
    shop.adjust_stock(&Change::new("Pera", -1_000).id("venda-1")).unwrap();
    refused(shop.undo_movement(FIRST + 1, "venda-1"), "REQUEST_ID_REUSED");
    refused(shop.undo_movement(FIRST, "estorno-2"), "ALREADY_UNDONE");
    shop.undo_movement(FIRST + 1, "estorno-2").unwrap();
    assert_eq!((shop.stock("Caju"), shop.stock("Maca")), (55_000, 20_000));
}

fn an_undo_outlives_a_crash(shop: &mut Shop) {
    shop.change("Caju", -20_000);
    shop.change("Caju", -1_000);
    let first = shop.undo_movement(FIRST, "estorno-1").unwrap();
    for end in [Shop::crash, Shop::close_and_open] {
        end(shop);
        assert_eq!(shop.stock("Caju"), 59_000);
        assert_eq!(shop.undo_movement(FIRST, "estorno-1").unwrap(), first);
        refused(shop.undo_movement(FIRST, ""), "ALREADY_UNDONE");
        refused(shop.undo_movement(FIRST + 1, "estorno-1"), "REQUEST_ID_REUSED");
    }
    assert_eq!(shop.undo_movement(FIRST + 1, "").unwrap()[0].stock_thousandths, 60_000);
}

fn a_batch_is_undone_whole(shop: &mut Shop) {
    let before = shop.products();
    let batch = [Change::new("Caju", -60_000), Change::new("Maca", 1_000), Change::new("Pera", -5_000)];
    shop.arrange_batch(&batch);
    let undone = shop.undo_movement(FIRST + 1, "").unwrap();
    // In the order of the movements that are undone: what comes in is booked before what goes out.
    let names: Vec<&str> = undone.iter().map(|product| product.name.as_str()).collect();
    assert_eq!(names, ["Maca", "Caju", "Pera"]);
    assert_eq!(shop.products(), before);
    refused(shop.undo_movement(FIRST, ""), "ALREADY_UNDONE");
}

fn what_was_used_since_is_not_undone(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("Caju", 10_000).kind(Kind::Purchase)).unwrap();
    shop.adjust_stock(&Change::new("Caju", -65_000).kind(Kind::Sale)).unwrap();
    let why = refused(shop.undo_movement(FIRST, ""), "INSUFFICIENT_STOCK");
    assert!(why.message.contains("#6 (venda -65)"), "{why:?}");
    assert_eq!(shop.stock("Caju"), 5_000);
}
