//! Watching: every movement after a number, in order, and each new one.

use hortifruti::operation::Operation;

use super::shop::{Change, Draft, Kind, Movement, Shop, refused};

super::scenarios! {
    a_watch_shows_what_came_after_a_number: [WatchMovements, ListMovements, AdjustStock];
    a_watch_of_a_product_shows_its_movements_alone: [WatchMovements, AdjustStock];
    a_watch_shows_a_change_that_is_made_meanwhile: [WatchMovements, AdjustStock];
    every_transport_watches_the_same: [WatchMovements, AdjustStock, CountStock, UndoMovement];
    a_watch_that_cannot_be_is_refused: [WatchMovements];
    a_watch_goes_on_after_a_crash: [WatchMovements, AdjustStock], restarts = true;
}

fn sequences(movements: &[Movement]) -> Vec<i64> {
    movements.iter().map(|movement| movement.sequence).collect()
}

fn a_watch_shows_what_came_after_a_number(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("caju", -20_000).kind(Kind::Sale)).unwrap();
    shop.change("Maca", 5_000);
    let mut listed = shop.list_movements("", 10).unwrap();
    listed.reverse();
    for after in [0, 3, 5] {
        let count = 6 - after;
        let watched = shop.watch_movements("", after as i64, count).unwrap();
        assert_eq!(watched, listed[after..], "after {after}");
    }
}

fn a_watch_of_a_product_shows_its_movements_alone(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Uva sem semente", 599, "kg", 1_000)]);
    for _ in 0..3 {
        shop.change("Caju", 1_000);
        shop.change("Uva sem semente", -150);
    }
    assert_eq!(sequences(&shop.watch_movements("cajú", 0, 4).unwrap()), [4, 6, 8, 10]);
    let uva = shop.watch_movements("UVA SEM SEMENTE", 7, 2).unwrap();
    assert_eq!(sequences(&uva), [9, 11]);
    assert_eq!((uva[0].delta_thousandths, uva[0].balance_thousandths), (-150, 700));
}

fn a_watch_shows_a_change_that_is_made_meanwhile(shop: &mut Shop) {
    let mut colleague = shop.colleague();
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| shop.watch_movements("", 4, 5).unwrap());
        for _ in 0..5 {
            colleague.change("Caju", -1_000);
        }
        assert_eq!(sequences(&watching.join().unwrap()), [5, 6, 7, 8, 9]);
    });
}

fn every_transport_watches_the_same(shop: &mut Shop) {
    shop.adjust_stock(&Change::new("Caju", -2_000).kind(Kind::Sale)).unwrap();
    shop.adjust_stock(&Change::new("Maca", 2_000).kind(Kind::Purchase)).unwrap();
    shop.adjust_stock(&Change::new("Pera", -1_000).kind(Kind::Waste)).unwrap();
    shop.count_stock("Banana", 29_000, "").unwrap();
    shop.undo_movement(6, "").unwrap();
    let watched = shop.watch_movements("", 0, 9).unwrap();
    assert_eq!(sequences(&watched), (1..=9).collect::<Vec<_>>());
    for (transport, mut client) in shop.clients(Operation::WatchMovements) {
        assert_eq!(client.watch_movements("", 0, 9).unwrap(), watched, "{transport}");
    }
}

fn a_watch_that_cannot_be_is_refused(shop: &mut Shop) {
    let far = refused(shop.watch_movements("", 99, 1), "INVALID_ARGUMENT");
    assert!(far.message.contains("o último é #4"), "{far:?}");
    let unknown = refused(shop.watch_movements("Bananna", 0, 1), "PRODUCT_NOT_FOUND");
    assert!(unknown.message.contains("Banana."), "{unknown:?}");
}

fn a_watch_goes_on_after_a_crash(shop: &mut Shop) {
    shop.change("Caju", -1_000);
    let seen = sequences(&shop.watch_movements("", 3, 2).unwrap());
    shop.crash();
    shop.change("Caju", -1_000);
    let last = seen[seen.len() - 1];
    assert_eq!((seen, sequences(&shop.watch_movements("", last, 1).unwrap())), (vec![4, 5], vec![6]));
}
