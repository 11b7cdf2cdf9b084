//! The panel in a real browser: headless Chromium, driven through chromedriver.

mod driver;
mod hostile_names;
mod live;
mod looks;
mod lost;
mod pages;
mod shop;
mod speed;
mod till;
mod tokens;

/// The pages of the panel, by the words of their addresses.
const PAGES: [&str; 7] = ["balcao", "estoque", "movimentos", "contagem", "compras", "relatorios", "importar"];
