//! Who may do what, and labels of scales in the place of names.

use super::shop::{Change, Kind, ROLES, Shop, refused};

super::scenarios! {
    a_role_does_its_job_and_nothing_else: [GetProduct, AdjustStock, CountStock];
    a_label_says_what_is_sold: [GetProduct, AdjustStock, ListMovements];
    a_label_of_a_total_is_repeated_at_another_price: [GetProduct, AdjustStock];
    labels_in_a_batch_are_repeated_at_another_price: [GetProduct, BatchAdjustStock];
    labels_in_a_stream_are_repeated_at_another_price: [GetProduct, StreamAdjustStock];
}

fn a_role_does_its_job_and_nothing_else(shop: &mut Shop) {
    let shop = &mut shop.with_roles();
    refused(shop.get_product("Caju"), "UNAUTHENTICATED");
    let sale = Change::new("Caju", -1_000).kind(Kind::Sale);
    let loss = Change::new("Caju", -1_000).kind(Kind::Waste);
    let mut stock = 60_000;
    for role in ROLES {
        let mut client = shop.colleague_of_role(role);
        let mut check = |may: &[&str], answer: Result<i64, _>| {
            if may.contains(&role) {
                stock = answer.unwrap_or_else(|refused| panic!("{role}: {refused:?}"));
            } else {
                refused(answer, "UNAUTHENTICATED");
            }
        };
        let stock_of = |product: super::shop::Product| product.stock_thousandths;
        check(&["leitura", "venda", "escrita"], client.get_product("Caju").map(stock_of));
        check(&["venda", "escrita"], client.adjust_stock(&sale).map(stock_of));
        check(&["contagem", "escrita"], client.count_stock("Caju", 50_000, "").map(stock_of));
        check(&["escrita"], client.adjust_stock(&loss).map(stock_of));
    }
    assert_eq!(stock, 49_000);
    assert_eq!(shop.colleague_of_role("leitura").stock("Caju"), stock);
}

/// 1.25 kg of the product with the code 2126, and R$ 9,99 of it.
const WEIGHT: &str = "2102126012504";
const TOTAL: &str = "2302126009997";

/// R$ 9,98 of the same product.
const OTHER_TOTAL: &str = "2302126009980";

/// A shop that reads these labels.
fn shop_with_labels(shop: &Shop) -> Shop {
    let shop = shop.another(&["--label", "21CCCCCPPPPPD", "--label", "23CCCCCTTTTTD"]);
    shop.run(&["product", "set", "Banana", "--unit", "kg", "--price", "6,99", "--code", "2126"]);
    shop
}

fn a_label_says_what_is_sold(shop: &mut Shop) {
    let shop = &mut shop_with_labels(shop);
    assert_eq!(shop.get_product(TOTAL).unwrap().name, "Banana");
    let sale = |label: &str| Change::new(label, 0).kind(Kind::Sale);
    assert_eq!(shop.adjust_stock(&sale(WEIGHT)).unwrap().stock_thousandths, 28_750);
    // Two bags of one weight have one label; only the request id says that a bag comes again.
    let again = sale(WEIGHT).id("saco-2");
    for _ in 0..2 {
        assert_eq!(shop.adjust_stock(&again).unwrap().stock_thousandths, 27_500);
    }
    assert_eq!(shop.adjust_stock(&sale(TOTAL)).unwrap().stock_thousandths, 26_071);
    let amounts: Vec<i64> =
        shop.list_movements("Banana", 3).unwrap().iter().map(|it| it.amount_centavos).collect();
    assert_eq!(amounts, [999, 874, 874]);
    // A wrong check digit, a code that no product has, and a label that no mask reads.
    refused(shop.adjust_stock(&sale("2102126012505")), "INVALID_ARGUMENT");
    refused(shop.adjust_stock(&sale("2102127012503")), "PRODUCT_NOT_FOUND");
    refused(shop.adjust_stock(&sale("2202126012501")), "INVALID_ARGUMENT");
    assert_eq!(shop.stock("2126"), 26_071);
}

