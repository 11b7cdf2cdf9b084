//! What was sold, what runs out, what expires, and who sold it to the shop.

use super::shop::{Change, Kind, Shop, Terms, refused};

super::scenarios! {
    sales_are_summed_without_what_was_undone: [AdjustStock, UndoMovement, SummarizeMovements];
    what_runs_out_is_bought_up_to_its_target: [AdjustStock, UpdateProduct, ListLowStock];
    what_is_left_of_a_purchase_expires_and_is_traced:
        [AdjustStock, UpdateProduct, ListExpiringStock, TracePurchases];
}

fn sell(shop: &mut Shop, name: &str, delta_thousandths: i64) {
    shop.adjust_stock(&Change::new(name, delta_thousandths).kind(Kind::Sale)).unwrap();
}

fn sales_are_summed_without_what_was_undone(shop: &mut Shop) {
    assert_eq!(shop.summarize_sales().unwrap(), []);
    shop.adjust_stock(&Change::new("Caju", -20_000).kind(Kind::Sale).total(3_990)).unwrap();
    sell(shop, "Caju", -1_000);
    sell(shop, "Maca", -2_000);
    shop.adjust_stock(&Change::new("Pera", -2_000).kind(Kind::Waste)).unwrap();
    let (caju, maca) = (("Caju".to_owned(), 4_190), ("Maca".to_owned(), 600));
    let mut found = shop.summarize_sales().unwrap();
    found.sort();
    assert_eq!(found, [caju.clone(), maca]);
    shop.undo_movement(7, "").unwrap();
    assert_eq!(shop.summarize_sales().unwrap(), [caju]);
}

fn what_runs_out_is_bought_up_to_its_target(shop: &mut Shop) {
    assert_eq!(shop.list_low_stock().unwrap(), []);
    let terms =
        Terms { minimum_thousandths: Some(50_000), target_thousandths: Some(100_000), ..Terms::default() };
    shop.update_product("Caju", &terms, "").unwrap();
    sell(shop, "Caju", -10_000);
    assert_eq!(shop.list_low_stock().unwrap(), []);
    sell(shop, "Caju", -1_000);
    sell(shop, "Pera", -15_000);
    // What there is none of is low too, though nobody knows how much to buy.
    let expected = [("Pera".to_owned(), 0), ("Caju".to_owned(), 51_000)];
    assert_eq!(shop.list_low_stock().unwrap(), expected);
}

fn what_is_left_of_a_purchase_expires_and_is_traced(shop: &mut Shop) {
    let terms = Terms { shelf_life_days: Some(1), ..Terms::default() };
    shop.update_product("Banana", &terms, "").unwrap();
    shop.run(&["buy", "10", "Banana", "--total", "50", "--supplier", "Sítio do Zé", "--lot", "L-7", "--yes"]);
    shop.run(&["buy", "20", "Banana", "--total", "90", "--supplier", "CEAGESP", "--yes"]);
    // Of the 60 there are 24: 20 of the last purchase, and 4 of the one before it.
    sell(shop, "Banana", -36_000);
    assert_eq!(shop.list_expiring_stock(0).unwrap(), []);
    let [first, second] = [("Banana".to_owned(), 4_000), ("Banana".to_owned(), 20_000)];
    assert_eq!(shop.list_expiring_stock(1).unwrap(), [first, second.clone()]);
    for words in ["ze", "SITIO do", "l-7"] {
        assert_eq!(shop.trace_purchases(words).unwrap(), [(5, 4_000)], "{words}");
    }
    assert_eq!(shop.trace_purchases("ceagesp").unwrap(), [(6, 20_000)]);
    assert_eq!(shop.trace_purchases("agesp").unwrap(), []);
    refused(shop.trace_purchases(" "), "INVALID_ARGUMENT");
    sell(shop, "Banana", -4_000);
    assert_eq!(shop.list_expiring_stock(1).unwrap(), [second]);
    assert_eq!(shop.trace_purchases("zé").unwrap(), [(5, 0)]);
}
