//! `contar` with a quantity before the name, with its unit or without any, which the text protocol does not read.

use super::super::desk::{Desk, Stopped};
use super::items::{quantity, read_phrase};
use crate::client::ClientError;
use crate::operation::CountRequest;
use crate::operation::phrase::{Readings, attributes};
use crate::refusal::Code;

/// The text after `contar` as the text protocol reads it.
pub(in crate::shell) fn counted_line(desk: &mut dyn Desk, rest: String) -> Result<String, Stopped> {
    if CountRequest::parse(&rest).is_ok() {
        return Ok(rest);
    }
    let (text, said) = attributes(&rest, &["id"])?;
    let has_quantity = Readings::of(text, false)
        .is_ok_and(|readings| readings.phrases().iter().all(|phrase| phrase.measure.is_some()));
    if !has_quantity && (!desk.is_person() || text.is_empty()) {
        return Ok(rest);
    }
    let (phrase, product) = match read_phrase(desk, text, false, !said.is_empty()) {
        // A person who may only count sees no stock, and gets the usual error.
        Err(Stopped::Failed(ClientError::Refused(refusal)))
            if !has_quantity && refusal.code == Code::Unauthenticated =>
        {
            return Ok(rest);
        }
        found => found?,
    };
    let counted = quantity(desk, phrase.measure, &product)?;
    let id = said.first().map_or(String::new(), |(name, value)| format!(" {name}={value}"));
    Ok(format!("{} {counted}{id}", phrase.name))
}
