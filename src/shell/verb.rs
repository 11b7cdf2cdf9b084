//! The shell's own words, which put several operations together: each with its form and what it does.

mod buy;
mod change;
mod count;
mod history;
mod items;
mod reports;
mod said;
mod search;
mod sell;
mod stock_reports;
mod terms;
mod undo;
mod waste;

use crate::catalog::Key;
pub(super) use change::{CHANGE, asked_change};
pub(super) use count::{asked_count, counted_line};
pub(super) use said::Verb;
pub use sell::check_item_count;

/// Every word of the shell's own.
pub(super) static VERBS: &[Verb] = &[
    sell::VERB,
    buy::VERB,
    waste::VERB,
    undo::VERB,
    history::VERB,
    reports::TODAY,
    reports::YESTERDAY,
    reports::CLOSING,
    reports::SALES,
    reports::LOSSES,
    reports::PURCHASES,
    reports::MARGINS,
    reports::ABC,
    reports::COUNTS,
    stock_reports::LOW,
    stock_reports::EXPIRING,
    stock_reports::TRACE,
    search::VERB,
    terms::PRICE,
    terms::NEW,
    terms::SET,
    terms::RENAME,
    terms::RETIRE,
    terms::RESTORE,
    terms::MERGE,
];

/// The verb with this word, without regard to case or accents.
pub(super) fn verb_by_word(word: &str) -> Option<&'static Verb> {
    let key = Key::fold(word);
    VERBS.iter().find(|verb| verb.form.words().any(|own| own == key.as_str()))
}
