//! Changes whose answers are lost: with the connection, with the server, with the page.

use serde_json::json;

use super::driver::{Browser, CONTROL, ENTER, ESCAPE, F2};
use super::shop::set_products;
use crate::proxy::Proxy;
use crate::support::Server;
use crate::support::waiting::wait_until;

/// Requests without an answer are errors on the console of Chromium.
const LOST: [&str; 3] = ["net::ERR_", "Failed to load resource", "Failed to fetch"];

fn sold(server: &Server, text: &str) -> usize {
    server.connect().ask("historico limite=100").matches(text).count()
}

#[test]
fn a_sale_without_an_answer_is_booked_once() {
    let Some(browser) = Browser::start() else { return };
    let mut server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    browser.open(proxy.port(), "balcao");
    browser.see(".tile", "Caju");

    // The server books the sale and is killed before the till hears of it.
    proxy.swallow("BatchAdjustStock");
    browser.type_keys(&format!("2 caju{ENTER}{F2}"));
    wait_until("the sale is booked", || sold(&server, " venda Caju -2 ") == 1);
    server.kill();
    browser.see(".banner", "Uma mudança espera resposta");
    browser.see(".banner", "Venda de R$ 4,00");
    proxy.pass();
    server.restart();
    proxy.lead_to(server.port);
    browser.see(".toast", "Venda de R$ 4,00: feita.");
    browser.see_no(".banner", "");
    assert_eq!(sold(&server, " venda Caju -2 "), 1);
    browser.see(".tile", "Caju R$ 2,00 / un há 58 un");

    // A sale that is made while there is no server; the next customer is served meanwhile.
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.type_keys(&format!("3 pera{ENTER}{F2}"));
    browser.see(".toast", "a venda está guardada");
    browser.type_keys(&format!("4 maca{ENTER}{F2}"));
    browser.see(".banner", "2 mudanças esperam resposta");
    server.restart();
    // The customers have paid the prices of then.
    set_products(&server, &[&["Pera", "--price", "9,00"]]);
    proxy.lead_to(server.port);
    browser.see_no(".banner", "");
    wait_until("both are booked", || sold(&server, " venda ") == 3);
    assert_eq!(sold(&server, " venda Pera -3 saldo 12 R$15.0"), 1);
    assert_eq!(sold(&server, " venda Maca -4 "), 1);

    // A page that is loaded again before the answer goes on with what it had sent.
    proxy.swallow("BatchAdjustStock");
    browser.type_keys(&format!("5 caju{ENTER}{F2}"));
    wait_until("the sale is booked", || sold(&server, " venda Caju -5 ") == 1);
    proxy.pass();
    browser.reload();
    browser.see(".toast", "Venda de R$ 10,00: feita.");
    browser.see(".tile", "Caju R$ 2,00 / un há 53 un");
    assert_eq!(sold(&server, " venda Caju -5 "), 1);

    // A cart that is not sold yet is there again too.
    browser.type_keys(&format!("6 caju{ENTER}"));
    browser.see(".line", "Caju");
    browser.reload();
    browser.see(".ticket .total", "R$ 12,00");
    assert_eq!(sold(&server, " venda "), 4);
    browser.assert_clean(&LOST);
}

#[test]
fn sales_that_waited_and_are_refused_are_asked_about_one_by_one_and_outlive_the_page() {
    let Some(browser) = Browser::start() else { return };
    let mut server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    browser.open(proxy.port(), "balcao");
    browser.see(".tile", "Caju");
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.type_keys(&format!("15 pera{ENTER}{F2}"));
    browser.see(".toast", "a venda está guardada");
    browser.type_keys(&format!("20 maca{ENTER}{F2}"));
    browser.see(".banner", "2 mudanças esperam resposta");
    server.restart();
    // Another till sells meanwhile what these two have sold.
    for line in ["3 Pera -1 motivo=venda", "3 Maca -1 motivo=venda"] {
        assert!(server.connect().ask(line).contains("Estoque"));
    }
    set_products(&server, &[&["Pera", "--price", "9,00"], &["Maca", "--price", "4,00"]]);
    proxy.lead_to(server.port);
    browser.see("dialog[open]", "Uma venda guardada não foi feita");
    browser.see_no(".banner", "");
    browser.reload();
    browser.see("dialog[open]", "Uma venda guardada não foi feita");
    browser.click("dialog[open] button", "Descartar a venda");
    browser.see("dialog[open]", "Uma venda guardada não foi feita");
    browser.click("dialog[open] button", "Voltar ao balcão com ela");
    browser.see(".line", "Maca");
    browser.see_no("dialog", "");
    // The amount that was paid stands, until the quantity is another one.
    browser.see(".ticket .total", "R$ 60,00");
    browser.click(".line button", "Menos Maca");
    browser.see(".ticket .total", "R$ 76,00");
    assert_eq!(sold(&server, " venda "), 2);
    browser.assert_clean(&[&LOST[..], &["status of 400"]].concat());
}

