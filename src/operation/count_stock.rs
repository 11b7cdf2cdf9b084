//! `CountStock`: sets stocks to the counted quantities, all or none.

use std::fmt;

use super::form::{Argument, Form};
use super::message_limit::{LargeMessages, MessageLimit};
use super::permission::Permission;
use super::words::{name_and_quantity, read_request_id, split_last_word};
use crate::catalog::{Note, Quantity, RequestId, Unit, counted};
use crate::refusal::Refusal;

/// The limit of a count: the most products, each with the longest name. A worker checks a kilobyte itself, as of
/// a batch.
pub(super) const MESSAGE: MessageLimit = MessageLimit {
    bytes_max: 512 * 1024,
    large: Some(LargeMessages { at_once_max: 64, worker_bytes_max: 1024 }),
};

pub(super) static FORM: Form = Form {
    word: "contar",
    shell_words: &[],
    arguments: &[Argument::Name, Argument::Counted],
    attributes: "[id=PEDIDO]",
    menu: None,
    help: "o estoque passa a ser o que foi contado",
    example: "contar Caju 57",
};

/// The field of the quantity in `inventory.proto`.
pub const COUNTED_FIELD: &str = "counted_thousandths";

/// Counts that a client sends together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRequest<'a> {
    /// The products that were counted, in order.
    pub counts: Vec<CountedName<'a>>,
    /// The client's id for all of them.
    pub request_id: Option<RequestId>,
    /// Whether the answer shows what was counted, and neither the stock before nor what differed. Access
    /// control sets this for whoever may count and not read.
    pub is_blind: bool,
    /// A note for the movements.
    pub note: Option<Note>,
}

/// A product that was counted, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedName<'a> {
    /// The product's name.
    pub name: &'a str,
    /// The quantity that was counted.
    pub counted: Quantity,
    /// The last movement before the count; 0 means that the count is of now.
    pub at_sequence: i64,
    /// The unit in which it was counted, if that was said.
    pub unit: Option<Unit>,
}

impl<'a> CountRequest<'a> {
    /// A count of one product, now.
    pub fn of_one(name: &'a str, counted: Quantity, request_id: Option<RequestId>) -> Self {
        Self {
            counts: vec![CountedName { name, counted, at_sequence: 0, unit: None }],
            request_id,
            is_blind: false,
            note: None,
        }
    }

    /// The permission that the counts need. A count of an earlier moment shows by its refusals what has
    /// happened since.
    pub fn permission(&self) -> Permission {
        let is_now = self.counts.iter().all(|count| count.at_sequence == 0);
        if is_now { Permission::Count } else { Permission::Write }
    }

    /// Reads `NAME QUANTITY [id=ID]`: the last word before the attribute is the quantity.
    ///
    /// # Errors
    /// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let mut rest = text;
        let mut request_id = None;
        loop {
            let (before, word) = split_last_word(rest);
            if !read_request_id(word, &mut request_id)? {
                let (name, counted) = name_and_quantity(before, word, COUNTED_FIELD, &FORM)?;
                return Ok(Self::of_one(name, counted, request_id));
            }
            rest = before;
        }
    }

    /// The only count, if the text protocol has a form for the request.
    pub fn single(&self) -> Option<&CountedName<'a>> {
        match &self.counts[..] {
            [count] if count.at_sequence == 0 && count.unit.is_none() && self.note.is_none() => Some(count),
            _ => None,
        }
    }
}

impl fmt::Display for CountRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(CountedName { name, counted, .. }) = self.single() else {
            return write!(f, "contagem ({})", counted(self.counts.len(), "produto", "produtos"));
        };
        write!(f, "{} {name} {counted}", FORM.word)?;
        self.request_id.as_ref().map_or(Ok(()), |request_id| write!(f, " id={request_id}"))
    }
}
