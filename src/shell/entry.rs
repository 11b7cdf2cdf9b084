//! The meaning of a line.

use super::menu::HELP_WORDS;
use crate::operation::{Form, Operation, form_by_word, split_word, unknown_command};
use crate::refusal::Refusal;

/// The meaning of a line.
pub(super) enum Entry {
    /// A command, with the text after it.
    Request(&'static Form, String),
    Help,
    Nothing,
    Unknown(Refusal),
    Leave,
}

impl Entry {
    /// Reads a line.
    pub(super) fn of(line: &str) -> Self {
        let (word, rest) = split_word(line);
        match (form_by_word(word), word.to_lowercase().as_str()) {
            (_, "") => Entry::Nothing,
            (_, word) if HELP_WORDS.contains(&word) => Entry::Help,
            (Some((Operation::Leave, _)), _) if rest.trim().is_empty() => Entry::Leave,
            (Some((_, form)), _) => Entry::Request(form, rest.trim().to_owned()),
            (None, _) => Entry::Unknown(unknown_command(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_asks_for() {
        assert!(matches!(Entry::of("  "), Entry::Nothing));
        assert!(matches!(Entry::of("AJUDA"), Entry::Help));
        assert!(matches!(Entry::of("sair"), Entry::Leave));
        assert!(matches!(Entry::of("5"), Entry::Leave));
        assert!(matches!(Entry::of("Até 8"), Entry::Request(Form { word: "2", .. }, rest) if rest == "8"));
        assert!(
            matches!(Entry::of("3 Caju -20"), Entry::Request(Form { word: "3", .. }, rest) if rest == "Caju -20")
        );
        assert!(matches!(Entry::of("vender tudo"), Entry::Unknown(_)));
    }
}