/// Changes by the label of a total, each with a request id: R$ 9,99 is 1.429 kg at first.
fn changes_by_total() -> [Change; 6] {
    let change = |delta, kind, id| Change::new(TOTAL, delta).kind(kind).id(id);
    [
        change(0, Kind::Sale, "venda"),
        change(0, Kind::Waste, "perda"),
        change(0, Kind::Waste, "perda-com-causa").cause("vencido"),
        change(0, Kind::Purchase, "compra"),
        change(-1_429, Kind::Waste, "perda-dita"),
        change(-1_429, Kind::Adjustment, "ajuste-dito"),
    ]
}

/// Asks at other prices for what was made at the first, and expects the first answers.
fn check_again(shop: &mut Shop, first: &[i64], mut ask: impl FnMut(&mut Shop) -> Vec<i64>) {
    let stock = shop.stock("2126");
    assert_eq!(first, [28_571, 27_142, 25_713, 27_142, 25_713, 24_284]);
    for price in ["6,99", "20", "0"] {
        shop.run(&["product", "set", "2126", "--price", price, "--yes"]);
        assert_eq!(ask(shop), first, "{price}");
    }
    assert_eq!(shop.stock("2126"), stock);
}

fn a_label_of_a_total_is_repeated_at_another_price(shop: &mut Shop) {
    let shop = &mut shop_with_labels(shop);
    let ask = |shop: &mut Shop| -> Vec<i64> {
        changes_by_total().iter().map(|it| shop.adjust_stock(it).unwrap().stock_thousandths).collect()
    };
    let first = ask(shop);
    check_again(shop, &first, ask);
    // Another total, another kind and another quantity are other changes.
    let stock = shop.stock("2126");
    for other in [
        Change::new(OTHER_TOTAL, 0).kind(Kind::Waste).id("perda"),
        Change::new(OTHER_TOTAL, 0).kind(Kind::Sale).id("venda"),
        Change::new(TOTAL, 0).kind(Kind::Purchase).id("perda"),
        Change::new(TOTAL, -1_000).kind(Kind::Waste).id("perda-dita"),
        Change::new(WEIGHT, 0).kind(Kind::Waste).id("perda"),
    ] {
        refused(shop.adjust_stock(&other), "REQUEST_ID_REUSED");
    }
    // A new change is made at the new price, and none is at price zero.
    let new = Change::new(TOTAL, 0).kind(Kind::Waste);
    refused(shop.adjust_stock(&new), "INVALID_ARGUMENT");
    shop.run(&["product", "set", "2126", "--price", "20", "--yes"]);
    assert_eq!(shop.adjust_stock(&new).unwrap().stock_thousandths, stock - 500);
}

fn labels_in_a_batch_are_repeated_at_another_price(shop: &mut Shop) {
    let shop = &mut shop_with_labels(shop);
    // Additions come first in the ledger.
    let changes = || changes_by_total().map(|change| Change { request_id: String::new(), ..change });
    let ask = |shop: &mut Shop| -> Vec<i64> {
        let made = shop.batch_adjust_stock(&changes(), "pedido").unwrap();
        made.iter().map(|product| product.stock_thousandths).collect()
    };
    let first = ask(shop);
    assert_eq!(shop.stock("2126"), 24_284);
    for price in ["20", "0"] {
        shop.run(&["product", "set", "2126", "--price", price, "--yes"]);
        assert_eq!(ask(shop), first, "{price}");
    }
    assert_eq!(shop.stock("2126"), 24_284);
    for (place, name) in [(0, OTHER_TOTAL), (1, OTHER_TOTAL), (3, OTHER_TOTAL), (1, WEIGHT)] {
        let mut other = changes();
        other[place].name = name.to_owned();
        refused(shop.batch_adjust_stock(&other, "pedido"), "REQUEST_ID_REUSED");
    }
}

fn labels_in_a_stream_are_repeated_at_another_price(shop: &mut Shop) {
    let shop = &mut shop_with_labels(shop);
    let ask = |shop: &mut Shop| -> Vec<i64> {
        let made = shop.stream_adjust_stock(&changes_by_total()).into_iter();
        made.map(|answer| answer.unwrap().stock_thousandths).collect()
    };
    let first = ask(shop);
    check_again(shop, &first, ask);
}
