//! The panel in a real browser: headless Chromium, driven through chromedriver.

mod driver;
mod live;
mod lost;
mod speed;
mod till;
