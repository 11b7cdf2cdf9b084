//! Who may do what, and labels of scales in the place of names.

use super::shop::{Change, Kind, ROLES, Shop, refused};

super::scenarios! {
    a_role_does_its_job_and_nothing_else: [GetProduct, AdjustStock, CountStock];
    a_label_says_what_is_sold: [GetProduct, AdjustStock, ListMovements];
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

fn a_label_says_what_is_sold(shop: &mut Shop) {
    let shop = &mut shop.another(&["--label", "21CCCCCPPPPPD", "--label", "23CCCCCTTTTTD"]);
    shop.run(&["product", "set", "Banana", "--unit", "kg", "--price", "6,99", "--code", "2126"]);
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
