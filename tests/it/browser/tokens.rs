//! A token is asked once, and each role sees what it may.

use serde_json::json;

use super::driver::{Browser, ENTER, F2};
use crate::support::{Server, make_token};

/// Chromium's console has a line for each refused request.
const REFUSED: [&str; 3] = ["status of 401", "status of 403", "status of 400"];

#[test]
fn each_role_does_its_job_in_the_panel() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [read, count, sell, write] = ["leitura", "contagem", "venda", "escrita"]
        .map(|role| make_token(folder.path(), &format!("de-{role}"), role));
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let log_in = |page: &str, token: &str| {
        browser.run("sessionStorage.clear()", json!([]));
        browser.go(page);
        browser.reload();
        browser.see("dialog[open]", "Este servidor pede um token.");
        browser.type_keys(&format!("{token}{ENTER}"));
    };
    let mut ledger = server.connect();
    assert_eq!(ledger.ask(&format!("token {write}")), "Token aceito: escrita.");

    browser.open(server.port, "balcao");
    log_in("balcao", "um-token-errado");
    browser.see("dialog[open] .field-error", "token");

    log_in("balcao", &read);
    browser.see(".tile", "Caju");
    browser.type_keys(&format!("caju{ENTER}{F2}"));
    browser.see("dialog[open]", "Este token é de leitura");
    browser.click("dialog[open] button", "Agora não");
    browser.see(".toast.error", "leitura");
    browser.see(".line", "Caju");
    assert_eq!(ledger.ask("1 caju"), "Caju: R$2.0, Estoque: 60");

    log_in("balcao", &sell);
    browser.see(".tile", "Caju");
    browser.type_keys(&format!("caju{ENTER}{F2}"));
    browser.see(".toast", "Venda de R$ 2,00 registrada.");
    assert!(ledger.ask("historico limite=1").contains("de-venda"));
    // The same tab asks no second time.
    browser.go("estoque");
    browser.see(".grid-row", "Caju");
    browser.reload();
    browser.see(".grid-row", "Caju");
    browser.click(".grid-row button", "preço de Caju");
    browser.type_keys(&format!("3{ENTER}"));
    browser.see("dialog[open]", "Este token é de venda");
    browser.click("dialog[open] button", "Agora não");

    // Who counts sees no stock, and no list.
    log_in("contagem", &count);
    browser.see("dialog[open]", "Este token é de contagem");
    assert_eq!(browser.run("return document.body.innerText.includes('Caju')", json!([])), false);

    log_in("estoque", &write);
    browser.see(".grid-row", "Caju");
    browser.click(".grid-row button", "preço de Caju");
    browser.type_keys(&format!("3{ENTER}"));
    browser.see(".toast", "R$ 3,00");
    assert_eq!(ledger.ask("1 caju"), "Caju: R$3.0, Estoque: 59");
    browser.assert_clean(&REFUSED);
}
