//! `WatchMovements`: movements as they become durable.

use std::fmt;

use super::form::{Argument, Form};
use super::movement_reply::MovementReply;
use super::product_reply::ProductReply;
use super::words::split_last_word;
use crate::catalog::Quoted;
use crate::refusal::Refusal;

/// The line of the text protocol that says that nothing has happened for a while.
pub const HEARTBEAT_LINE: &str = ".";

pub(super) static FORM: Form = Form {
    word: "acompanhar",
    shell_words: &[],
    arguments: &[Argument::OptionalName],
    attributes: "[apos=NUMERO]",
    menu: None,
    help: "os movimentos, assim que são gravados",
    example: "acompanhar apos=812",
};

/// The movements that a client wants to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRequest<'a> {
    /// The name of the only product to include. `None` for all products.
    pub name: Option<&'a str>,
    /// The number of the movement to begin after. `None` for the last one.
    pub after: Option<i64>,
}

/// An event of a watched shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// A movement is durable.
    Movement(MovementReply),
    /// A product was created, or its terms changed.
    Product(ProductReply),
    /// Nothing has happened for a while. The number of the last movement so far.
    Heartbeat(i64),
}

/// The field of the number in `inventory.proto`.
const FIELD: &str = "after_sequence";

impl<'a> WatchRequest<'a> {
    /// Reads `[NAME] [apos=SEQUENCE]`.
    ///
    /// # Errors
    /// If the attribute is wrong or repeated (`INVALID_ARGUMENT`, with the field).
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let (mut rest, mut after) = (text, None);
        loop {
            let (name, word) = split_last_word(rest);
            let Some(value) = word.strip_prefix("apos=") else { break };
            let value = value.parse().ok().filter(|sequence| *sequence >= 0);
            if after.replace(value.ok_or_else(|| bad_after(word))?).is_some() {
                return Err(Refusal::invalid(FIELD, "o atributo apos= aparece duas vezes"));
            }
            rest = name;
        }
        Ok(Self { name: Some(rest).filter(|name| !name.is_empty()), after })
    }

    /// The number to begin after, if the last movement has this number.
    ///
    /// # Errors
    /// If there is no such movement yet (`INVALID_ARGUMENT`, with the field and the last number).
    pub fn begin(&self, last_sequence: i64) -> Result<i64, Refusal> {
        let Some(after) = self.after else { return Ok(last_sequence) };
        if (0..=last_sequence).contains(&after) {
            return Ok(after);
        }
        let what = match after {
            ..0 => format!("{after} não é o número de um movimento; use 0 para começar do primeiro"),
            _ => format!(
                "o movimento #{after} não existe: o último é #{last_sequence}. Se o número veio deste servidor, o \
                 banco de dados dele foi trocado por outro mais antigo"
            ),
        };
        let mut refusal = Refusal::invalid(FIELD, what);
        refusal.metadata.push(("last_sequence", last_sequence.to_string()));
        Err(refusal)
    }
}

fn bad_after(word: &str) -> Refusal {
    let what = format!("{} inválido; use o número de um movimento, sem #, como apos=812", Quoted(word));
    Refusal::invalid(FIELD, what)
}

impl fmt::Display for WatchRequest<'_> {
    /// Writes the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORM.word)?;
        if let Some(name) = self.name {
            write!(f, " {name}")?;
        }
        self.after.map_or(Ok(()), |after| write!(f, " apos={after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Request;
    use crate::refusal::Code;

    #[test]
    fn the_line_reads_back_as_it_was_written() {
        for (line, written) in [
            ("acompanhar", "acompanhar"),
            ("acompanhar  apos=0 ", "acompanhar apos=0"),
            ("acompanhar alho nacional\tapos=812", "acompanhar alho nacional apos=812"),
            ("acompanhar apos=1 Caju", "acompanhar apos=1 Caju"),
        ] {
            assert_eq!(Request::parse(line).unwrap().to_string(), written);
        }
        for line in ["apos=", "apos=-1", "apos=#812", "Caju apos=x", "apos=1 apos=1"] {
            let refusal = WatchRequest::parse(line).unwrap_err();
            assert_eq!(refusal.metadata, [("field", FIELD.to_owned())], "{line}");
        }
    }

    #[test]
    fn a_number_that_is_not_there_yet_is_refused_with_the_last_one() {
        let begin = |after| WatchRequest { name: None, after }.begin(7);
        assert_eq!([None, Some(0), Some(7)].map(begin), [Ok(7), Ok(0), Ok(7)]);
        for after in [-1, 8, i64::MAX, i64::MIN] {
            let refusal = begin(Some(after)).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidArgument);
            assert!(refusal.metadata.contains(&("last_sequence", "7".to_owned())), "{refusal:?}");
        }
    }
}