#[test]
fn a_count_and_a_purchase_outlive_their_page() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    browser.open(proxy.port(), "compras");
    browser.until("return hortifruti.catalog.isLoaded", json!([]));

    // The page of a purchase is loaded again before the answer; the new price follows the purchase.
    browser.fill(".picker input", &format!("caju{ENTER}"));
    browser.see(".buy-name", "Caju");
    browser.type_keys(&format!("10{ENTER}15,00"));
    browser.click("label", "Novo preço");
    browser.type_keys(&format!("2,50{ENTER}"));
    browser.see(".buy-total", "R$ 15,00");
    proxy.swallow("BatchAdjustStock");
    browser.chord(CONTROL, ENTER);
    wait_until("the purchase is booked", || sold(&server, " compra Caju 10 ") == 1);
    proxy.pass();
    browser.reload();
    browser.see(".toast", "Compra de 1 produto registrada");
    browser.see_no(".page-foot", "");
    wait_until("the price follows", || server.connect().ask("1 caju") == "Caju: R$2.5, Estoque: 70");
    assert_eq!(sold(&server, " compra "), 1);

    // The tab of a count is closed before the answer: what was sent is kept in the browser.
    browser.go("contagem");
    browser.fill("input[aria-label='Contado de Caju, em un']", "69");
    proxy.swallow("CountStock");
    browser.chord(CONTROL, ENTER);
    wait_until("the count is booked", || sold(&server, " contagem Caju -1 ") == 1);
    proxy.pass();
    browser.run("sessionStorage.clear()", json!([]));
    browser.reload();
    browser.see(".notice", "A contagem foi enviada, e a página fechou antes da resposta.");
    assert_eq!(server.connect().ask("3 caju -1 motivo=venda"), "Caju: R$2.5, Estoque: 68");
    browser.click(".notice button", "Concluir e ver o resultado");
    browser.see("h1", "Contagem registrada");
    browser.see(".sheet", "Caju");
    assert_eq!(sold(&server, " contagem "), 1);
    assert_eq!(server.connect().ask("1 caju"), "Caju: R$2.5, Estoque: 68");
    browser.assert_clean(&LOST);
}

