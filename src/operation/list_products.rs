//! `ListProducts`: every product, or those up to a price.

use std::fmt;

use super::form::{Argument, Form};
use super::words::{check_nothing_follows, missing};
use crate::catalog::Price;
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

pub(super) fn write(f: &mut fmt::Formatter<'_>, max_price: Option<Price>) -> fmt::Result {
    match max_price {
        Some(price) => write!(f, "{} {price}", UP_TO_PRICE.word),
        None => f.write_str(ALL.word),
    }
}
