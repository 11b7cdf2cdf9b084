//! Two browsers at one shop see each other's changes, and one that leaves and comes back sees them again.

use serde_json::{Value, json};

use super::driver::{Browser, ENTER, F2};
use crate::support::Server;

/// Notes when a text appears in the page: `window.seen` is the time in milliseconds since 1970.
const WATCH: &str = "
    const [selector, text] = arguments;
    const isThere = () => [...document.querySelectorAll(selector)].some((node) => node.innerText.replace(/\\s+/g, ' ').includes(text));
    window.seen = null;
    const look = () => { if (window.seen === null && isThere()) window.seen = performance.timeOrigin + performance.now(); };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });";

/// Notes when a key is pressed.
const WATCH_KEY: &str = "
    document.addEventListener('keydown', (event) => {
        if (event.key === arguments[0]) window.pressed = performance.timeOrigin + event.timeStamp;
    }, { capture: true });";

fn milliseconds(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn two_browsers_see_each_others_changes() {
    let Some(till) = Browser::start() else { return };
    let Some(office) = Browser::start() else { return };
    let server = Server::start(&[]);
    till.open(server.port, "balcao");
    office.open(server.port, "estoque");
    till.see(".tile", "Caju R$ 2,00 / un há 60 un");
    office.see(".grid-row", "Caju");

    // A sale at the till.
    office.run(WATCH, json!([".grid-row", "58 un"]));
    till.run(WATCH_KEY, json!(["F2"]));
    till.type_keys(&format!("2 caju{ENTER}{F2}"));
    let seen = office.until("return window.seen", json!([]));
    let sale = milliseconds(&seen) - milliseconds(&till.run("return window.pressed", json!([])));

    // A new price from the office.
    till.run(WATCH, json!([".tile", "Caju R$ 2,75"]));
    office.run(WATCH_KEY, json!(["Enter"]));
    office.click(".grid-row button", "preço de Caju");
    office.type_keys(&format!("2,75{ENTER}"));
    let seen = till.until("return window.seen", json!([]));
    let price = milliseconds(&seen) - milliseconds(&office.run("return window.pressed", json!([])));

    println!("from one screen to the other: a sale {sale:.0} ms, a price {price:.0} ms");
    assert_eq!(server.connect().ask("1 caju"), "Caju: R$2.75, Estoque: 58");
    for browser in [till, office] {
        browser.assert_clean(&[]);
    }
}

#[test]
fn pages_that_were_left_leave_the_browser_its_connections() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&[]);
    // A browser opens six connections to one server.
    for _ in 0..8 {
        browser.open(server.port, "estoque");
        browser.see(".grid-row", "Caju");
        browser.until("return window.hortifruti.live.state === 'ligado'", json!([]));
        browser.leave();
    }
    browser.assert_clean(&[]);
}
