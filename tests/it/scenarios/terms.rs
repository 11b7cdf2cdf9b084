//! Terms: what a product is called and costs, and products that are retired, merged and cleared.

use hortifruti::operation::Operation;

use super::shop::{Change, Draft, Kind, Product, Shop, Terms, refused};

super::scenarios! {
    terms_are_changed_once_and_every_change_is_kept: [GetProduct, UpdateProduct, ListProductChanges];
    a_name_and_a_code_are_of_one_product: [GetProduct, ListProducts, UpdateProduct];
    a_retired_product_is_neither_sold_nor_listed: [ListProducts, AdjustStock, UpdateProduct];
    terms_outlive_a_crash: [GetProduct, UpdateProduct, ListProductChanges], restarts = true;
    a_merge_moves_the_whole_stock_once: [GetProduct, AdjustStock, MergeProducts];
    an_undone_merge_gives_the_product_back: [GetProduct, AdjustStock, UpdateProduct, MergeProducts, UndoMovement];
    examples_that_moved_are_not_cleared: [ListProducts, AdjustStock, ClearExamples];
}

const PRICE: Terms = Terms {
    price_centavos: Some(250),
    code: Some(7),
    name: None,
    minimum_thousandths: None,
    target_thousandths: None,
    shelf_life_days: None,
    is_discontinued: None,
};

fn terms_are_changed_once_and_every_change_is_kept(shop: &mut Shop) {
    let first = shop.update_product("caju", &PRICE, "cadastro-1").unwrap();
    assert_eq!(first, Product::new("Caju", 250, 60_000));
    let dearer = Terms { price_centavos: Some(300), ..Terms::default() };
    assert_eq!(shop.update_product("7", &dearer, "").unwrap().price_centavos, 300);
    for (transport, mut client) in shop.clients(Operation::UpdateProduct) {
        assert_eq!(client.update_product("CAJU", &PRICE, "cadastro-1").unwrap(), first, "{transport}");
        refused(client.update_product("Caju", &dearer, "cadastro-1"), "REQUEST_ID_REUSED");
        refused(client.adjust_stock(&Change::new("Caju", -1_000).id("cadastro-1")), "REQUEST_ID_REUSED");
    }
    assert_eq!(shop.get_product("000007").unwrap(), Product::new("Caju", 300, 60_000));
    let [newest, code, price] = &shop.list_product_changes("Caju").unwrap()[..] else { panic!() };
    let change = |field: &str, old: &str, new: &str| (field.to_owned(), old.to_owned(), new.to_owned());
    assert_eq!(*newest, change("price_centavos", "250", "300"));
    let mut together = [code.clone(), price.clone()];
    together.sort();
    assert_eq!(together, [change("code", "", "7"), change("price_centavos", "200", "250")]);
    assert_eq!(shop.list_product_changes("Maca").unwrap(), []);
}

fn a_name_and_a_code_are_of_one_product(shop: &mut Shop) {
    shop.update_product("Caju", &PRICE, "").unwrap();
    let before = shop.products();
    let renamed = |name| Terms { name: Some(name), ..Terms::default() };
    let coded = |code| Terms { code: Some(code), ..Terms::default() };
    refused(shop.update_product("Maca", &coded(7), ""), "CODE_TAKEN");
    refused(shop.update_product("Maca", &renamed("CAJÚ"), ""), "NAME_TAKEN");
    refused(shop.update_product("Kiwi", &coded(8), ""), "PRODUCT_NOT_FOUND");
    refused(shop.update_product("Maca", &coded(1_000_000), ""), "INVALID_ARGUMENT");
    assert_eq!(shop.products(), before);
    assert_eq!(shop.update_product("Maca", &renamed("Maçã Gala"), "").unwrap().name, "Maçã Gala");
    refused(shop.get_product("Maca Verde"), "PRODUCT_NOT_FOUND");
    assert_eq!(shop.stock("maca gala"), 20_000);
}