#[test]
fn a_count_is_of_the_moment_at_which_its_field_was_filled_in() {
    let Some(browser) = Browser::start() else { return };
    let mut server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let maca = "input[aria-label='Contado de Maca, em un']";
    // The clock of this tablet is ten minutes fast.
    let set_clock =
        |ahead: &str| format!("Date.now = () => performance.timeOrigin + performance.now() + {ahead};");
    browser.before_each_page(&set_clock("600000"));
    let follows = |sequence| {
        let script = "const { state, sequence } = window.hortifruti.live; return state === 'ligado' && sequence === arguments[0]";
        browser.until(script, json!([sequence]));
    };
    let send = || {
        browser.chord(CONTROL, ENTER);
        browser.see("h1", "Contagem registrada");
        browser.see(".empty-title", "Tudo confere.");
        browser.click("button", "Nova contagem");
        browser.see(maca, "");
    };
    browser.open(proxy.port(), "contagem");
    browser.see(maca, "");
    follows(4);
    // A page that is idle learns the time to the millisecond.
    let look = "return import('/api.js').then(async ({ askIdentity }) => { for (let turn = 0; turn < 9; turn += 1) await askIdentity(); })";
    browser.run(look, json!([]));

    // The page seems to be live and hears nothing, while another till sells.
    proxy.hold();
    assert!(server.connect().ask("3 Maca -5 motivo=venda").contains("Estoque: 15"));
    browser.fill(maca, &format!("15{ENTER}"));
    browser.see(".count-progress", "1 sem conexão");
    proxy.release();
    follows(5);
    send();
    assert_eq!(server.connect().ask("1 Maca"), "Maca: R$3.0, Estoque: 15");

    // Without a connection the field is placed by the time of the server.
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.fill(maca, &format!("15{ENTER}"));
    server.restart();
    assert!(server.connect().ask("3 Maca -5 motivo=venda").contains("Estoque: 10"));
    proxy.lead_to(server.port);
    follows(6);
    send();
    assert_eq!(server.connect().ask("1 Maca"), "Maca: R$3.0, Estoque: 10");

    // A time that came late was known within three seconds; a quicker answer corrects it, and nobody counts again.
    let late = "return import('/api.js').then(({ clock }) => { clock.ahead -= 2500; clock.within = 3000; })";
    browser.run(late, json!([]));
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.fill(maca, &format!("10{ENTER}"));
    server.restart();
    proxy.lead_to(server.port);
    follows(6);
    send();

    // A keeper who sets the clock meanwhile counts again.
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.fill(maca, &format!("9{ENTER}"));
    browser.run(&set_clock("0"), json!([]));
    server.restart();
    proxy.lead_to(server.port);
    follows(6);
    browser.chord(CONTROL, ENTER);
    browser.see(".toast", "conte de novo: Maca.");
    browser.until("return document.querySelector(arguments[0]).value === ''", json!([maca]));
    assert_eq!(server.connect().ask("1 Maca"), "Maca: R$3.0, Estoque: 10");
    browser.assert_clean(&LOST);
}

#[test]
fn changes_that_waited_are_made_in_their_order_and_no_refusal_is_overlooked() {
    let Some(browser) = Browser::start() else { return };
    let mut server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let set_price = |price: &str| {
        browser.click(".row-price", "Caju");
        browser.type_keys(&format!("{price}{ENTER}"));
        browser.see(".banner", &format!("Preço de Caju: R$ {price}"));
        browser.go("balcao");
        browser.go("estoque");
    };
    let is_answered = || browser.until("return sessionStorage['hortifruti.pending'] === '[]'", json!([]));
    browser.open(proxy.port(), "estoque");
    browser.see(".row-price", "Caju");
    browser.go("balcao");

    // Sales fill no more than a part of the page. A sale that waits says when it was made.
    server.kill();
    browser.see(".banner", "Sem conexão");
    let sell = |typed: &str, waiting: usize| {
        browser.type_keys(&format!("{typed}{ENTER}{F2}"));
        let are_kept = "return document.querySelectorAll('.banner-list li').length === arguments[0]";
        browser.until(are_kept, json!([waiting]));
    };
    for waiting in 1..=9 {
        sell("1 caju", waiting);
    }
    browser.until(
        "return document.querySelector('#busca').getBoundingClientRect().bottom < innerHeight / 2",
        json!([]),
    );
    sell("15 pera", 10);
    sell("20 maca", 11);
    browser.go("estoque");
    for price in ["2,10", "2,20", "2,30"] {
        set_price(price);
    }
    server.restart();
    for line in ["3 Pera -1 motivo=venda", "3 Maca -1 motivo=venda"] {
        assert!(server.connect().ask(line).contains("Estoque"));
    }
    proxy.lead_to(server.port);
    is_answered();
    assert_eq!(server.connect().ask("1 caju"), "Caju: R$2.3, Estoque: 51");
    let noted = server.run(&["history", "Caju", "--format", "json"]).out;
    assert_eq!(noted.matches(", sem servidor").count(), 9, "{noted}");

    // Neither a key nor another page throws a refused sale away.
    browser.see("dialog[open]", "Venda de R$ 75,00");
    browser.type_keys(&ESCAPE.to_string());
    browser.see("dialog[open]", "Venda de R$ 75,00");
    browser.type_keys(&ENTER.to_string());
    browser.see(".line", "Pera");
    browser.see("dialog[open]", "Venda de R$ 60,00");
    browser.type_keys(&ENTER.to_string());
    browser.see(".ticket .total", "R$ 135,00");

    // Other refusals wait for somebody who sees them, behind any number of notices.
    server.kill();
    browser.see(".banner", "Sem conexão");
    browser.go("estoque");
    set_price("2,40");
    server.restart();
    set_products(&server, &[&["Caju", "--price", "2,50"]]);
    assert_eq!(server.run(&["product", "rename", "Caju", "Caju Roxo"]).code, 0);
    proxy.lead_to(server.port);
    browser.see("dialog[open]", "Preço de Caju: R$ 2,40: Nenhum produto se chama");
    browser.reload();
    browser.click("dialog[open] button", "Entendi");
    browser.see_no("dialog", "");
    browser.assert_clean(&[&LOST[..], &["status of 400", "status of 404"]].concat());
}

