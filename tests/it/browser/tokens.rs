//! A token is asked once; each role has the pages and the buttons of its job, and no others.

use serde_json::json;

use super::driver::{Browser, ENTER, F2};
use super::looks::look;
use crate::support::waiting::wait_until;
use crate::support::{Server, make_token};

/// Chromium's console has a line for each refused request.
const REFUSED: [&str; 2] = ["status of 401", "CountStock - Failed to load resource"];

/// The pages in the navigation.
const PAGES: &str =
    "return [...document.querySelectorAll('#nav a')].map((link) => link.dataset.path).join(' ')";

struct Shop {
    browser: Browser,
    server: Server,
    /// The secrets of the roles.
    tokens: [(&'static str, String); 4],
}

impl Shop {
    fn open() -> Option<Self> {
        let browser = Browser::start()?;
        let folder = tempfile::tempdir().unwrap();
        let tokens = ["leitura", "contagem", "venda", "escrita"]
            .map(|role| (role, make_token(folder.path(), &format!("de-{role}"), role)));
        let server = Server::start_in(folder, &["--token-file", "tokens"]);
        browser.open(server.port, "");
        Some(Self { browser, server, tokens })
    }

    fn token(&self, role: &str) -> &str {
        &self.tokens.iter().find(|(own, _)| *own == role).unwrap().1
    }

    /// Gives the token of this role where the panel asks for one.
    fn give(&self, role: &str) {
        self.browser.see("dialog[open]", "Este servidor pede um token.");
        self.browser.type_keys(&format!("{}{ENTER}", self.token(role)));
        self.browser.see(".nav-own", &format!("de-{role}"));
    }

    /// Opens the panel in a tab that has no token yet, and gives this one.
    fn enter(&self, role: &str, page: &str) {
        self.browser.run("sessionStorage.clear(); location.hash = arguments[0]", json!([page]));
        self.browser.reload();
        self.give(role);
    }

    /// What the server answers to a line of text.
    fn ask(&self, line: &str) -> String {
        let mut connection = self.server.connect();
        assert_eq!(connection.ask(&format!("token {}", self.token("escrita"))), "Token aceito: escrita.");
        connection.ask(line)
    }

    #[track_caller]
    fn assert_pages(&self, pages: &str) {
        assert_eq!(self.browser.run(PAGES, json!([])), pages);
    }
}

#[test]
fn a_wrong_token_is_asked_again_and_a_right_one_is_not() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.browser;
    browser.see("dialog[open]", "Este servidor pede um token.");
    browser.type_keys(&format!("um-token-errado{ENTER}"));
    browser.see("dialog[open] .field-error", "não conhece o token");
    shop.give("escrita");
    shop.assert_pages("balcao estoque movimentos contagem compras relatorios importar");
    browser.see(".tile", "Caju");
    browser.reload();
    browser.see(".tile", "Caju");
    browser.go("estoque");
    browser.click(".grid-row button", "preço de Caju");
    browser.type_keys(&format!("3{ENTER}"));
    browser.see(".toast", "R$ 3,00");
    assert_eq!(shop.ask("1 caju"), "Caju: R$3.0, Estoque: 60");
    browser.see_no("dialog", "");
    browser.assert_clean(&REFUSED);
}

#[test]
fn who_reads_changes_nothing() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.browser;
    assert_eq!(shop.ask("3 Caju -1 motivo=venda"), "Caju: R$2.0, Estoque: 59");
    shop.give("leitura");
    // The first page is one that the role has.
    browser.see("h1", "Estoque");
    shop.assert_pages("estoque movimentos relatorios");
    browser.see(".grid-row", "Caju");
    browser.see_no("button", "Novo");
    browser.see_no(".row-price", "");
    browser.click(".row-open", "Caju");
    browser.see("dialog[open] table", "venda");
    browser.see_no("dialog[open] button", "Salvar");
    browser.go("movimentos");
    browser.see(".move", "Caju");
    browser.see_no(".move button", "");
    browser.go("relatorios");
    browser.see(".report .stat", "R$ 2,00");
    for (page, does) in [
        ("balcao", "não permite vender"),
        ("contagem", "não permite contar"),
        ("compras", "não permite registrar compras"),
        ("importar", "não permite importar"),
    ] {
        browser.go(page);
        browser.see(".empty", &format!("Este acesso (leitura) {does}."));
    }
    browser.see(".empty", "um token de escrita");
    assert_eq!(look(browser, "sem-direito"), [""; 0]);

