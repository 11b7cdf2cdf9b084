//! `ListMovements`: movements, newest first.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::form::{Argument, Form};
use super::movement_reply::MovementReply;
use super::words::split_last_word;
use crate::catalog::{Author, Kind, Quoted};
use crate::refusal::Refusal;

/// The text reply if no movement matches.
pub const NO_MOVEMENT: &str = "Nenhum movimento encontrado.";

/// The most movements on a page: 150 KiB as lines.
pub const PAGE_MOVEMENTS_MAX: usize = 1000;

/// The movements on a page if a gRPC client gives no size.
pub const PAGE_MOVEMENTS_DEFAULT: usize = 100;

/// The movements of a list if a person gives no limit: a screenful.
pub const LISTED_MOVEMENTS_DEFAULT: usize = 20;

/// The version of the page tokens.
const PAGE_TOKEN_PREFIX: &str = "v1:";

pub(super) static FORM: Form = Form {
    word: "historico",
    shell_words: &[],
    arguments: &[Argument::OptionalName],
    attributes: "[limite=N] [antes=NUMERO]",
    menu: None,
    help: "os movimentos, do último para trás",
    example: "historico Caju limite=5",
};

/// The movements that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementsRequest<'a> {
    /// The name of the only product to include. `None` for all products.
    pub name: Option<&'a str>,
    /// The only kind to include. `None` for all kinds.
    pub kind: Option<Kind>,
    /// The only author to include. `None` for all authors.
    pub author: Option<Author>,
    /// The first moment to include.
    pub since: Option<SystemTime>,
    /// The first moment after the period.
    pub until: Option<SystemTime>,
    /// The number of the movement to end before.
    pub before: Option<i64>,
    /// The most movements to return.
    pub count_max: usize,
}

/// Movements, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementsReply {
    /// The movements: fewer than were asked for if the filters match few, or none.
    pub movements: Vec<MovementReply>,
    /// The token of the next page, if there may be one.
    pub next_page_token: Option<String>,
}

impl Default for MovementsRequest<'_> {
    fn default() -> Self {
        Self {
            name: None,
            kind: None,
            author: None,
            since: None,
            until: None,
            before: None,
            count_max: LISTED_MOVEMENTS_DEFAULT,
        }
    }
}

impl<'a> MovementsRequest<'a> {
    /// Reads `[NAME] [limite=N] [antes=SEQUENCE]`.
    ///
    /// # Errors
    /// If an attribute is wrong or repeated (`INVALID_ARGUMENT`, with the field).
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let mut rest = text;
        let (mut count_max, mut before) = (None, None);
        loop {
            let (name, word) = split_last_word(rest);
            if let Some(value) = word.strip_prefix("limite=") {
                if count_max.replace(value).is_some() {
                    return Err(Refusal::invalid("page_size", "o atributo limite= aparece duas vezes"));
                }
            } else if let Some(value) = word.strip_prefix("antes=") {
                if before.replace(value).is_some() {
                    return Err(Refusal::invalid("page_token", "o atributo antes= aparece duas vezes"));
                }
            } else {
                break;
            }
            rest = name;
        }
        Self::of_page(rest, count_max, before)
    }

    /// The request for this many movements of the product with this name, or of all if it is empty, before one.
    ///
    /// # Errors
    /// If a value cannot be (`INVALID_ARGUMENT`, with the field).
    pub fn of_page(name: &'a str, count_max: Option<&str>, before: Option<&str>) -> Result<Self, Refusal> {
        let count_max = count_max.map(|value| {
            let count = value.parse().ok().filter(|count| (1..=PAGE_MOVEMENTS_MAX).contains(count));
            count.ok_or_else(|| bad_count(value))
        });
        let before = before.map(|value| {
            let before = value.parse().ok().filter(|sequence| *sequence > 0);
            before.ok_or_else(|| bad_before(value))
        });
        let name = Some(name).filter(|name| !name.is_empty());
        let count_max = count_max.transpose()?.unwrap_or(LISTED_MOVEMENTS_DEFAULT);
        Ok(Self { name, before: before.transpose()?, count_max, ..Self::default() })
    }

    /// The token of the page of movements before the one with this number.
    pub fn page_token(&self, before: i64) -> String {
        let micros = |time: Option<SystemTime>| {
            let time = time.map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default());
            time.map_or(String::new(), |time| time.as_micros().to_string())
        };
        let kind = self.kind.map_or("", Kind::word);
        let author = self.author.as_ref().map_or(String::new(), |author| format!(" por {author}"));
        let (since, until, name) = (micros(self.since), micros(self.until), self.name.unwrap_or(""));
        format!("{PAGE_TOKEN_PREFIX}{before}:{kind}{author}:{since}:{until}:{name}")
    }

    /// The request for the page of this token.
    ///
    /// # Errors
    /// If no server of ours gave the token for this request (`INVALID_ARGUMENT`).
    pub fn at_page(mut self, token: &str) -> Result<Self, Refusal> {
        let before = token
            .strip_prefix(PAGE_TOKEN_PREFIX)
            .and_then(|token| token.split(':').next())
            .and_then(|before| before.parse().ok())
            .filter(|before| *before > 0 && self.page_token(*before) == token);
        let wrong = || {
            let what = "page_token não é deste histórico; use o next_page_token da página anterior, com os mesmos filtros";
            Refusal::invalid("page_token", what)
        };
        self.before = Some(before.ok_or_else(wrong)?);
        Ok(self)
    }
}

