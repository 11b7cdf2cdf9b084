//! Every page in light and dark colours, on a till's screen and on a phone: nothing is wider than the screen,
//! axe-core finds nothing, and `target/screenshots` has a picture of each.
//!
//! `HORTIFRUTI_PANEL_PNG=1` makes `docs/panel.png` again.

use std::fs;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::driver::{Browser, DOWN, ENTER, NARROW, TOO_WIDE, WIDE};
use super::{PAGES, shop};
use crate::support::{NEXT_LIST, Need, list, project};

/// The page that the README shows.
const SHOWN: &str = "balcao";

/// The script of axe-core, if it is installed.
static AXE: LazyLock<Option<String>> = LazyLock::new(|| {
    let script = fs::read_to_string(project().join("target/ci-node/node_modules/axe-core/axe.min.js")).ok();
    if script.is_none() {
        Need::Axe
            .skip("there is no axe-core in target/ci-node (npm install --prefix target/ci-node axe-core)");
    }
    script
});

/// What axe-core says of the page, one line a violation.
const VIOLATIONS: &str = "return axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`)));";

/// Fills a page as a person would.
fn fill(browser: &Browser, page: &str) {
    match page {
        "balcao" => {
            browser.type_keys(&format!(
                "1,25 tomate ita{ENTER}2 alface{ENTER}0,86 banana prata{ENTER}2100103012509{ENTER}"
            ));
            browser.see(".line:nth-child(4)", "Batata Lavada");
            browser.fill("#recebido", "50");
            browser.see(".ticket .back", "Troco");
            browser.run("document.querySelector('#busca').focus()", json!([]));
        }
        "estoque" => browser.see(".grid-row", "Tomate Italiano"),
        "movimentos" => browser.see(".move", "Maçã Gala"),
        "contagem" => {
            browser.fill("input[aria-label='Contado de Manga Palmer, em kg']", &format!("11,4{ENTER}"));
            browser.fill("input[aria-label='Contado de Banana Prata, em kg']", &format!("{DOWN}"));
            browser.see(".count-progress", "1 de 28");
        }
        "compras" => {
            browser.fill(".picker input", &format!("cenoura{ENTER}"));
            browser.type_keys(&format!("2cx=40kg{ENTER}96,00{ENTER}"));
            browser.see(".buy-total", "R$ 96,00");
            browser.fill(".picker input", &format!("morango{ENTER}"));
            browser.type_keys(&format!("24{ENTER}150,00"));
            browser.see(".buy-line .stat", "Margem");
        }
        "relatorios" => browser.see(".report .stat", "Vendas"),
        "importar" => {
            browser.choose_file("input[type=file]", &list(NEXT_LIST));
            browser.see(".changes", "ALHO");
        }
        _ => unreachable!("a page that is not filled"),
    }
}

/// Looks at the page as it stands, in both colours and both sizes. Keeps a picture of each, and returns what is
/// wrong.
pub(super) fn look(browser: &Browser, name: &str) -> Vec<String> {
    if let Some(axe) = &*AXE {
        browser.run(axe, json!([]));
    }
    let folder = project().join("target/screenshots");
    fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    for (width, size) in [("1280", WIDE), ("360", NARROW)] {
        for (colours, is_dark) in [("light", false), ("dark", true)] {
            browser.window(size, is_dark);
            let place = format!("{name}-{width}-{colours}");
            let mut note = |found: Value| {
                let found = found.as_array().unwrap().iter();
                wrong.extend(found.map(|what| format!("{place}: {}", what.as_str().unwrap())));
            };
            note(browser.run(TOO_WIDE, json!([])));
            if AXE.is_some() {
                note(browser.run(VIOLATIONS, json!([])));
            }
            let picture = browser.picture();
            fs::write(folder.join(format!("{place}.png")), &picture).unwrap();
            if std::env::var_os("HORTIFRUTI_PANEL_PNG").is_some() && place == format!("{SHOWN}-1280-light") {
                fs::write(project().join("docs/panel.png"), &picture).unwrap();
            }
        }
    }
    browser.window(WIDE, false);
    wrong
}

#[test]
fn the_field_with_the_focus_is_in_sight_on_a_low_screen() {
    let Some(browser) = Browser::start() else { return };
    let server = shop::with_history();
    browser.window((640, 350), false);
    browser.open(server.port, "contagem");
    browser.see(".count-row", "");
    browser.run("document.querySelector('.count-field input').focus()", json!([]));
    let is_seen = "const { x, y, width, height } = document.activeElement.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2) === document.activeElement;";
    for row in 1..=5 {
        browser.type_keys(&ENTER.to_string());
        browser.until("return [...document.querySelectorAll('.count-field input')].indexOf(document.activeElement) === arguments[0]", json!([row]));
        assert_eq!(browser.run(is_seen, json!([])), true, "row {row}");
    }
    browser.assert_clean(&[]);
}

#[test]
fn every_page_is_fit_to_be_seen() {
    let Some(browser) = Browser::start() else { return };
    let server = shop::with_history();
    browser.open(server.port, "balcao");
    browser.see(".tile", "Tomate");
    let mut wrong = Vec::new();
    let mut look = |name: &str| wrong.extend(look(&browser, name));
    for page in PAGES {
        browser.go(page);
        fill(&browser, page);
        look(page);
    }
    browser.go("relatorios");
    for report in
        ["Vendas", "Perdas", "Compras", "Margens", "Curva ABC", "Contagens", "Vence em breve", "Acabando"]
    {
        browser.click(".report-controls ~ .report, .chip", report);
        browser.see(".report h2", "");
        browser.until(
            "return document.querySelector('.report').getAttribute('aria-busy') === 'false'",
            json!([]),
        );
        look(&format!("relatorios-{}", report.to_lowercase().replace(' ', "-")));
    }
    browser.go("estoque");
    browser.click(".row-open", "Tomate Italiano");
    browser.see("dialog[open] table", "venda");
    look("produto");
    assert!(wrong.is_empty(), "{wrong:#?}");
    browser.assert_clean(&[]);
}