    // Another person enters in the same tab.
    browser.click("button", "Entrar com outro token");
    shop.give("escrita");
    browser.see(".importing", "Solte aqui");

    // The token gets fewer rights while the tab is open: the change is refused, the page says why, and nobody
    // is asked for a token.
    browser.go("balcao");
    browser.see(".tile", "Caju");
    let file = shop.server.path().join("tokens");
    let tokens = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, tokens.replace("de-escrita escrita", "de-escrita leitura")).unwrap();
    browser.type_keys(&format!("caju{ENTER}"));
    browser.see(".line", "Caju");
    shop.server.signal("HUP");
    let of_reading = || shop.server.connect().ask(&format!("token {}", shop.token("escrita")));
    wait_until("the server has read its tokens", || of_reading() == "Token aceito: leitura.");
    browser.type_keys(&format!("{F2}"));
    browser.see(".toast.error", "Este token é de leitura");
    browser.see(".toast button", "Outro acesso");
    browser.see(".empty", "Este acesso (leitura) não permite vender.");
    browser.see_no("dialog", "");
    browser.assert_clean(&REFUSED);
}

#[test]
fn who_sells_sells_and_takes_back_own_sales() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.browser;
    assert_eq!(shop.ask("3 Pera -1 motivo=venda"), "Pera: R$5.0, Estoque: 14");
    shop.give("venda");
    shop.assert_pages("balcao estoque movimentos relatorios");
    browser.see(".tile", "Caju");
    browser.type_keys(&format!("caju{ENTER}{F2}"));
    browser.see(".toast", "Venda de R$ 2,00 registrada.");
    assert!(shop.ask("historico limite=1").contains("por de-venda"));
    browser.go("estoque");
    browser.see(".grid-row", "Caju");
    browser.see_no(".row-price", "");
    browser.go("movimentos");
    browser.see(".move", "Pera");
    let undoable =
        "return [...document.querySelectorAll('.move:has(button) b')].map((name) => name.textContent)";
    assert_eq!(browser.run(undoable, json!([])), json!(["Caju"]));
    browser.click(".move button", "Desfazer venda");
    browser.type_keys(&format!("{ENTER}"));
    browser.see(".toast", "desfeita");
    assert_eq!(shop.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    browser.assert_clean(&REFUSED);
}

#[test]
fn who_counts_sees_no_stock() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.browser;
    shop.give("contagem");
    browser.see("h1", "Contagem");
    shop.assert_pages("contagem");
    browser.see("#state", "Ao vivo");
    browser.type_keys(&format!("caju{ENTER}58{ENTER}"));
    browser.see(".count-done", "Caju: 58 un");
    assert_eq!(shop.ask("1 caju"), "Caju: R$2.0, Estoque: 58");
    browser.type_keys(&format!("uva{ENTER}3{ENTER}"));
    browser.see(".field-error", "Nenhum produto se chama");
    // The next product is scanned into the field of the quantity.
    browser.fill(".count-desk input", &format!("caju{ENTER}96385074{ENTER}"));
    browser.see(".field-error", "é um código, e não uma quantidade");
    assert_eq!(shop.ask("1 caju"), "Caju: R$2.0, Estoque: 58");
    browser.reload();
    browser.see(".count-done", "Caju: 58 un");
    assert_eq!(look(browser, "contagem-sem-lista"), [""; 0]);
    for page in ["balcao", "estoque", "movimentos", "relatorios"] {
        browser.go(page);
        browser.see(".empty", "Este acesso (contagem) não permite");
    }
    // The role alone decides, whatever an earlier person of this tab saw.
    shop.enter("venda", "estoque");
    browser.see(".grid-row", "58 un");
    browser.click(".nav-own", "");
    shop.give("contagem");
    browser.see(".empty", "Este acesso (contagem) não permite ver o estoque.");
    browser.go("contagem");
    browser.see(".count-desk", "");
    assert_eq!(browser.run("return document.body.innerText.includes('Pera')", json!([])), false);
    browser.assert_clean(&REFUSED);
}
