//! Lists of products: their order, and those up to a price.

use super::shop::{Draft, Product, Shop, four_products};
use crate::support::{FIRST_LIST, NEXT_LIST};

super::scenarios! {
    a_new_shop_holds_the_originals_products: [ListProducts];
    a_new_shop_may_be_empty: [ListProducts];
    a_list_keeps_the_order_of_creation: [ListProducts, AdjustStock];
    a_list_up_to_a_price_holds_all_of_that_price_or_less: [ListProducts];
    a_long_list_comes_whole: [ListProducts];
}

fn a_new_shop_holds_the_originals_products(shop: &mut Shop) {
    assert_eq!(shop.products(), four_products());
}

fn a_new_shop_may_be_empty(shop: &mut Shop) {
    let mut empty = shop.another(&["--empty"]);
    assert_eq!(empty.products(), []);
    assert_eq!(empty.list_products(Some(1_000)).unwrap(), []);
    empty.arrange(&[Draft::new("Uva", 990, "kg", 1_500)]);
    assert_eq!(empty.products(), [Product::new("Uva", 990, 1_500)]);
}

fn a_list_keeps_the_order_of_creation(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Uva", 990, "kg", 0), Draft::new("Abacaxi", 700, "un", 9_000)]);
    // Neither a change nor a new price moves a product.
    shop.change("Abacaxi", 1_000);
    shop.arrange(&[Draft::new("Figo", 300, "un", 0), Draft::new("Maca", 350, "un", 0)]);
    let names: Vec<String> = shop.products().into_iter().map(|product| product.name).collect();
    assert_eq!(names, ["Maca", "Pera", "Banana", "Caju", "Uva", "Abacaxi", "Figo"]);
}

fn a_list_up_to_a_price_holds_all_of_that_price_or_less(shop: &mut Shop) {
    assert_eq!(shop.list_products(Some(199)).unwrap(), []);
    shop.import_file(FIRST_LIST);
    shop.import_file(NEXT_LIST);
    let all = shop.products();
    for max in [0, 200, 350, 1_717, 1_000_000_000_000] {
        let expected: Vec<Product> =
            all.iter().filter(|product| product.price_centavos <= max).cloned().collect();
        assert_eq!(shop.list_products(Some(max)).unwrap(), expected, "{max}");
    }
}

fn a_long_list_comes_whole(shop: &mut Shop) {
    let drafts: Vec<Draft> =
        (0..2500).map(|index| Draft::new(&format!("Produto {index}"), index % 7 * 100, "", 1_000)).collect();
    shop.arrange(&drafts);
    let row = |draft: &Draft| Product::new(&draft.name, draft.price_centavos, draft.stock_thousandths);
    let expected: Vec<Product> = four_products().into_iter().chain(drafts.iter().map(row)).collect();
    assert_eq!(shop.products(), expected);
}
