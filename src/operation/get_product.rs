//! `GetProduct`: one product, by name.

use std::fmt;

use super::words::missing;
use super::{Argument, Form, Operation, Request};
use crate::refusal::Refusal;

pub(super) static FORMS: [Form; 1] = [Form {
    operation: Operation::GetProduct,
    word: "1",
    shell_words: &["consultar"],
    arguments: &[Argument::Name],
    attributes: "",
    menu: Some("Consultar produto (NOME)"),
    help: "um produto",
    parse,
}];

fn parse(rest: &str) -> Result<Request<'_>, Refusal> {
    if rest.is_empty() {
        return Err(missing("name", "o nome do produto", &FORMS[0]));
    }
    Ok(Request::GetProduct { name: rest })
}

pub(super) fn write(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "{} {name}", FORMS[0].word)
}
