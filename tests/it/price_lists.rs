//! Price lists as files: the wholesale market's real ones, bad ones, and those that look wrong.

use std::fs;
use std::sync::Arc;

use hortifruti::catalog::{
    BARCODES_MAX, Barcode, Category, Name, Price, ProductDraft, Quantity, SHELF_LIFE_DAYS_MAX, ShopCode,
    Terms, Unit, check_digit,
};
use hortifruti::operation::ProductReply;
use hortifruti::price_list;
use hortifruti::render::render_price_list;
use proptest::prelude::*;

use crate::support::{FIRST_LIST, FOUR_PRODUCTS, NEXT_LIST, Server, list, run, run_bytes};
use crate::terminal::Terminal;

fn shop_with_both_lists() -> Server {
    let server = Server::start(&["--empty"]);
    let first = list(FIRST_LIST);
    let dry = server.run(&["import", first.to_str().unwrap(), "--dry-run"]);
    assert_eq!((dry.code, dry.out.lines().count()), (0, 446), "{}", dry.err);
    assert!(dry.out.starts_with("ALHO DESCASCADO: novo, R$ 17,17, 5 kg\n"), "{}", dry.out);
    assert!(dry.out.ends_with("\n445 criados, 0 atualizados, 0 sem mudança.\n"), "{}", dry.out);
    assert_eq!(server.connect().ask("4"), "Nenhum produto encontrado.");
    let created = server.run(&["import", first.to_str().unwrap()]);
    assert_eq!(created.out, "445 criados, 0 atualizados, 0 sem mudança.\n", "{}", created.err);
    let updated = server.run(&["import", list(NEXT_LIST).to_str().unwrap()]);
    assert_eq!(updated.out, "22 criados, 404 atualizados, 18 sem mudança.\n", "{}", updated.err);
    assert!(updated.err.contains("não muda o estoque de 406 produtos"), "{}", updated.err);
    server
}

#[test]
fn export_writes_what_import_reads() {
    let server = shop_with_both_lists();
    let exported = server.run(&["export"]).out;
    let other = Server::start(&["--empty"]);
    let copy = other.path().join("copia.csv");
    fs::write(&copy, &exported).unwrap();
    assert_eq!(other.run(&["import", "copia.csv"]).out, "467 criados, 0 atualizados, 0 sem mudança.\n");
    assert_eq!(other.run(&["export"]).out, exported);
    assert_eq!(
        run(&mut other.command(&["import", "-"]), &exported).out,
        "0 criados, 0 atualizados, 467 sem mudança.\n"
    );
}

#[test]
fn units_are_read_in_their_usual_spellings() {
    let server = Server::start(&["--empty"]);
    let list =
        "nome;preco;estoque;unidade\nUva;9;1,5;Kilo\nOvo;12;0,5;duzia\nLeite;5;0,25;LTS\nLimão;1;3;UN.\n";
    assert_eq!(run(&mut server.command(&["import", "-"]), list).code, 0);
    let units = "Uva,9.0,1.5,kg,,,,,,\nOvo,12.0,0.5,dz,,,,,,\nLeite,5.0,0.25,l,,,,,,\nLimão,1.0,3,un,,,,,,\n";
    assert!(server.run(&["export"]).out.ends_with(units));
    let made = server.run(&["product", "new", "Couve", "3", "--unit", "MACO", "--format", "json"]);
    assert!(made.out.contains("\"unit\":\"maço\""), "{made:?}");
}