#[test]
fn what_is_entered_while_an_answer_is_awaited_stays() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let caju = "input[aria-label='Contado de Caju, em un']";
    browser.open(proxy.port(), "contagem");

    // A product that is counted again is counted twice, also if the number is the same.
    browser.fill(caju, &format!("50{ENTER}"));
    proxy.swallow("CountStock");
    browser.chord(CONTROL, ENTER);
    browser.see(".banner", "Contagem de 1 produto");
    // The page that is open when the answer comes is another one.
    browser.go("balcao");
    browser.see(".tile", "Caju");
    browser.go("contagem");
    browser.see(caju, "");
    assert_eq!(server.connect().ask("3 caju -3 motivo=venda"), "Caju: R$2.0, Estoque: 47");
    browser.until("return hortifruti.live.sequence === 6", json!([]));
    browser.fill(caju, &format!("50{ENTER}"));
    proxy.pass();
    browser.see(".sheet", "50 un");
    browser.click("button", "Nova contagem");
    browser.until("return document.querySelector(arguments[0]).value === '50'", json!([caju]));
    // Another tab of this browser counts too.
    browser.run(
        "const draft = JSON.parse(localStorage['hortifruti.contagem']);
        draft.entries.Pera = { ...draft.entries.Caju, text: '14', thousandths: 14000 };
        localStorage['hortifruti.contagem'] = JSON.stringify(draft);
        window.dispatchEvent(new StorageEvent('storage'));",
        json!([]),
    );
    browser.see(".count-progress", "2 de 4");
    browser.click("button", "Enviar contagem");
    browser.see("h1", "Contagem registrada");
    assert_eq!(server.connect().ask("1 caju"), "Caju: R$2.0, Estoque: 50");
    assert_eq!(server.connect().ask("1 pera"), "Pera: R$5.0, Estoque: 14");

    // The field that has the focus while it is sent is not counted a second time by its end.
    browser.click("button", "Nova contagem");
    browser.fill(caju, "50");
    browser.chord(CONTROL, ENTER);
    browser.see("h1", "Contagem registrada");
    let entries = "return Object.keys(JSON.parse(localStorage['hortifruti.contagem']).entries).length === 0";
    browser.until(entries, json!([]));

    // What was counted in another unit is counted again.
    browser.click("button", "Nova contagem");
    browser.fill(caju, &format!("49{ENTER}"));
    set_products(&server, &[&["Caju", "--unit", "kg"]]);
    browser.click("button", "Enviar contagem");
    browser.see(".field-error", "se conta em kg, e não em un");

    // A line of the next purchase waits in its form.
    browser.go("compras");
    browser.fill(".picker input", &format!("banana{ENTER}"));
    browser.type_keys(&format!("10{ENTER}15,00{ENTER}"));
    browser.see(".buy-total", "R$ 15,00");
    proxy.swallow("BatchAdjustStock");
    browser.chord(CONTROL, ENTER);
    browser.see(".banner", "Compra de R$ 15,00");
    browser.go("balcao");
    browser.see(".tile", "Caju");
    browser.go("compras");
    browser.see(".sheet", "Banana");
    browser.fill(".picker input", &format!("pera{ENTER}"));
    browser.type_keys(&format!("5{ENTER}20,00{ENTER}"));
    browser.see(".toast", "A compra espera resposta.");
    proxy.pass();
    browser.see(".toast", "Compra de 1 produto registrada");
    browser.see_no(".sheet", "Banana");
    browser.click("button", "Pôr na compra");
    browser.see(".buy-total", "R$ 20,00");
    assert_eq!(server.connect().ask("1 banana"), "Banana: R$10.0, Estoque: 40");
    browser.assert_clean(&[&LOST[..], &["status of 400"]].concat());
}
