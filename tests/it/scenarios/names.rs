//! Names: how a product is found, and which names no new product may have.

use super::shop::{Change, Draft, Shop, four_products, refused};
use crate::support::{FIRST_LIST, NEXT_LIST};

super::scenarios! {
    a_product_is_found_without_regard_to_case_or_accents: [GetProduct, AdjustStock];
    names_that_look_alike_are_one_product: [GetProduct, ListProducts, AdjustStock];
    every_product_of_a_real_price_list_is_found_and_changed: [GetProduct, ListProducts, AdjustStock];
    a_name_may_end_in_digits: [GetProduct, AdjustStock];
    a_name_that_is_not_found_offers_the_nearest: [GetProduct, AdjustStock];
    a_name_that_cannot_be_is_refused: [GetProduct, AdjustStock];
    a_new_product_passes_for_no_other_and_for_no_reply: [ListProducts, ImportProducts];
}

fn a_product_is_found_without_regard_to_case_or_accents(shop: &mut Shop) {
    shop.arrange(&[Draft::new("Maracujá Azedo", 990, "kg", 1_500)]);
    for (name, spellings) in [
        ("Maca", ["maca", "MAÇÃ", " maçã "]),
        ("Maracujá Azedo", ["maracuja azedo", "MARACUJÁ  AZEDO", "maracujá\u{a0}azedo"]),
    ] {
        for spelling in spellings {
            assert_eq!(shop.get_product(spelling).unwrap().name, name, "{spelling:?}");
            assert_eq!(shop.change(spelling, 1_000).name, name, "{spelling:?}");
        }
    }
    assert_eq!((shop.stock("Maca"), shop.stock("Maracujá Azedo")), (23_000, 4_500));
}

fn names_that_look_alike_are_one_product(shop: &mut Shop) {
    let stored = ["Caqui d’água", "Batata–doce", "Abacaxi 1ª", "Ｋｉｗｉ", "Melão nº 1"];
    let otherwise = [
        ["caqui d'agua", "CAQUI D´ÁGUA", "Caqui d`agua", "Caqui dʼágua"],
        ["batata-doce", "Batata‑doce", "BATATA—DOCE", "batata−doce"],
        ["abacaxi 1a", "Abacaxi 1A", "ABACAXI １ª", "abacaxi\u{a0}1ᵃ"],
        ["kiwi", "KIWI", "ｋｉｗｉ", "𝐊𝐢𝐰𝐢"],
        ["melao no 1", "Melão n° 1", "MELAO № 1", "Melão Nº １"],
    ];
    shop.arrange(&stored.map(|name| Draft::new(name, 800, "un", 9_000)));
    for (name, others) in stored.into_iter().zip(otherwise) {
        let found = shop.get_product(name).unwrap();
        assert_eq!(found.name, name);
        for other in others {
            assert_eq!(shop.get_product(other).unwrap(), found, "{other}");
        }
        let changed = shop.change(others[1], -1_000);
        assert_eq!((changed.name.as_str(), changed.stock_thousandths), (name, 8_000));
        // A list in another form gives the same product another price.
        shop.arrange(&[Draft::new(others[0], 9_900, "un", 0)]);
        let repriced = shop.get_product(name).unwrap();
        assert_eq!(
            (repriced.name.as_str(), repriced.price_centavos, repriced.stock_thousandths),
            (name, 9_900, 8_000)
        );
    }
    assert_eq!(shop.products().len(), 9);
}

fn every_product_of_a_real_price_list_is_found_and_changed(shop: &mut Shop) {
    let mut shop = shop.another(&["--empty"]);
    shop.import_file(FIRST_LIST);
    shop.import_file(NEXT_LIST);
    let products = shop.products();
    assert_eq!(products.len(), 467);
    let stride = if shop.is_slow() { 60 } else { 1 };
    for product in products.iter().step_by(stride) {
        let typed: String = product.name.to_lowercase().chars().map(without_accent).collect();
        assert_eq!(shop.get_product(&typed).unwrap(), *product, "{typed}");
        let changed = shop.change(&typed, 2_000);
        assert_eq!(changed.name, product.name, "{typed}");
        assert_eq!(changed.stock_thousandths, product.stock_thousandths + 2_000, "{typed}");
        assert_eq!(shop.change(&product.name, -2_000), *product);
    }
    assert_eq!(shop.products(), products);
}

