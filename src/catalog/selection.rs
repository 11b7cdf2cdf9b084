//! The selection of the products that a list shows.

use super::key::Key;
use super::price::Price;
use super::product_view::ProductView;

/// Most words of a search: more than any name has.
pub const SEARCH_WORDS_MAX: usize = 16;

/// The cost of comparing the words of a name, in looks at a product.
const SEARCH_LOOKS: usize = 8;

/// A choice of the products that a list shows. By default a list shows all products that are sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only products up to this price.
    pub max_price: Option<Price>,
    /// Only products with a word in their name that begins with each of these. The words are folded as keys
    /// are, [`SEARCH_WORDS_MAX`] at most.
    pub words: Vec<String>,
    /// Only products of this category.
    pub category: Option<Key>,
    /// Only products with less stock than their minimum.
    pub is_low_only: bool,
    /// Whether products that are no longer sold are shown, too.
    pub has_discontinued: bool,
}

impl Selection {
    /// All products up to a price, or all.
    pub fn up_to(max_price: Option<Price>) -> Self {
        Self { max_price, ..Self::default() }
    }

    /// The folded words of a search text.
    pub fn words(text: &str) -> Vec<String> {
        words(Key::fold(text).as_str()).map(str::to_owned).collect()
    }

    /// The cost of checking one product, in looks at a product.
    pub(super) fn looks(&self) -> usize {
        if self.words.is_empty() { 0 } else { SEARCH_LOOKS }
    }

    /// Whether the list shows this product. The cursor checks the price.
    pub(super) fn takes(&self, view: ProductView<'_>) -> bool {
        if view.flags.is_discontinued() && !self.has_discontinued {
            return false;
        }
        if self.is_low_only && !view.is_low() {
            return false;
        }
        let is_of = |category: &Key| view.terms.category.as_ref().is_some_and(|own| own.key() == *category);
        if !self.category.as_ref().is_none_or(is_of) {
            return false;
        }
        self.words.is_empty() || has_words(view.name.key().as_str(), &self.words)
    }
}

/// Whether the name with this key has a word that begins with each of these.
pub(super) fn has_words(key: &str, wanted: &[String]) -> bool {
    wanted.iter().all(|wanted| words(key).any(|word| word.starts_with(wanted.as_str())))
}

/// The words of a key, separated by spaces and signs. `5,5` is one word.
fn words(key: &str) -> impl Iterator<Item = &str> {
    let is_between = |character: char| character.is_whitespace() || "-/()[].+\"'".contains(character);
    key.split(is_between).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_order_by_their_beginnings() {
        let has = |name: &str, text: &str| has_words(Key::fold(name).as_str(), &Selection::words(text));
        for text in ["tomate", "TOM ita", "ita tom", "itáliano", "a tom", "5,5", "aaa", "tomate-italiano"] {
            assert!(has("Tomate-italiano (AAA) 5,5 kg", text), "{text}");
        }
        for text in ["omate", "tomate cereja", "taliano", "5,6"] {
            assert!(!has("Tomate-italiano (AAA) 5,5 kg", text), "{text}");
        }
        assert_eq!(Selection::words(" - "), [""; 0]);
    }
}
