//! `GetProduct`: one product, by name.

use std::fmt;

use super::form::{Argument, Form};
use super::words::missing;
use crate::refusal::Refusal;

pub(super) static FORM: Form = Form {
    word: "1",
    shell_words: &["consultar"],
    arguments: &[Argument::Name],
    attributes: "",
    menu: Some("Consultar produto (NOME)"),
    help: "um produto",
    example: "1 Caju",
};

/// Reads the product's name.
pub(super) fn parse(rest: &str) -> Result<&str, Refusal> {
    if rest.is_empty() {
        return Err(missing("name", "o nome do produto", &FORM));
    }
    Ok(rest)
}

pub(super) fn write(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "{} {name}", FORM.word)
}