fn without_accent(character: char) -> char {
    match character {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' => 'u',
        'ç' => 'c',
        other => other,
    }
}

fn a_name_may_end_in_digits(shop: &mut Shop) {
    shop.arrange(&[
        Draft::new("ALHO NACIONAL TIPO 5", 1_587, "kg", 42_000),
        Draft::new("ALHO NACIONAL TIPO 6", 1_799, "kg", 79_000),
    ]);
    assert_eq!(shop.change("alho nacional tipo 5", -2_000).stock_thousandths, 40_000);
    assert_eq!(shop.stock("alho nacional tipo 6"), 79_000);
    refused(shop.adjust_stock(&Change::new("alho nacional tipo", 5_000)), "PRODUCT_NOT_FOUND");
}

fn a_name_that_is_not_found_offers_the_nearest(shop: &mut Shop) {
    let near = ["MARACUJÁ AZEDO 3A", "MARACUJÁ AZEDO 4A", "MARACUJÁ AZEDO SUPER"];
    shop.arrange(&near.map(|name| Draft::new(name, 990, "kg", 1_000)));
    for answer in
        [shop.get_product("maracuja azedo"), shop.adjust_stock(&Change::new("maracuja azedo", 1_000))]
    {
        let refusal = refused(answer, "PRODUCT_NOT_FOUND");
        for name in near {
            assert!(refusal.message.contains(name), "{refusal:?}");
        }
    }
    let refusal = refused(shop.get_product("Xyzzy"), "PRODUCT_NOT_FOUND");
    assert!(!refusal.message.contains("parecidos"), "{refusal:?}");
}

fn a_name_that_cannot_be_is_refused(shop: &mut Shop) {
    let longest = "ã".repeat(64);
    for (name, code) in [
        (longest.as_str(), "PRODUCT_NOT_FOUND"),
        (&format!("{longest}x"), "INVALID_ARGUMENT"),
        ("\u{202E}acaM", "INVALID_ARGUMENT"),
        ("Ma\u{7}ca", "INVALID_ARGUMENT"),
        ("\u{200B}", "INVALID_ARGUMENT"),
    ] {
        refused(shop.get_product(name), code);
        refused(shop.adjust_stock(&Change::new(name, 1_000)), code);
    }
}

fn a_new_product_passes_for_no_other_and_for_no_reply(shop: &mut Shop) {
    for (name, why) in [
        ("Erro X: y", "começa como uma resposta do servidor"),
        ("ERRO INTERNAL: falhou", "começa como uma resposta do servidor"),
        ("Ｅrrό x", "U+03CC"),
        ("Ｅrró x", "começa como uma resposta do servidor"),
        ("Nenhum produto encontrado.", "começa como uma resposta do servidor"),
        ("Até logo.", "começa como uma resposta do servidor"),
        ("Token aceito: escrita.", "começa como uma resposta do servidor"),
        ("\u{41c}aca", "U+041C"),
        ("M\u{430}ca", "U+0430"),
        ("\u{421}\u{43e}\u{441}\u{43e}", "U+0421"),
        ("Ma\u{3164}ca", "U+3164"),
    ] {
        let list = [Draft::new("Uva", 100, "un", 0), Draft::new(name, 200, "un", 0)];
        let refusal = refused(shop.import_products(&list, false, ""), "INVALID_ARGUMENT");
        assert!(refusal.rows == [1] && refusal.message.contains(why), "{refusal:?}");
        assert_eq!(shop.products(), four_products(), "{name}");
    }
}
