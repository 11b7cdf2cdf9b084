//! `contar` with a quantity before the name or with its unit, which the text protocol does not read.

use super::super::desk::{Desk, Stopped};
use super::items::{quantity, read_phrase};
use crate::operation::CountRequest;
use crate::operation::phrase::{Readings, attributes};

/// The text after `contar` as the text protocol reads it.
pub(in crate::shell) fn counted_line(desk: &mut dyn Desk, rest: String) -> Result<String, Stopped> {
    if CountRequest::parse(&rest).is_ok() {
        return Ok(rest);
    }
    let (text, said) = attributes(&rest, &["id"])?;
    let has_quantity = Readings::of(text, false)
        .is_ok_and(|readings| readings.phrases().iter().all(|phrase| phrase.measure.is_some()));
    if !has_quantity {
        return Ok(rest);
    }
    let (phrase, product) = read_phrase(desk, text, false, !said.is_empty())?;
    let counted = quantity(desk, phrase.measure, &product)?;
    let id = said.first().map_or(String::new(), |(name, value)| format!(" {name}={value}"));
    Ok(format!("{} {counted}{id}", phrase.name))
}
