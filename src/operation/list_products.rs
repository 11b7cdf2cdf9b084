//! `ListProducts`: every product, or those up to a price.

use std::fmt;

use super::form::{Argument, Form};
use super::words::{check_nothing_follows, missing};
use crate::catalog::{Category, Price, SEARCH_WORDS_MAX, Selection};
use crate::refusal::Refusal;

/// The text reply to a list without products.
pub const NO_PRODUCT: &str = "Nenhum produto encontrado.";

pub(super) static UP_TO_PRICE: Form = Form {
    word: "2",
    shell_words: &["ate"],
    arguments: &[Argument::MaxPrice],
    attributes: "",
    menu: Some("Consultar produtos (PRECO MAXIMO)"),
    help: "os produtos até um preço",
    example: "2 8,50",
};

pub(super) static ALL: Form = Form {
    word: "4",
    shell_words: &["listar"],
    arguments: &[],
    attributes: "",
    menu: Some("Listar todos os produtos"),
    help: "todos os produtos",
    example: "4",
};

/// Reads the highest price of the list.
pub(super) fn parse_up_to_price(rest: &str) -> Result<Price, Refusal> {
    const FIELD: &str = "max_price_centavos";
    if rest.is_empty() {
        return Err(missing(FIELD, "o preço máximo", &UP_TO_PRICE));
    }
    rest.parse().map_err(|error| Refusal::price(FIELD, &error))
}

pub(super) fn parse_all(rest: &str) -> Result<(), Refusal> {
    check_nothing_follows(rest, &ALL)
}

/// The products that a client asks for. The default is all that are sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProductsRequest<'a> {
    /// Only products up to this price.
    pub max_price: Option<Price>,
    /// Only products with these words in their names, which may be empty.
    pub search: &'a str,
    /// Only products of this category, unless it is empty.
    pub category: &'a str,
    /// Only products with less stock than their minimum.
    pub is_low_only: bool,
    /// Whether products that are no longer sold are shown, too.
    pub has_discontinued: bool,
}

impl ProductsRequest<'_> {
    /// All products up to a price, or all.
    pub fn up_to(max_price: Option<Price>) -> Self {
        Self { max_price, ..Self::default() }
    }

    /// Whether more is asked for than the text protocol can ask for.
    pub fn is_filtered(&self) -> bool {
        *self != Self::up_to(self.max_price)
    }

    /// The choice of the products.
    ///
    /// # Errors
    /// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
    pub fn selection(&self) -> Result<Selection, Refusal> {
        let Self { max_price, search, category, is_low_only, has_discontinued } = *self;
        let words = Selection::words(search);
        if words.len() > SEARCH_WORDS_MAX {
            let what = format!("a busca tem {} palavras; o limite é {SEARCH_WORDS_MAX}", words.len());
            return Err(Refusal::invalid("search", what));
        }
        let category = match category {
            "" => None,
            text => Some(Category::parse(text).map_err(|error| Refusal::invalid("category", error))?.key()),
        };
        Ok(Selection { max_price, words, category, is_low_only, has_discontinued })
    }
}

impl fmt::Display for ProductsRequest<'_> {
    /// Writes the line. The filters have no words in the text protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_price {
            Some(price) => write!(f, "{} {price}", UP_TO_PRICE.word),
            None => f.write_str(ALL.word),
        }
    }
}
