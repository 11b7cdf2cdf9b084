//! Sources of lines, and the questions that they answer.

use std::io;

use crate::catalog::Quantity;
use crate::operation::{Argument, ProductReply};

/// A source of lines: a person, or a pipe.
pub(super) trait LineSource {
    /// The next line, as the answer to this question.
    fn next(&mut self, question: Question) -> io::Result<Input>;
    /// Whether a person is there to answer questions.
    fn is_person(&self) -> bool;
    /// Whether the last line ended within pasted text, behind which more lines may wait.
    fn is_pasted(&self) -> bool {
        false
    }
    /// Puts back a line of a person, which then answers the next question for a command.
    fn put_back(&mut self, _line: String) {}
    /// The words by which a script says that a change is meant, however odd it looks.
    fn meant_by(&self) -> &'static str {
        "confirma=sim"
    }
}

/// An answer of a source of lines.
pub(super) enum Input {
    Line(String),
    /// Ctrl-C: the line is dropped.
    Dropped,
    End,
}

/// A question to the source of lines.
#[derive(Debug, Clone)]
pub(super) enum Question {
    Command,
    /// A question in these words.
    Free {
        prompt: String,
        expected: Expected,
    },
    /// For an argument that is missing.
    Argument(Argument),
    /// The question for the movement to undo, if an empty answer means this shell's last change.
    LastChange(String),
    /// The question for the counted quantity of this product.
    Counted(ProductReply),
    /// The choice between two readings of a number.
    Reading {
        thousands: Quantity,
        units: Quantity,
    },
}

/// The kind of text that may stand at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A whole command.
    Command,
    /// A product's name alone.
    Name,
    /// A quantity and a product's name.
    Phrase,
    /// The reason of a change.
    Reason,
    /// Nothing that can be completed.
    Nothing,
}

impl Question {
    pub(super) fn prompt(&self) -> String {
        match self {
            Question::Command => "Digite sua escolha: ".to_owned(),
            Question::Free { prompt, .. } => prompt.clone(),
            Question::Argument(argument) => format!("{}: ", argument.question()),
            Question::Counted(ProductReply { name, stock, unit, .. }) => {
                let unit = unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
                format!("{} ({name} tem {}{unit}): ", Argument::Counted.question(), stock.with_comma())
            }
            Question::LastChange(last) => {
                format!("{} (Enter desfaz a última mudança: {last}): ", Argument::Movement.question())
            }
            Question::Reading { thousands, units } => {
                // The number is written in the Brazilian way, and has no second reading.
                let units = units.to_string().replace('.', ",");
                format!(
                    "Você quer dizer {thousands} ou {units}? Digite um dos dois (vazio ou Ctrl-C desiste): "
                )
            }
        }
    }

    /// The kind of text that Tab completes in the answer.
    pub(super) fn expected(&self) -> Expected {
        match self {
            Question::Command => Expected::Command,
            Question::Free { expected, .. } => *expected,
            Question::Argument(Argument::Name) => Expected::Name,
            Question::Argument(_)
            | Question::Counted(_)
            | Question::LastChange(_)
            | Question::Reading { .. } => Expected::Nothing,
        }
    }
}
