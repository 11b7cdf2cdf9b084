//! Texts of all kinds that mean something to a browser, or are very long, are shown as the text that they are.

use serde_json::json;

use super::PAGES;
use super::driver::{Browser, ENTER, ESCAPE, F2, NARROW, TOO_WIDE, WIDE};
use crate::support::{Server, hortifruti, run};

/// Sets `window.ran` if a browser takes it for an element.
const IMAGE: &str = "<img src=x onerror=ran=1>";

/// The same without a space, as names of tokens and ids of requests are.
const AUTHOR: &str = "<img/src=x/onerror=ran=1>";

/// Chooses how a report is grouped.
const GROUP_BY: &str = "
    const by = document.querySelector('[data-control=by]');
    by.value = arguments[0];
    by.dispatchEvent(new Event('change'));";

const NAMES: [&str; 7] = [
    IMAGE,
    "<script>ran=1</script><svg/onload=ran=1>",
    "\"><a href=javascript:ran=1 autofocus onfocus=ran=1>x</a>",
    "'\"`${ran=1}\\u003cb\\u003e&lt;i&gt;&#60;u>",
    "{{constructor.constructor('ran=1')()}}",
    "תפוח תותח",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

/// Closes the notices, which cover what stands at the bottom.
const CLOSE_NOTICES: &str =
    "for (const close of document.querySelectorAll('.toast [aria-label=\"Fechar aviso\"]')) close.click()";

/// A text that turns the direction of writing; what is stored has none.
const TURNED: &str = "\u{202e}gpj.exe";

/// The elements and attributes that no page of the panel makes, and what a hostile name would have done.
const RAN: &str = "return window.ran !== undefined
    || document.querySelector('img:not([src=\"/icon.svg\"]), script:not([src]), iframe, object, embed, [onerror], [onload], [onfocus], [style*=url], a[href^=javascript]') !== null
    || document.title.includes('<');";

/// A shop in which everything that people write has a hostile text, and the secret of its token.
fn shop() -> (Server, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut made = hortifruti(folder.path());
    made.args(["token", "new", AUTHOR, "--role", "escrita", "--token-file", "tokens"]);
    let made = run(&mut made, "");
    assert_eq!(made.code, 0, "{made:?}");
    let secret = made.out.trim_end().to_owned();
    let server = Server::start_in(folder, &["--empty", "--token-file", "tokens"]);
    let succeed = |args: &[&str]| {
        let ended = run(server.command(args).env("HORTIFRUTI_TOKEN", &secret), "");
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    };
    for (at, name) in NAMES.into_iter().enumerate() {
        let code = (at + 1).to_string();
        succeed(&["product", "new", name, "2,50", "--category", IMAGE, "--minimum", "100", "--code", &code]);
        let details = ["--total", "10,00", "--supplier", IMAGE, "--lot", IMAGE, "--expires", "amanhã"];
        succeed(&[&["buy", "10un", &code], &details[..]].concat());
        succeed(&["sell", "1un", &code, "--request-id", &format!("{AUTHOR}{at}")]);
        succeed(&["update", &code, "-1", "--reason", "perda", "--cause", "maduro", "--note", IMAGE]);
    }
    let [supplier, lot, note] = [64, 40, 200].map(|length| "W".repeat(length));
    succeed(&[
        "buy",
        "1un",
        "7",
        "--total",
        "1",
        "--supplier",
        &supplier,
        "--lot",
        &lot,
        "--expires",
        "amanhã",
    ]);
    succeed(&["update", "7", "-1", "--note", &note]);
    (server, secret)
}

#[test]
fn hostile_names_are_text_on_every_page() {
    let Some(browser) = Browser::start() else { return };
    let (server, secret) = shop();
    let long = "W".repeat(300);
    browser.open(server.port, "balcao");
    browser.see("dialog[open]", "token");
    browser.type_keys(&format!("{secret}{ENTER}"));
    browser.see(".tile", NAMES[3]);
    for size in [WIDE, NARROW] {
        browser.window(size, false);
        for page in PAGES {
            browser.go(page);
            match page {
                "balcao" => {
                    for name in NAMES {
                        browser.see(".tile", name);
                    }
                    // As lines, as hits, and in what is said of a sale and of what is not found.
                    browser.type_keys(&format!("1{ENTER}2{ENTER}7{ENTER}{F2}"));
                    browser.see(".toast", "registrada");
                    browser.type_keys(&format!("1{ENTER}3{ENTER}img src"));
                    browser.see(".hit", IMAGE);
                    browser.fill("#busca", &format!("<img src=y onerror=ran=1>{ENTER}"));
                    browser.see(".toast", "<img src=y");
                    for text in [TURNED, &long] {
                        browser.fill("#busca", &format!("{text}{ENTER}"));
                        browser.see(".toast", &text[3..]);
                    }
                    browser.fill("#busca", &format!("{ESCAPE}"));
                }
                "estoque" => {
                    browser.fill("#procura", &long);
                    browser.see(".empty", "Nenhum produto achado");
                    browser.fill("#procura", &format!("{ESCAPE}"));
                    browser.see(".grid-row", IMAGE);
                    browser.click(".row-open", IMAGE);
                    browser.see("dialog[open] h2", IMAGE);
                    browser.see("dialog[open] table", "venda");
                    browser.type_keys(&format!("{ESCAPE}"));
                    browser.see_no("dialog", "");
                }
                "movimentos" => {
                    // A browser lays out no row that is far below what is seen.
                    let loss = format!("maduro · {IMAGE}");
                    for (kind, text) in [("Ajustes", &long[..200]), ("Perdas", &loss), ("Todos", IMAGE)] {
                        browser.click(".chip", kind);
                        browser.see(".move", text);
                    }
                    browser.click(".move button", "Desfazer venda");
                    browser.see("dialog[open]", NAMES[6]);
                    browser.type_keys(&format!("{ESCAPE}"));
                    browser.see_no("dialog", "");
                }
                "contagem" => {
                    browser.see(".count-row", NAMES[6]);
                    for text in [TURNED, &long] {
                        browser.fill(".picker input", &format!("{text}{ENTER}"));
                        browser.see(".toast", &text[3..]);
                    }
                }
                "compras" => {
                    browser.see(".buying section", IMAGE);
                    browser.see(".buying section", &format!("lote {}", &long[..40]));
                    // The last purchase of a product is from a supplier, and so is this one.
                    browser.fill(".picker input", &format!("7{ENTER}"));
                    browser.see(".buy-line .stat", &long[..64]);
                    browser.fill(".buy-supplier input", TURNED);
                    browser.fill(".buy-line input", &format!("{long}{ENTER}{ENTER}"));
                    browser.see(".buy-line .field-error", &long);
                    browser.fill(".buy-line input", &format!("1{ENTER}1{ENTER}"));
                    browser.see(".buying table", NAMES[6]);
                    browser.run(CLOSE_NOTICES, json!([]));
                    browser.click("button", "Registrar compra");
                    browser.see(".toast", "fornecedor");
                    browser.run(CLOSE_NOTICES, json!([]));
                    browser.click("button", "Descartar");
                    browser.type_keys(&format!("{ENTER}"));
                    browser.see_no(".page-foot", "");
                }
                "relatorios" => {
                    for report in ["Vendas", "Compras", "Curva ABC", "Vence em breve", "Acabando"] {
                        browser.click(".chip", report);
                        browser.see(".report table", IMAGE);
                    }
                    browser.click(".chip", "Vendas");
                    browser.run(GROUP_BY, json!(["author"]));
                    browser.see(".report table", AUTHOR);
                    browser.click(".chip", "Compras");
                    browser.run(GROUP_BY, json!(["supplier"]));
                    browser.see(".report table", &long[..64]);
                    browser.run(GROUP_BY, json!(["product"]));
                }
                "importar" => {
                    let list = server.path().join("<img src=x onerror=ran=1>.csv");
                    let quoted = NAMES.map(|name| format!("\"{}y\",3.00,1,kg\n", name.replace('"', "\"\"")));
                    std::fs::write(&list, format!("nome,preco,estoque,unidade\n{}", quoted[..5].concat()))
                        .unwrap();
                    browser.choose_file("input[type=file]", &list);
                    browser.see(".changes", IMAGE);
                    let list = server.path().join(format!("{TURNED}{}.csv", &long[..200]));
                    let rows = format!("nome,preco\n{TURNED},1\n{long},{long}\n{IMAGE},{IMAGE}\n");
                    std::fs::write(&list, rows).unwrap();
                    browser.click("button", "Outro arquivo");
                    browser.drop_file(".drop", &list);
                    browser.see(".problem", &long[..200]);
                    browser.see(".problem-rows", "Linha 3");
                }
                _ => unreachable!("a page without its part here"),
            }
            assert_eq!(browser.run(RAN, json!([])), false, "{page}");
            assert_eq!(browser.run(TOO_WIDE, json!([])), json!([]), "{page} {size:?}");
        }
    }
    browser.assert_clean(&["status of 401", "status of 400"]);
}
