//! The forms of operations as text: lines of the text protocol, which the shell reads too.

use super::{OPERATIONS, Operation, Request};
use crate::refusal::Refusal;

/// A line that asks for an operation.
pub struct Form {
    /// The operation that is written.
    pub operation: Operation,
    /// The first word of the line in the text protocol.
    pub word: &'static str,
    /// More words for the shell. Completion offers the first.
    pub shell_words: &'static [&'static str],
    /// The arguments that must follow the word.
    pub arguments: &'static [Argument],
    /// The attributes that may follow the arguments, as a usage line shows them.
    pub attributes: &'static str,
    /// The line of the original's menu. `None` if the original did not have this form.
    pub menu: Option<&'static str>,
    /// The effect of the form, for the shell's help.
    pub help: &'static str,
    /// Reads what follows the word.
    pub(super) parse: for<'a> fn(&'a str) -> Result<Request<'a>, Refusal>,
}

/// An argument of a form: what the shell asks for if it is missing, and what completion offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The name of a product.
    Name,
    /// The highest price of a list.
    MaxPrice,
    /// A quantity with its sign.
    Quantity,
}

impl Argument {
    /// The argument's word in a usage line.
    pub fn placeholder(self) -> &'static str {
        match self {
            Argument::Name => "NOME",
            Argument::MaxPrice => "PRECO_MAXIMO",
            Argument::Quantity => "QUANTIDADE",
        }
    }
}

impl Form {
    /// The form that the shell knows by this word, without regard to case.
    pub fn by_word(word: &str) -> Option<&'static Self> {
        let word = word.to_lowercase();
        forms().find(|form| form.words().any(|own| own == word))
    }

    /// Every word that the shell knows the form by.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.word].into_iter().chain(self.shell_words.iter().copied())
    }

    /// The words that completion offers.
    pub fn offered_words(&self) -> impl Iterator<Item = &'static str> {
        self.words().take(2)
    }

    /// Reads what follows the word.
    ///
    /// # Errors
    /// If it does not fit the form (`INVALID_ARGUMENT`).
    pub fn parse<'a>(&self, rest: &'a str) -> Result<Request<'a>, Refusal> {
        (self.parse)(rest.trim_matches([' ', '\t']))
    }

    /// The form with this word in place of its own: `atualizar NOME QUANTIDADE`.
    pub fn usage_with(&self, word: &str) -> String {
        self.arguments.iter().fold(word.to_owned(), |usage, argument| usage + " " + argument.placeholder())
    }

    /// The form without attributes: `3 NOME QUANTIDADE`.
    pub fn short_usage(&self) -> String {
        self.usage_with(self.word)
    }

    /// The whole form: `3 NOME QUANTIDADE [id=PEDIDO] [motivo=MOTIVO]`.
    pub fn usage(&self) -> String {
        format!("{} {}", self.short_usage(), self.attributes).trim_end().to_owned()
    }
}

/// Every form, in the order of the table.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    OPERATIONS.iter().flat_map(|spec| spec.forms)
}

/// Every form, in the order of its words: digits first.
pub fn sorted_forms() -> Vec<&'static Form> {
    let mut sorted: Vec<_> = forms().collect();
    sorted.sort_by_key(|form| form.word);
    sorted
}

/// The forms of the original, in the order of its menu.
pub fn menu() -> Vec<&'static Form> {
    sorted_forms().into_iter().filter(|form| form.menu.is_some()).collect()
}