#[test]
fn a_bad_list_changes_nothing_and_names_each_line() {
    let server = Server::start(&[]);
    let path = server.path().join("lista.csv");
    fs::write(&path, "nome;preco;estoque;unidade\nUva;9,90;1;cx\n\nFigo;abc;1;un\nuva;1;1;un\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 4: ") && refused.err.contains("linha 5: "), "{}", refused.err);
    // What only the server knows: Caju is sold by the piece, and this would leave it half a kilo.
    fs::write(&path, "nome;preco;estoque;unidade\nUva;9,90;1;cx\n\nLima;1;0,5;un\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 4: "), "{}", refused.err);
    // What the file tells and what the server knows, at once.
    fs::write(&path, "nome;preco;estoque\nUva;1;1,5\nFigo;x;1\nLima;1;2,5\nUva;1;1\n").unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2);
    for line in ["linha 2: ", "linha 3: ", "linha 4: ", "linha 5: ", "4 linhas"] {
        assert!(refused.err.contains(line), "{line}: {}", refused.err);
    }
    // Far more bad rows than a status carries: all are counted, and the first are told.
    let rows: String = (0..2000).map(|index| format!("Produto {index};1;0,5;un\n")).collect();
    fs::write(&path, format!("nome;preco;estoque;unidade\n{rows}")).unwrap();
    let refused = server.run(&["import", "lista.csv"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("linha 2: ") && refused.err.contains("2000 linhas"), "{}", refused.err);
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

/// A list in which one line is ten times as dear as it is meant to be.
const DEAR: &str =
    "nome;preco;estoque;unidade\nCaju;20,00;1;un\nMaca;3,10;20;un\nPera;5;15;cx\nLima;1,5;2;kg\n";

const DEAR_CHANGES: &str = "\
Caju: R$ 2,00 → R$ 20,00, o estoque fica 60 (na lista, 1) ⚠ preço × 10
Maca: R$ 3,00 → R$ 3,10
Pera: un → cx
Lima: novo, R$ 1,50, 2 kg
";

#[test]
fn a_dry_run_shows_each_change_and_what_looks_wrong() {
    let server = Server::start(&[]);
    let dry = run(&mut server.command(&["import", "-", "--dry-run"]), DEAR);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(dry.out, format!("{DEAR_CHANGES}1 criado, 3 atualizados, 0 sem mudança.\n"));
    for told in [
        "1 linha parece errada",
        "\"Pera\", de un para cx",
        "\"Caju\", com 60 (na lista, 1)",
        "hortifruti update",
    ] {
        assert!(dry.err.contains(told), "{told}: {}", dry.err);
    }
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    // What changes nothing is counted, and a stock that differs is told.
    let same = run(
        &mut server.command(&["import", "-", "--dry-run"]),
        "nome;preco;estoque\nMaca;3;20\nPera;5;1\nCaju;2;\n",
    );
    assert_eq!(same.out, "Pera: o estoque fica 15 (na lista, 1)\n0 criados, 0 atualizados, 3 sem mudança.\n");
}

#[test]
fn a_script_imports_what_looks_wrong_only_if_it_says_so() {
    let server = Server::start(&[]);
    for list in [
        DEAR,
        "nome;preco\nCaju;0,20\n",
        "nome;preco\nCaju;0\n",
        "nome;preco\nLima;0\n",
        "nome;preco\nMaÃ§Ã£;3,50\n",
        "nome;preco\nLim?o;3,50\n",
    ] {
        let refused = run(&mut server.command(&["import", "-"]), list);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{list}: {}", refused.err);
        assert!(refused.err.contains("\nlinha 2: ") && refused.err.contains('⚠'), "{}", refused.err);
        assert!(
            refused.err.ends_with("Nada foi importado; corrija a lista, ou importe assim mesmo com --yes.\n")
        );
    }
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    let made = run(&mut server.command(&["import", "-", "--yes"]), DEAR);
    assert_eq!(
        (made.code, made.out.as_str()),
        (0, "1 criado, 3 atualizados, 0 sem mudança.\n"),
        "{}",
        made.err
    );
    assert!(made.err.contains("linha 2: Caju: R$ 2,00 → R$ 20,00"), "{}", made.err);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$20.0, Estoque: 60");
}

#[test]
fn a_person_is_asked_about_what_looks_wrong() {
    let server = Server::start(&[]);
    fs::write(server.path().join("lista.csv"), DEAR).unwrap();
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for("Importar assim mesmo? [s/N]");
    assert!(terminal.screen().contains("linha 2: Caju: R$ 2,00 → R$ 20,00"), "{}", terminal.screen());
    terminal.send("n\r");
    terminal.wait_for_text("Nada foi importado");
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for("Importar assim mesmo? [s/N]");
    terminal.send("s\r");
    terminal.wait_for_end();
    assert!(terminal.screen().contains("1 criado, 3 atualizados, 0 sem mudança."), "{}", terminal.screen());
    // The same list again changes nothing, and nothing looks wrong.
    let mut terminal = Terminal::run(server.path(), 200, &["import", "lista.csv"]);
    terminal.wait_for_end();
    assert!(terminal.screen().contains("0 criados, 0 atualizados, 4 sem mudança."), "{}", terminal.screen());
}

#[test]
fn a_file_that_is_no_list_is_named_and_changes_nothing() {
    let server = Server::start(&[]);
    for (bytes, told) in [
        (
            &b"nome;preco\nMa\xC3\xA7\xC3\xA3;3\nLim\xE3o;1\n"[..],
            "em UTF-8 na linha 2, e em outra codificação na linha 3",
        ),
        (b"nome;preco\nMa\xC3\xA7\xC3", "cortado"),
        (b"PK\x03\x04\x14\0\x06\0xl/workbook.xml", "a planilha está danificada"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "a planilha está danificada"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "a planilha está danificada"),
        (b"%PDF-1.7", "PDF"),
        (b"<html><table><tr><td>nome</td></tr></table></html>", "HTML"),
        (b"nome;preco;estoque\nUva;3;1.000\n", "linha 2: o estoque \"1.000\" tem duas leituras, 1000 e 1"),
    ] {
        let refused = run_bytes(&mut server.command(&["import", "-"]), bytes);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(
            refused.err.contains(told) && refused.err.contains("Nada foi importado"),
            "{told}: {}",
            refused.err
        );
    }
    assert_eq!(
        server.run(&["import", "."]).err,
        "Erro: não foi possível ler .: é uma pasta. Nada foi importado; confira o nome do arquivo\n"
    );
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

#[test]
fn a_catalog_of_any_size_is_exported_and_imported() {
    let server = Server::start(&["--empty"]);
    let rows: String =
        (0..12_345).map(|index| format!("Produto {index},{index}.5,{index}.125,kg\n")).collect();
    let list = format!("nome,preco,estoque,unidade\n{rows}");
    let created = "12345 criados, 0 atualizados, 0 sem mudança.\n";
    assert_eq!(run(&mut server.command(&["import", "-"]), &list).out, created);
    let exported = server.run(&["export"]).out;
    let rows = rows.replace(",kg\n", ",kg,,,,,,\n");
    assert!(exported.split_once('\n').is_some_and(|(_, exported)| exported == rows));
    let other = Server::start(&["--empty"]);
    assert_eq!(run(&mut other.command(&["import", "-"]), &exported).out, created);
    assert_eq!(other.run(&["export"]).out, exported);
    // A bad row in the last part: none of the others is imported either.
    let refused = run(
        &mut other.command(&["import", "-"]),
        &exported.replace("Produto 1,1.5", "Outro,3.5").replace("12344.125,kg", "12344.125,cx"),
    );
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("linha 12346: "), "{}", refused.err);
    assert!(other.connect().ask("1 Outro").starts_with("Erro PRODUCT_NOT_FOUND"));
}

/// Texts that a list could take for its own signs, for numbers, for formulas, or for a letter of another encoding.
const HOSTILE: &str = "['\"`=+@,;|/. \\t0-9a-zA-ZÀ-ÿ–‐白ß-]{1,20}";

fn code() -> impl Strategy<Value = Barcode> {
    let gtin =
        (prop::sample::select(vec![7_usize, 11, 12, 13]), any::<u64>()).prop_map(|(length, number)| {
            let digits: Vec<u8> =
                format!("{number:020}").bytes().take(length).map(|digit| digit - b'0').collect();
            let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
            format!("{text}{}", check_digit(&digits))
        });
    let plu = (1_000_u32..100_000).prop_map(|number| number.to_string());
    prop_oneof![gtin, plu].prop_filter_map("no barcode", |text| Barcode::parse(&text).ok())
}

fn terms() -> impl Strategy<Value = Terms> {
    let quantity = || (0_i64..3_000_000).prop_map(|it| Quantity::from_thousandths(it).unwrap());
    (
        prop::option::of(1_i64..=999_999),
        prop::collection::vec(code(), 0..4),
        prop::option::of(HOSTILE),
        (quantity(), quantity()),
        0..=SHELF_LIFE_DAYS_MAX,
    )
        .prop_map(|(code, barcodes, category, (minimum, target), shelf_life_days)| Terms {
            code: code.map(|code| ShopCode::from_number(code).unwrap()),
            barcodes,
            category: category.and_then(|text| Category::parse(&text).ok()),
            minimum: minimum.min(target),
            target,
            shelf_life_days,
        })
}

/// Products of which no two have the same name or code.
fn products() -> impl Strategy<Value = Vec<ProductReply>> {
    let unit = prop::sample::select(vec!["kg", "un", "maço", "@cx", "1/2 dz"]);
    let product =
        (HOSTILE, 0_i64..=1_000_000_000_000, 0_i64..=1_000_000_000_000_000, unit, prop::option::of(terms()));
    prop::collection::vec(product, 1..8).prop_map(|products| {
        let (mut names, mut codes) = (std::collections::HashSet::new(), std::collections::HashSet::new());
        let mut made = Vec::new();
        for (name, price, stock, unit, terms) in products {
            let Ok(name) = Name::parse(&name) else { continue };
            if !names.insert(name.as_str().to_lowercase()) {
                continue;
            }
            let value = |text: String| text.parse::<u64>().unwrap();
            let mut terms = terms.unwrap_or_default();
            terms.code = terms.code.filter(|code| codes.insert(value(code.to_string())));
            terms.barcodes.retain(|barcode| codes.insert(value(barcode.to_string())));
            made.push(ProductReply {
                name,
                price: Price::from_centavos(price).unwrap(),
                stock: Quantity::from_thousandths(stock).unwrap(),
                unit: Unit::parse(unit).ok(),
                stock_cost: None,
                terms: Some(Arc::new(terms)),
                is_discontinued: false,
            });
        }
        made
    })
}

fn product_of(row: &ProductDraft) -> ProductReply {
    ProductReply {
        name: row.name.clone(),
        price: row.price,
        stock: row.opening_stock,
        unit: row.unit.clone(),
        stock_cost: None,
        terms: Some(Arc::new(row.terms.applied(Terms::default()))),
        is_discontinued: false,
    }
}

proptest! {
    #[test]
    fn every_term_of_an_exported_catalog_is_read_again(products in products()) {
        prop_assume!(!products.is_empty());
        let mut exported = Vec::new();
        render_price_list(&mut exported, &products).unwrap();
        let list = price_list::read(&exported).unwrap();
        prop_assert_eq!(&list.bad, &[], "{}", String::from_utf8_lossy(&exported));
        prop_assert_eq!(list.rows.iter().map(product_of).collect::<Vec<_>>(), products);
    }
}

/// The catalog as JSON, without the costs, which no list has.
fn catalog(server: &Server) -> Vec<serde_json::Value> {
    let shown = server.run(&["query", "--format", "ndjson"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let without_cost = |line: &str| {
        let mut product: serde_json::Value = serde_json::from_str(line).unwrap();
        product.as_object_mut().unwrap().remove("stock_cost_centavos");
        product
    };
    shown.out.lines().map(without_cost).collect()
}

#[test]
fn a_catalog_with_all_its_terms_goes_to_another_shop() {
    let mut server = Server::start(&["--empty"]);
    let names = ["=1+1", "d'água", "x \"y\"", "a;=1+1", "1,5", "Maçã, verde", "12", "白菜"];
    for (index, name) in names.iter().enumerate() {
        let (code, minimum) = ((index + 1).to_string(), format!("{index},25"));
        let category = format!("{name}; \"de época\", {index}");
        let new = ["product", "new", name, "1234,5", "--unit", "kg", "--code", &code, "--minimum", &minimum];
        let target = ["--target", "100", "--shelf-life", &code, "--category", &category];
        let barcodes =
            ["--barcode", &format!("{}", 4000 + index), "--barcode", &format!("{}", 94000 + index)];
        let made = server.run(&[&new[..], &target, &barcodes].concat());
        assert_eq!(made.code, 0, "{name}: {}", made.err);
    }
    assert_eq!(server.run(&["product", "new", "Kiwi", "9"]).code, 0);
    let exported = server.run(&["export", "lista.csv"]);
    assert_eq!((exported.out.as_str(), exported.err.as_str()), ("9 produtos escritos em lista.csv.\n", ""));
    let list = server.path().join("lista.csv");
    let mut other = Server::start(&["--empty"]);
    let imported = other.run(&["import", list.to_str().unwrap()]);
    assert_eq!(imported.out, "9 criados, 0 atualizados, 0 sem mudança.\n", "{}", imported.err);
    assert_eq!(catalog(&other), catalog(&server));
    // Where it came from, nothing changes.
    let again = server.run(&["import", "lista.csv"]);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("0 criados, 0 atualizados, 9 sem mudança.\n", ""));
    // Those that are not sold any more are not in the list, and that is said.
    assert_eq!(server.run(&["product", "retire", "Kiwi"]).code, 0);
    let shorter = server.run(&["export", "lista.csv", "--force"]);
    assert_eq!(shorter.out, "8 produtos escritos em lista.csv.\n");
    assert!(shorter.err.starts_with("Aviso: 1 produto aposentado ficou fora da lista"), "{}", shorter.err);
    assert!(!fs::read_to_string(&list).unwrap().contains("Kiwi"));
    let shown = server.run(&["export"]);
    assert_eq!((shown.out.lines().count(), shown.err), (9, shorter.err));
    let refused = server.run(&["export", "--socket"]);
    assert!(refused.code == 5 && refused.err.contains("exige gRPC"), "{}", refused.err);
    for server in [&mut server, &mut other] {
        server.stop();
        assert_eq!(server.run(&["verify"]).code, 0);
    }
}

#[test]
fn terms_are_changed_by_a_list_and_only_by_its_full_cells() {
    let server = Server::start(&[]);
    let terms =
        ["--code", "12", "--category", "frutas", "--minimum", "5", "--target", "9", "--barcode", "4011"];
    assert_eq!(server.run(&[&["product", "set", "Caju"][..], &terms].concat()).code, 0);
    let list = "nome;preco;Código;CÓDIGOS DE BARRAS;categoria;minimo;alvo;validade_dias;cor\n\
                Caju;2,00;13;;;0;12,5;4;\nMaca;3,00;;4012 40170725;;;;;verde\nPera;5,00;;;;;;;\n";
    let dry = run(&mut server.command(&["import", "-", "--dry-run"]), list);
    assert_eq!(
        dry.out,
        "Caju: código 12 → 13, mínimo 5 → 0, alvo 9 → 12,5, validade — → 4 dias\n\
         Maca: códigos de barras — → 4012,40170725\n0 criados, 2 atualizados, 1 sem mudança.\n",
        "{}",
        dry.err
    );
    let kept = "Aviso: 2 células vazias não tiram nada do cadastro, e fica o que havia, como códigos de barras \
                4011 de \"Caju\"; para tirar, use `hortifruti product set`.\n";
    assert!(dry.err.ends_with(kept), "{}", dry.err);
    assert!(dry.err.contains("a coluna \"cor\" não foi lida"), "{}", dry.err);
    let made = run(&mut server.command(&["import", "-"]), list);
    assert_eq!(made.out, "0 criados, 2 atualizados, 1 sem mudança.\n", "{}", made.err);
    assert!(made.err.ends_with(kept), "{}", made.err);
    assert_eq!(server.connect().ask("1 13"), "Caju: R$2.0, Estoque: 60");
    assert_eq!(server.connect().ask("1 40170725"), "Maca: R$3.0, Estoque: 20");
    let history = server.run(&["history", "Caju", "--changes"]).out;
    assert!(history.contains("Caju: código 12 → 13\n"), "{history}");
    let again = run(&mut server.command(&["import", "-"]), list);
    assert_eq!(again.out, "0 criados, 0 atualizados, 3 sem mudança.\n", "{}", again.err);
}

#[test]
fn a_slip_in_the_terms_is_named_with_its_line() {
    let server = Server::start(&[]);
    for (cells, told) in [
        ("0;;;;;", "o código de \"Uva\" não pode ser 0"),
        ("1234567;;;;;", "código \"1234567\" inválido"),
        ("A-12;;;;;", "importe sem eles, com --column codigo=-"),
        (";7891000100104;;;;", "tem o dígito verificador errado"),
        (";7,891E+12;;;;", "a planilha abreviou o código de barras \"7,891E+12\""),
        (";;;5;4;", "o alvo 4 de \"Uva\" fica abaixo do mínimo 5"),
        (
            ";;;-1;;",
            "o mínimo de \"Uva\" não pode ser negativo; para não ler a coluna, importe com --column minimo=-",
        ),
        (";;;muito;;", "muito"),
        (";;;;;3,5", "a validade \"3,5\" não serve"),
        (";;;;;4000", "a validade \"4000\" não serve"),
        ("1;;;;;\nKiwi;1;1;;;;;", "o código 1 de \"Kiwi\" já aparece na linha 2"),
        (";;;;;;2", "tem 9 colunas"),
    ] {
        let header = "nome;preco;codigo;codigos_de_barras;categoria;minimo;alvo;validade_dias";
        let refused = run(&mut server.command(&["import", "-"]), &format!("{header}\nUva;9,90;{cells}\n"));
        assert_eq!(refused.code, 2, "{cells}: {refused:?}");
        let line = if cells.contains("Kiwi") { "linha 3: " } else { "linha 2: " };
        assert!(refused.err.contains(line) && refused.err.contains(told), "{told}: {}", refused.err);
    }
    // A decimal comma that no quotation marks hold together.
    let split = "nome,preco,minimo,alvo,validade_dias\nUva,9.90,2,5,,\n";
    let refused = run(&mut server.command(&["import", "-"]), split);
    assert!(refused.err.contains("linha 2: tem 6 colunas"), "{}", refused.err);
    // More barcodes than a product has.
    let codes: Vec<String> = (0..=BARCODES_MAX).map(|index| (4000 + index).to_string()).collect();
    let many = format!("nome,preco,codigos_de_barras\nUva,9.90,{}\n", codes.join(" "));
    let refused = run(&mut server.command(&["import", "-"]), &many);
    assert!(refused.err.contains("linha 2: são 33 códigos de barras; o limite é 32"), "{}", refused.err);
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

#[test]
fn the_stocks_of_a_list_are_booked_as_a_count_if_asked() {
    let server = Server::start(&[]);
    let import = |list: &str, args: &[&str]| {
        run(&mut server.command(&[&["import", "-", "--count"], args].concat()), list)
    };
    let list = "nome;preco;estoque;unidade\nMaca;3,50;18;\nPera;5;15;\nCaju;2;;\nUva;9;2,5;kg\n";
    let dry = import(list, &["--dry-run"]);
    assert!(dry.out.starts_with("Maca: R$ 3,00 → R$ 3,50, estoque 20 → 18\nUva: novo, "), "{dry:?}");
    assert_eq!(server.run(&["query", "Maca"]).out, "Maca: R$3.0, Estoque: 20\n");
    for _ in 0..2 {
        let made = import(list, &["--request-id", "inventario"]);
        assert_eq!(
            (made.code, made.out.as_str()),
            (0, "1 criado, 1 atualizado, 2 sem mudança.\n"),
            "{made:?}"
        );
        let told = "3 estoques contados, 1 com diferença. Para desfazer a contagem: `hortifruti undo 6`.";
        assert!(made.err.contains(told) && !made.err.contains("não mudou o estoque"), "{made:?}");
        let stocks = "Maca: R$3.5, Estoque: 18\nPera: R$5.0, Estoque: 15\nBanana: R$10.0, Estoque: 30\n\
            Caju: R$2.0, Estoque: 60\nUva: R$9.0, Estoque: 2.5\n";
        assert_eq!(server.run(&["query"]).out, stocks);
    }
    assert!(server.connect().ask("historico limite=1").contains("#6 "));
    // What cannot be counted is refused before anything is imported.
    for (list, told) in [
        ("nome;preco;estoque\nMaca;4;2,5\n", "linha 2: Maca: não se conta 2,5 un"),
        ("nome;preco\nMaca;4\n", "a lista não dá o estoque de nenhum produto"),
    ] {
        let refused = import(list, &[]);
        assert!(refused.code == 2 && refused.err.contains(told), "{refused:?}");
        assert!(refused.err.contains("Nada foi importado"), "{refused:?}");
    }
    // An id of which no id of a count can be made.
    let long = import("nome;preco;estoque\nMaca;4;17\n", &["--request-id", &"x".repeat(60)]);
    assert!(long.code == 2 && long.err.contains("identificador de pedido"), "{long:?}");
    assert_eq!(server.run(&["query", "Maca"]).out, "Maca: R$3.5, Estoque: 18\n");
    let many: String = (0..1001).map(|number| format!("Fruta {number};1;{number}\n")).collect();
    let many = format!("nome;preco;estoque\n{many}");
    assert_eq!(run(&mut server.command(&["import", "-"]), &many).code, 0);
    let counted = import(&many.replace(";1;", ";1;1"), &[]);
    assert!(counted.err.contains("1001 estoques contados, 1001 com diferença. Para desfazer a contagem: `hortifruti undo 1008` `hortifruti undo 2008`."), "{counted:?}");
}
