//! Changes whose answers are lost: with the connection, with the server, with the page.

use super::driver::{Browser, ENTER, F2};
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
    proxy.lead_to(server.port);
    browser.see_no(".banner", "");
    wait_until("both are booked", || sold(&server, " venda ") == 3);
    assert_eq!(sold(&server, " venda Pera -3 "), 1);
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
