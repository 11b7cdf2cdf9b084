//! Estoque, Contagem, Compras, Importar and Relatórios: what a keeper does there is in the ledger.

use serde_json::json;

use super::driver::{Browser, CONTROL, ENTER, ESCAPE};
use super::shop::set_products;
use crate::invoices;
use crate::support::{Server, project, run};

fn shop() -> Server {
    let server = Server::start(&[]);
    set_products(&server, &[&["Banana", "--unit", "kg"], &["Caju", "--minimum", "100"]]);
    server
}

#[test]
fn a_keepers_day_is_in_the_ledger() {
    let Some(browser) = Browser::start() else { return };
    let server = shop();
    let mut ledger = server.connect();

    // Estoque: a new product, and a price that looks like a slip.
    browser.open(server.port, "estoque");
    browser.click("button", "Novo");
    browser.see("dialog[open]", "Novo produto");
    browser.type_keys("Tomate\t8,90");
    browser.click("dialog[open] button", "Criar produto");
    browser.see(".grid-row", "Tomate");
    assert_eq!(ledger.ask("1 tomate"), "Tomate: R$8.9, Estoque: 0");
    browser.click(".grid-row button", "preço de Tomate");
    browser.type_keys(&format!("99{ENTER}"));
    browser.see("dialog[open]", "Tomate passa de R$ 8,90 para R$ 99,00.");
    browser.click("dialog[open] button", "Corrigir");
    browser.type_keys(&format!("{ESCAPE}"));
    browser.click(".grid-row button", "preço de Tomate");
    browser.type_keys(&format!("9,90{ENTER}"));
    browser.see(".toast", "Tomate: R$ 8,90 → R$ 9,90.");
    assert_eq!(ledger.ask("1 tomate"), "Tomate: R$9.9, Estoque: 0");

    // Compras: boxes with their weight, a supplier, an expiry; a cost above the price is asked back.
    browser.go("compras");
    browser.fill(".picker input", &format!("tom{ENTER}"));
    browser.see(".buy-name", "Tomate");
    browser.type_keys(&format!("2cx=44kg{ENTER}2800,00"));
    browser.click(".buy-line button", "Pôr na compra");
    browser.see("dialog[open]", "Confira esta linha");
    browser.click("dialog[open] button", "Corrigir");
    browser.see_no("dialog", "");
    browser.fill("input[placeholder='2800,00']", &format!("280,00{ENTER}"));
    browser.see(".buy-total", "R$ 280,00");
    browser.fill(".buy-supplier input", "Sítio Boa Vista");
    browser.click("button", "Registrar compra");
    browser.see(".toast", "Compra de 1 produto registrada");
    let told = ledger.ask("historico limite=1");
    assert!(told.contains(" compra Tomate 44 saldo 44 R$280.0"), "{told}");
    browser.see(".buying section", "Caju");

    // Contagem: what is sold while the keeper counts stays sold.
    browser.go("contagem");
    browser.fill("input[aria-label='Contado de Banana, em kg']", &format!("29,5{ENTER}"));
    browser.see(".count-progress", "1 de 5");
    let is_placed = "return JSON.parse(localStorage['hortifruti.contagem']).entries.Banana.sequence > 0";
    browser.until(is_placed, json!([]));
    assert_eq!(ledger.ask("3 Banana -2 motivo=venda"), "Banana: R$10.0, Estoque: 28");
    browser.fill("input[aria-label='Contado de Maca, em un']", &format!("20{ENTER}"));
    browser.chord(CONTROL, ENTER);
    browser.see("h1", "Contagem registrada");
    browser.see(".sheet", "Banana");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$10.0, Estoque: 27.5");
    assert_eq!(ledger.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");

    // Importar: the differences are seen before anything is imported.
    browser.go("importar");
    let list = server.path().join("lista de segunda.csv");
    std::fs::write(
        &list,
        "nome;preco;estoque;unidade\nTomate;10,90;0;kg\nCaju;2,00;60;un\nUva;18,00;12;kg\n",
    )
    .unwrap();
    browser.choose_file("input[type=file]", &list);
    browser.see(".changes", "Uva");
    browser.see(".changes", "R$ 9,90 → R$ 10,90");
    assert_eq!(ledger.ask("1 tomate"), "Tomate: R$9.9, Estoque: 44");
    browser.click("button", "Importar 2 produtos");
    browser.see("h1", "Lista importada");
    assert_eq!(ledger.ask("1 tomate"), "Tomate: R$10.9, Estoque: 44");
    assert_eq!(ledger.ask("1 uva"), "Uva: R$18.0, Estoque: 12");
    // A file that is dropped is read too, and one that misses its place does not replace the panel.
    browser.click("button", "Importar outra");
    browser.drop_file("h1", &list);
    browser.drop_file(".drop", &list);
    browser.see(".count-progress", "A loja já tem tudo o que está na lista.");
    // Workbooks are read as they are.
    for (file, name, sold) in [
        ("14-quitanda.ods", "Cenoura", "Importar 4 produtos"),
        ("15-lado-a-lado.xlsx", "Jiló", "Importar 7 produtos"),
    ] {
        browser.click("button", "Outro arquivo");
        browser.drop_file(".drop", &project().join("tests/data/planilhas").join(file));
        browser.see(".changes", name);
        browser.click("button", sold);
        browser.see("h1", "Lista importada");
        browser.click("button", "Importar outra");
        browser.drop_file(".drop", &list);
        browser.see(".count-progress", "A loja já tem tudo o que está na lista.");
    }
    assert_eq!(ledger.ask("1 cenoura"), "Cenoura: R$4.0, Estoque: 35.5");
    assert_eq!(ledger.ask("1 jilo"), "Jiló: R$7.9, Estoque: 0");
    // A list with a slip says in which line, and imports nothing.
    std::fs::write(&list, "nome;preco;estoque;unidade\nTomate;muito;0;kg\n").unwrap();
    browser.click("button", "Outro arquivo");
    browser.choose_file("input[type=file]", &list);
    browser.see("[role=alert]", "Linha 2");

    // Relatórios: the figures of the command line.
    browser.go("relatorios");
    browser.see(".report .stat", "R$ 20,00");
    browser.click(".chip", "Compras");
    browser.see(".report table", "Tomate");
    browser.see(".report tfoot", "280,00");
    let csv = browser.until("return document.querySelector('.report a[download]')?.href", json!([]));
    let saved = browser.run("return fetch(arguments[0]).then((answer) => answer.text())", json!([csv]));
    let printed = run(&mut server.command(&["report", "purchases", "--format", "csv"]), "");
    assert_eq!(saved.as_str().unwrap().trim_start_matches('\u{feff}'), printed.out);
    // A day is typed digit by digit, and the report is of the whole one.
    browser.click(".chip", "Fechamento");
    browser.see("[data-control=day]", "");
    browser.run("document.querySelector('[data-control=day]').focus()", json!([]));
    browser.type_keys(&format!("12122025{ENTER}"));
    browser.see("h2", "Fechamento de 12/12/2025");
    browser.assert_clean(&["status of 400"]);
}

#[test]
fn a_dropped_invoice_fills_the_purchase_and_asks_for_what_the_shop_does_not_know() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&["--cnpj", "11.222.333/0001-81"]);
    set_products(&server, &[&["Banana", "--unit", "kg"], &["Caju", "--barcode", "7891000100103"]]);
    let mut ledger = server.connect();
    let box_of_bananas =
        ("01", "", "BANANA PRATA", "CX", "3.0000", "180.00", "<uTrib>KG</uTrib><qTrib>60.0000</qTrib>");
    let cashews = ("02", "7891000100103", "CAJU", "UN", "10.0000", "15.00", "");
    let note = server.path().join("nota.xml");
    std::fs::write(&note, invoices::xml(1, &[box_of_bananas, cashews])).unwrap();
    browser.open(server.port, "compras");
    browser.see(".picker", "");
    browser.drop_file(".buying", &note);
    browser.see(".problem-rows", "item 1: BANANA PRATA, 3 CX, R$ 180,00 de que produto é?");
    browser.see(".sheet", "Caju");
    browser.click("button", "Completar");
    browser.fill(".picker input", &format!("banana{ENTER}"));
    browser.see(".buy-name", "Banana");
    browser.click(".buy-line button", "Pôr na compra");
    browser.see_no(".problem-rows", "");
    browser.see(".buy-total", "R$ 195,00");
    browser.click("button", "Registrar compra");
    browser.see(".toast", "Compra de 2 produtos registrada");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$10.0, Estoque: 90");
    // The same invoice once more, and the next one, of which the shop knows everything.
    browser.choose_file(".page-head input[type=file]", &note);
    browser.see(".toast", "já registrada");
    let next = server.path().join("outra.xml");
    std::fs::write(&next, invoices::xml(2, &[(box_of_bananas.0, "", "BANANA", "CX", "1.0000", "60.00", "")]))
        .unwrap();
    browser.drop_file("h1", &next);
    browser.see(".sheet", "20 kg");
    browser.click("button", "Registrar compra");
    browser.see(".toast", "Compra de 1 produto registrada");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$10.0, Estoque: 110");
    // Of a line of two lots that the shop does not know, both are kept; and a file may be chosen twice.
    let lots = "<rastro><nLote>L1</nLote><qLote>4</qLote><dVal>2099-02-01</dVal></rastro>\
        <rastro><nLote>L2</nLote><qLote>6</qLote><dVal>2099-01-01</dVal></rastro>";
    std::fs::write(&next, invoices::xml(4, &[("09", "", "FIGO", "UN", "10.0000", "15.00", lots)])).unwrap();
    for _ in 0..2 {
        browser.choose_file(".page-head input[type=file]", &next);
        browser.see(".problem-rows", "FIGO");
        browser.click("button", "Completar");
        browser.fill(".picker input", &format!("caju{ENTER}"));
        browser.until(
            "return [...document.querySelectorAll('.buy-line input')].some(({ value }) => value === 'L1, L2')",
            json!([]),
        );
        browser.click("button", "Deixar fora");
        browser.see_no(".problem-rows", "");
    }
    // A file that is none says so.
    std::fs::write(&next, "<html></html>").unwrap();
    browser.drop_file("h1", &next);
    browser.see(".toast, dialog[open]", "e não uma NF-e");
    // Nor is one for another shop taken.
    std::fs::write(&next, invoices::xml(3, &[cashews]).replace("11222333000181", "11444777000161")).unwrap();
    browser.drop_file("h1", &next);
    browser.see(".toast, dialog[open]", "é a nota de outra loja");
    assert_eq!(ledger.ask("1 Caju"), "Caju: R$2.0, Estoque: 70");
    browser.assert_clean(&["status of 400"]);
}
