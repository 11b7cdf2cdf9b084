//! `UndoMovement`: appends the opposite of a movement, once only.

use std::fmt;

use super::form::{Argument, Form};
use super::words::{missing, read_request_id, split_last_word};
use crate::catalog::{Movement, Note, Product, Quoted, RequestId};
use crate::refusal::Refusal;

pub(super) static FORM: Form = Form {
    word: "desfazer",
    shell_words: &[],
    arguments: &[Argument::Movement],
    attributes: "[id=PEDIDO]",
    menu: None,
    help: "estorna um movimento, com o documento inteiro dele",
    example: "desfazer 812",
};

/// A movement to undo as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The sequence number of the movement.
    pub sequence: i64,
    /// Whether to undo only this movement, and not its whole document.
    pub is_single: bool,
    /// The client's id for the undo.
    pub request_id: Option<RequestId>,
    /// A note for the movements that undo.
    pub note: Option<Note>,
    /// Whether only sales of the same author may be undone. Access control sets this for whoever may sell
    /// and nothing else.
    pub of_own_sales: bool,
}

/// A movement that was undone, now or before under the same request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The movement that was undone.
    pub undoes: i64,
    /// The product after the undo, with today's price.
    pub product: Product,
    /// The row of the ledger that undoes the movement.
    pub movement: Movement,
}

impl UndoRequest {
    /// An undo without a note.
    pub fn of(sequence: i64, is_single: bool, request_id: Option<RequestId>) -> Self {
        Self { sequence, is_single, request_id, note: None, of_own_sales: false }
    }

    /// Reads `SEQUENCE [id=ID]`.
    ///
    /// # Errors
    /// If a value is invalid: `INVALID_ARGUMENT` with the field.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut rest = text;
        let mut request_id = None;
        loop {
            let (before, word) = split_last_word(rest);
            if !read_request_id(word, &mut request_id)? {
                break;
            }
            rest = before;
        }
        if rest.is_empty() {
            return Err(missing(FIELD, "o número do movimento", &FORM));
        }
        Ok(Self::of(parse_sequence(rest)?, false, request_id))
    }
}

/// The field of the number in `inventory.proto`.
const FIELD: &str = "sequence";

/// Reads the number of a movement, written `812` or `#812`.
///
/// # Errors
/// If the number is invalid: `INVALID_ARGUMENT` with the field.
pub fn parse_sequence(text: &str) -> Result<i64, Refusal> {
    let text = text.trim_matches([' ', '\t']);
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).ok_or_else(|| {
        Refusal::invalid(FIELD, format!("{} não é o número de um movimento, como 812", Quoted(text)))
    })
}

impl fmt::Display for UndoRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single {
            // The text protocol has no form for this request.
            return write!(f, "estorno (só o movimento {})", self.sequence);
        }
        write!(f, "{} {}", FORM.word, self.sequence)?;
        self.request_id.as_ref().map_or(Ok(()), |request_id| write!(f, " id={request_id}"))
    }
}
