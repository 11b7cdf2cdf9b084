//! The words of a line, and the refusals of lines that lack some.

use super::form::Form;
use crate::catalog::{Quantity, Quoted, RequestId};
use crate::refusal::Refusal;

/// Splits a line into its first word and the rest.
pub fn split_word(line: &str) -> (&str, &str) {
    let line = line.trim_matches([' ', '\t']);
    line.split_once([' ', '\t']).unwrap_or((line, ""))
}

/// Splits a line into the text before its last word, and the last word.
pub(super) fn split_last_word(line: &str) -> (&str, &str) {
    let line = line.trim_matches([' ', '\t']);
    let (before, word) = line.rsplit_once([' ', '\t']).unwrap_or(("", line));
    (before.trim_end_matches([' ', '\t']), word)
}

/// Reads a word as the attribute `id=ID`. Returns whether the word is such an attribute.
///
/// # Errors
/// If the id is invalid, or the line has more than one.
pub(super) fn read_request_id(word: &str, request_id: &mut Option<RequestId>) -> Result<bool, Refusal> {
    let Some(value) = word.strip_prefix("id=") else { return Ok(false) };
    let value = value.parse().map_err(|error| Refusal::request_id(&error))?;
    match request_id.replace(value) {
        Some(_) => Err(Refusal::invalid("request_id", "o atributo id= aparece duas vezes")),
        None => Ok(true),
    }
}

/// Reads the name and the quantity, which stand before the attributes. `word` is the last word, the quantity.
///
/// # Errors
/// If the name is missing, or the quantity is missing or wrong (`INVALID_ARGUMENT`, with the field; the
/// quantity's is `field`).
pub(super) fn name_and_quantity<'a>(
    name: &'a str,
    word: &str,
    field: &'static str,
    form: &Form,
) -> Result<(&'a str, Quantity), Refusal> {
    if word.is_empty() {
        return Err(missing("name", "o nome do produto e a quantidade", form));
    }
    if name.is_empty() {
        // A single word is a quantity without a name, or a name without a quantity.
        return Err(match word.parse::<Quantity>() {
            Ok(_) => missing("name", "o nome do produto", form),
            Err(_) => missing(field, "a quantidade", form),
        });
    }
    Ok((name, word.parse().map_err(|error| Refusal::quantity(field, &error))?))
}

/// The refusal of a line without a value for this field.
pub(super) fn missing(field: &'static str, what: &str, form: &Form) -> Refusal {
    Refusal::invalid(field, format!("falta {what}: o comando é {}", form.usage()))
}

/// # Errors
/// If a form that takes no arguments has some.
pub(super) fn check_nothing_follows(rest: &str, form: &Form) -> Result<(), Refusal> {
    if rest.is_empty() {
        return Ok(());
    }
    let what = format!("o comando {} não tem argumentos; recebido: {}", form.word, Quoted(rest));
    Err(Refusal::invalid("command", what))
}
