//! A shop of ten thousand products: what the browser measures, printed and not judged.

use std::fmt::Write;

use serde_json::json;

use super::driver::Browser;
use crate::support::Server;

const PRODUCTS: usize = 10_000;

/// Notes the times from each key to the frame after it.
const TIME_KEYS: &str = "
    window.times = [];
    document.addEventListener('keydown', (event) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.times.push(performance.now() - event.timeStamp);
        requestAnimationFrame(() => port2.postMessage(null));
    }, { capture: true });";

/// Notes when the products are on the screen for the first time.
const TIME_LOADING: &str = "
    addEventListener('DOMContentLoaded', () => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { window.useful = performance.now(); };
        new MutationObserver((_, observer) => {
            if (!document.querySelector('.tile')) return;
            observer.disconnect();
            requestAnimationFrame(() => port2.postMessage(null));
        }).observe(document.body, { subtree: true, childList: true });
    });";

#[test]
fn ten_thousand_products_are_searched_by_any_words() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start(&["--empty"]);
    let mut list = "nome,preco,estoque,unidade\n".to_owned();
    for number in 0..PRODUCTS {
        let (fruit, kind) = (["Maçã", "Tomate", "Alface", "Uva"][number % 4], number / 4);
        writeln!(list, "{fruit} variedade {kind} do sítio {},3.50,100,kg", number % 97).unwrap();
    }
    std::fs::write(server.path().join("lista.csv"), list).unwrap();
    let ended = server.run(&["import", "lista.csv"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    browser.before_each_page(TIME_LOADING);
    browser.open(server.port, "balcao");
    let useful = browser.until("return window.useful ?? null", json!([]));
    let first = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";
    let first = browser.until(first, json!([]));
    for (page, field, row) in [("balcao", "#busca", ".hit"), ("estoque", "#procura", ".grid-row")] {
        browser.go(page);
        browser.run(TIME_KEYS, json!([]));
        browser.fill(field, "sitio 44 maca 1078");
        browser.see(row, "Maçã variedade 1078 do sítio 44");
        let times = browser.until("return window.times.length >= 18 && window.times", json!([]));
        let mut times: Vec<f64> =
            times.as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect();
        times.sort_by(f64::total_cmp);
        let (half, most) = (times[times.len() / 2], times.last().unwrap());
        println!("{page}: from key to screen {half:.0} ms, at most {most:.0} ms");
    }
    println!(
        "first paint {first:.0} ms, products on the screen {useful:.0} ms",
        first = first.as_f64().unwrap(),
        useful = useful.as_f64().unwrap()
    );
    // A list of ten thousand rows has only those that are seen.
    let rows = browser.run("return document.querySelectorAll('.grid-row').length", json!([]));
    assert!(rows.as_u64().unwrap() < 100, "{rows}");
    browser.assert_clean(&[]);
}
