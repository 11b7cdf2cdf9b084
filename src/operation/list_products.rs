//! `ListProducts`: every product, or those up to a price.

use std::fmt;

use super::words::{check_nothing_follows, missing};
use super::{Argument, Form, Operation, Request};
use crate::catalog::Price;
use crate::refusal::Refusal;

/// The text reply to a list without products.
pub const NO_PRODUCT: &str = "Nenhum produto encontrado.";

pub(super) static FORMS: [Form; 2] = [UP_TO_PRICE, ALL];

const UP_TO_PRICE: Form = Form {
    operation: Operation::ListProducts,
    word: "2",
    shell_words: &["ate", "até"],
    arguments: &[Argument::MaxPrice],
    attributes: "",
    menu: Some("Consultar produtos (PRECO MAXIMO)"),
    help: "os produtos até um preço",
    parse: parse_up_to_price,
};

const ALL: Form = Form {
    operation: Operation::ListProducts,
    word: "4",
    shell_words: &["listar"],
    arguments: &[],
    attributes: "",
    menu: Some("Listar todos os produtos"),
    help: "todos os produtos",
    parse: parse_all,
};

fn parse_up_to_price(rest: &str) -> Result<Request<'_>, Refusal> {
    const FIELD: &str = "max_price_centavos";
    if rest.is_empty() {
        return Err(missing(FIELD, "o preço máximo", &UP_TO_PRICE));
    }
    let max_price = rest.parse().map_err(|error| Refusal::price(FIELD, &error))?;
    Ok(Request::ListProducts { max_price: Some(max_price) })
}

fn parse_all(rest: &str) -> Result<Request<'_>, Refusal> {
    check_nothing_follows(rest, &ALL)?;
    Ok(Request::ListProducts { max_price: None })
}

pub(super) fn write(f: &mut fmt::Formatter<'_>, max_price: Option<Price>) -> fmt::Result {
    match max_price {
        Some(price) => write!(f, "{} {price}", UP_TO_PRICE.word),
        None => f.write_str(ALL.word),
    }
}