fn a_retired_product_is_neither_sold_nor_listed(shop: &mut Shop) {
    let retired = |is_discontinued| Terms { is_discontinued: Some(is_discontinued), ..Terms::default() };
    shop.update_product("Caju", &retired(true), "").unwrap();
    let names = |shop: &mut Shop| shop.products().into_iter().map(|it| it.name).collect::<Vec<_>>();
    assert_eq!(names(shop), ["Maca", "Pera", "Banana"]);
    for (kind, delta) in [(Kind::Sale, -1_000), (Kind::Purchase, 1_000)] {
        refused(shop.adjust_stock(&Change::new("Caju", delta).kind(kind)), "DISCONTINUED");
    }
    // What is left of it may go to waste.
    shop.adjust_stock(&Change::new("Caju", -1_000).kind(Kind::Waste)).unwrap();
    shop.update_product("Caju", &retired(false), "").unwrap();
    shop.adjust_stock(&Change::new("Caju", -1_000).kind(Kind::Sale)).unwrap();
    assert_eq!((names(shop).len(), shop.products()[3].stock_thousandths), (4, 58_000));
}

fn terms_outlive_a_crash(shop: &mut Shop) {
    let first = shop.update_product("Caju", &PRICE, "cadastro-1").unwrap();
    for end in [Shop::crash, Shop::close_and_open] {
        end(shop);
        assert_eq!(shop.get_product("7").unwrap(), first);
        assert_eq!(shop.update_product("Caju", &PRICE, "cadastro-1").unwrap(), first);
        assert_eq!(shop.list_product_changes("7").unwrap().len(), 2);
    }
}

fn a_merge_moves_the_whole_stock_once(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Cajú-manga", 250, "un", 5_000), Draft::new("Uva", 990, "kg", 0)]);
    refused(shop.merge_products("Caju", "caju", ""), "INVALID_ARGUMENT");
    refused(shop.merge_products("Caju", "Uva", ""), "INVALID_ARGUMENT");
    refused(shop.merge_products("Caju", "Kiwi", ""), "PRODUCT_NOT_FOUND");
    let first = shop.merge_products("Cajú-manga", "Caju", "união-1").unwrap();
    assert_eq!(first, [Product::new("Cajú-manga", 250, 0), Product::new("Caju", 200, 65_000)]);
    shop.change("Caju", -5_000);
    for (transport, mut client) in shop.clients(Operation::MergeProducts) {
        assert_eq!(client.merge_products("Cajú-manga", "Caju", "união-1").unwrap(), first, "{transport}");
        refused(client.merge_products("Maca", "Caju", "união-1"), "REQUEST_ID_REUSED");
    }
    assert_eq!(shop.stock("Caju"), 60_000);
    refused(shop.merge_products("Caju", "Cajú-manga", ""), "DISCONTINUED");
}

fn an_undone_merge_gives_the_product_back(shop: &mut Shop) {
    let coded = Terms { code: Some(77), ..Terms::default() };
    shop.update_product("Maca", &coded, "").unwrap();
    let before = shop.products();
    shop.merge_products("Maca", "Pera", "").unwrap();
    assert_eq!(shop.get_product("77").unwrap().name, "Pera");
    let undone = shop.undo_movement(6, "estorno-1").unwrap();
    assert_eq!(undone, [Product::new("Maca", 300, 20_000), Product::new("Pera", 500, 15_000)]);
    assert_eq!(shop.products(), before);
    assert_eq!(shop.get_product("77").unwrap().name, "Maca");
    for (transport, mut client) in shop.clients(Operation::UndoMovement) {
        assert_eq!(client.undo_movement(6, "estorno-1").unwrap(), undone, "{transport}");
        refused(client.undo_movement(5, ""), "ALREADY_UNDONE");
    }
    shop.adjust_stock(&Change::new("77", -1_000).kind(Kind::Sale)).unwrap();
    // What is merged once more has its codes moved once more.
    shop.merge_products("Maca", "Pera", "").unwrap();
    assert_eq!(shop.get_product("77").unwrap().stock_thousandths, 34_000);
}

fn examples_that_moved_are_not_cleared(shop: &mut Shop) {
    shop.change("Caju", -1_000);
    let first = shop.clear_examples("exemplos-1").unwrap();
    let names: Vec<&str> = first.iter().map(|product| product.name.as_str()).collect();
    assert_eq!(names, ["Maca (exemplo)", "Pera (exemplo)", "Banana (exemplo)"]);
    assert!(first.iter().all(|product| product.stock_thousandths == 0), "{first:?}");
    assert_eq!(shop.products(), [Product::new("Caju", 200, 59_000)]);
    assert_eq!(shop.clear_examples("exemplos-1").unwrap(), first);
    assert_eq!(shop.clear_examples("").unwrap(), []);
    // The names are free.
    shop.arrange(&[Draft::new("Maca", 799, "kg", 1_000)]);
    assert_eq!(shop.stock("maçã"), 1_000);
}
