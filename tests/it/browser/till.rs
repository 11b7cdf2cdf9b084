//! Balcão: sales by the keyboard, by a scanner and by labels of scales, and their undo.

use super::driver::{ALT, Browser, ENTER, ESCAPE, F2, F4, F8};
use super::shop::set_products;
use crate::support::Server;

/// 1.25 kg of the product with the code 2126.
const LABEL: &str = "2102126012504";

/// The barcode of Maca.
const BARCODE: &str = "7891000100103";

fn shop() -> Server {
    let server = Server::start(&["--label", "21CCCCCPPPPPD"]);
    set_products(
        &server,
        &[
            &["Banana", "--unit", "kg", "--price", "6,99", "--code", "2126"],
            &["Maca", "--unit", "un", "--price", "1,50", "--barcode", BARCODE],
        ],
    );
    server
}

#[test]
fn sales_by_keyboard_by_scanner_and_by_label_are_booked_and_undone() {
    let Some(browser) = Browser::start() else { return };
    let server = shop();
    let mut ledger = server.connect();
    browser.open(server.port, "balcao");
    browser.see(".tile", "Banana");

    // By keyboard alone: what is typed by mistake is taken out, and the change is reckoned.
    browser.type_keys(&format!("2,5 ban{ENTER}pera{ENTER}caju{ENTER}"));
    browser.see(".line", "Caju");
    browser.type_keys(&format!("{F8}"));
    browser.see_no(".line", "Caju");
    browser.type_keys(&format!("{F4}50{ENTER}"));
    browser.see(".ticket .total", "R$ 22,48");
    browser.see(".ticket .back", "R$ 27,52");
    browser.type_keys(&format!("{F2}"));
    browser.see(".toast", "Venda de R$ 22,48 registrada. Troco R$ 27,52.");
    let told = ledger.ask("historico limite=2");
    assert!(told.contains(" venda Banana -2.5 saldo 27.5 R$17.48"), "{told}");
    assert!(told.contains(" venda Pera -1 saldo 14 R$5.0"), "{told}");

    // Undo from the notice.
    browser.click(".toast button", "Desfazer");
    browser.see(".toast", "Venda de R$ 22,48 desfeita.");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$6.99, Estoque: 30");
    assert_eq!(ledger.ask("1 Pera"), "Pera: R$5.0, Estoque: 15");

    // A scanner types digits and Enter, faster than any hand, also behind a line that asks for its weight.
    browser.type_keys(&format!("{BARCODE}{ENTER}{BARCODE}{ENTER}{LABEL}{ENTER}2126{ENTER}{LABEL}{ENTER}"));
    browser.see(".line:nth-child(4)", "Banana");
    browser.click(".line:nth-child(3) button", "Tirar Banana");
    browser.see(".ticket .total", "R$ 20,48");
    browser.type_keys(&format!("{F2}"));
    browser.see(".toast", "Venda de R$ 20,48 registrada.");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$6.99, Estoque: 27.5");
    assert_eq!(ledger.ask("1 Maca"), "Maca: R$1.5, Estoque: 18");

    // The scanner is read in whatever field has the focus. A label says its own quantity, and a name may begin with one.
    assert_eq!(server.run(&["product", "new", "3 Marias", "2,00", "--unit", "un"]).code, 0);
    assert_eq!(server.run(&["count", "3 Marias", "9"]).code, 0);
    browser.see(".tile", "3 Marias");
    browser.type_keys(&format!("3 marias{ENTER}{F4}20{BARCODE}{ENTER}"));
    browser.see(".ticket .total", "R$ 3,50");
    browser.see(".ticket .back", "R$ 16,50");
    browser.type_keys(&format!("3 {LABEL}{ENTER}"));
    browser.see(".toast", "A etiqueta já diz quanto há");
    browser.type_keys(&format!("{F8}{F8}"));
    browser.see_no(".line", "");

    // A scanner does not answer a question.
    browser.type_keys(&format!("{ESCAPE}"));
    assert_eq!(server.run(&["count", "Pera", "60"]).code, 0);
    browser.see(".tile", "há 60 un");
    browser.type_keys(&format!("40 pera{ENTER}"));
    browser.see("dialog[open]", "É isso mesmo?");
    browser.type_keys(&format!("{BARCODE}{ENTER}"));
    browser.see("dialog[open] .toast", "O que foi lido não entrou");
    browser.type_keys(&format!("{ESCAPE}"));
    browser.see_no("dialog", "");
    browser.see_no(".line", "");

    // Undo from the ledger: one button for the whole document.
    browser.chord(ALT, '3');
    browser.see("h1", "Movimentos");
    browser.click(".chip", "Vendas");
    browser.click(".move button", "Desfazer venda #");
    browser.see("dialog[open]", "também o que a lista não mostra");
    browser.see("dialog[open] .ask-lines", "Maca");
    browser.type_keys(&format!("{ENTER}"));
    browser.see(".toast", "desfeita");
    browser.see(".move.is-undone", "Maca");
    assert_eq!(ledger.ask("1 Banana"), "Banana: R$6.99, Estoque: 30");
    assert_eq!(ledger.ask("1 Maca"), "Maca: R$1.5, Estoque: 20");
    browser.assert_clean(&[]);
}
