//! The elements of an XML document, one after the other, within limits and without entities of its own.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use quick_xml::Reader;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};

use super::document::{INVOICE_BYTES_MAX, INVOICE_DEPTH_MAX};
use super::error::InvoiceError;

/// The signs that XML itself writes as entities.
const ENTITIES: [(&str, char); 5] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];

/// The text of a file. One that is not UTF-8 is of an old program, which wrote Windows-1252 whatever it says.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, InvoiceError> {
    if bytes.len() > INVOICE_BYTES_MAX {
        return Err(InvoiceError::TooLong);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text.strip_prefix('\u{FEFF}').unwrap_or(text))),
        // Reads UTF-16 as well, if the file begins with its mark.
        Err(_) => Ok(WINDOWS_1252.decode(bytes).0),
    }
}

/// A receiver of elements.
pub(super) trait Sink {
    /// An element begins, with this attribute if it has one that is asked for. `path` ends with its own name.
    ///
    /// # Errors
    /// If the document is none that the sink takes.
    fn begin(&mut self, path: &[String], attribute: Option<String>) -> Result<(), InvoiceError>;

    /// An element ends, with its own text.
    ///
    /// # Errors
    /// If the document is none that the sink takes.
    fn end(&mut self, path: &[String], text: &str) -> Result<(), InvoiceError>;
}

/// Gives all elements to a sink. Of attributes only `wanted` ones are read, one for each element.
pub(super) fn visit(text: &str, wanted: &[&str], sink: &mut impl Sink) -> Result<(), InvoiceError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut own = String::new();
    let mut roots = 0;
    loop {
        let event = reader.read_event();
        let here = || fault_at(text, reader.error_position().max(reader.buffer_position()));
        match event.map_err(|_| here())? {
            Event::Start(start) => {
                if path.is_empty() {
                    roots += 1;
                }
                if path.len() == INVOICE_DEPTH_MAX {
                    return Err(InvoiceError::TooDeep);
                }
                path.push(start.local_name().as_ref().to_owned());
                own.clear();
                sink.begin(&path, attribute(&start, wanted).map_err(|_| here())?)?;
            }
            Event::End(_) => {
                sink.end(&path, own.trim())?;
                path.pop();
                own.clear();
            }
            Event::Text(text) => own.push_str(&text.xml10_content()),
            Event::CData(text) => own.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let sign = match entity.resolve_char_ref().map_err(|_| here())? {
                    Some(sign) => sign,
                    None => entity_of(&entity.into_inner())?,
                };
                own.push(sign);
            }
            Event::DocType(_) => return Err(InvoiceError::Entities),
            Event::Eof if path.is_empty() && roots == 1 => return Ok(()),
            Event::Eof => return Err(InvoiceError::NotXml("acaba antes do fim".to_owned())),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn attribute(start: &BytesStart<'_>, wanted: &[&str]) -> Result<Option<String>, AttrError> {
    for name in wanted {
        if let Some(found) = start.try_get_attribute(name)? {
            return Ok(Some(found.value.as_ref().to_owned()));
        }
    }
    Ok(None)
}

fn entity_of(name: &str) -> Result<char, InvoiceError> {
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, sign)| *sign).ok_or(InvoiceError::Entities)
}

/// The fault of a document that ends there or goes on wrong. The library says more, but in English.
fn fault_at(text: &str, position: u64) -> InvoiceError {
    let bytes = text.as_bytes();
    let read = usize::try_from(position).map_or(bytes, |position| &bytes[..position.min(bytes.len())]);
    if read.trim_ascii_end().len() == bytes.trim_ascii_end().len() {
        return InvoiceError::NotXml("acaba antes do fim".to_owned());
    }
    let line = memchr::memchr_iter(b'\n', read).count() + 1;
    InvoiceError::NotXml(format!("há um erro na linha {line}"))
}