fn bad_count(value: &str) -> Refusal {
    let what = format!("{} inválido; use de 1 a {PAGE_MOVEMENTS_MAX}", Quoted(&format!("limite={value}")));
    Refusal::invalid("page_size", what)
}

fn bad_before(value: &str) -> Refusal {
    let word = format!("antes={value}");
    let what = format!("{} inválido; use o número de um movimento, sem #, como antes=812", Quoted(&word));
    Refusal::invalid("page_token", what)
}

impl fmt::Display for MovementsRequest<'_> {
    /// Writes the line, without kind and period, which have no words in the text protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORM.word)?;
        if let Some(name) = self.name {
            write!(f, " {name}")?;
        }
        if self.count_max != LISTED_MOVEMENTS_DEFAULT {
            write!(f, " limite={}", self.count_max)?;
        }
        if let Some(before) = self.before {
            write!(f, " antes={before}")?;
        }
        Ok(())
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
            ("historico", "historico"),
            ("historico  alho nacional tipo 5 ", "historico alho nacional tipo 5"),
            ("historico Caju antes=812 limite=3", "historico Caju limite=3 antes=812"),
            ("historico limite=1000", "historico limite=1000"),
            ("historico antes=1 Caju", "historico antes=1 Caju"),
        ] {
            assert_eq!(Request::parse(line).unwrap().to_string(), written);
        }
        for line in [
            "limite=0",
            "limite=1001",
            "limite=",
            "antes=0",
            "antes=#812",
            "antes=-1",
            "limite=1 limite=1",
            "Caju antes=1 antes=1",
        ] {
            assert_eq!(MovementsRequest::parse(line).unwrap_err().code, Code::InvalidArgument, "{line}");
        }
    }

    #[test]
    fn a_page_token_belongs_to_its_request() {
        let request = MovementsRequest {
            name: Some("a:b"),
            kind: Some(Kind::Sale),
            since: Some(UNIX_EPOCH),
            ..MovementsRequest::default()
        };
        let token = request.page_token(7);
        assert_eq!(request.clone().at_page(&token).unwrap().before, Some(7));
        let by = MovementsRequest { author: "balcao".parse().ok(), ..request.clone() };
        assert_eq!(by.clone().at_page(&by.page_token(7)).unwrap().before, Some(7));
        let others = [
            MovementsRequest { name: None, ..request.clone() },
            MovementsRequest { kind: None, ..request.clone() },
            MovementsRequest { author: "balcao".parse().ok(), ..request.clone() },
            MovementsRequest { until: request.since, ..request.clone() },
        ];
        for (request, token) in others.map(|other| (other, token.clone())).into_iter().chain([
            (request.clone(), "x".to_owned()),
            (request.clone(), request.page_token(0)),
            (request.clone(), request.page_token(-1)),
            (request.clone(), token.replace("v1:7", "v1:07")),
        ]) {
            let refusal = request.at_page(&token).unwrap_err();
            assert_eq!(refusal.metadata, [("field", "page_token".to_owned())], "{token}");
        }
    }
}
