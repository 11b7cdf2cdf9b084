//! The meaning of a typed line.

use super::menu::unknown;
use super::verb::Verb;
use super::words::Word;
use crate::operation::{Form, Operation, split_word};
use crate::refusal::Refusal;

/// The meaning of a typed line.
pub(super) enum Entry {
    /// A command, with the text after it.
    Request(Operation, &'static Form, String),
    /// Digits alone that are no command, as a scanner types a product's code.
    Code(String),
    /// A word of the shell's own, with the text after it.
    Verb(&'static Verb, String),
    /// The help, of this word or of all.
    Help(String),
    Nothing,
    Unknown(Refusal),
    Leave,
}

impl Entry {
    /// Reads a line.
    pub(super) fn of(line: &str) -> Self {
        let (word, rest) = split_word(line);
        let rest = rest.trim();
        match Word::of(word) {
            _ if word.is_empty() => Entry::Nothing,
            Some(Word::Verb(verb)) => Entry::Verb(verb, rest.to_owned()),
            Some(Word::Help) => Entry::Help(rest.to_owned()),
            Some(Word::Operation(Operation::Leave, _)) if rest.is_empty() => Entry::Leave,
            Some(Word::Operation(operation, form)) => Entry::Request(operation, form, rest.to_owned()),
            None if rest.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => {
                Entry::Code(word.to_owned())
            }
            None => Entry::Unknown(unknown(word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_asks_for() {
        assert!(matches!(Entry::of("  "), Entry::Nothing));
        assert!(matches!(Entry::of("AJUDA"), Entry::Help(word) if word.is_empty()));
        assert!(matches!(Entry::of("? contar"), Entry::Help(word) if word == "contar"));
        for leave in ["sair", "5", "quit", "Exit"] {
            assert!(matches!(Entry::of(leave), Entry::Leave), "{leave}");
        }
        assert!(matches!(Entry::of("Até 8"), Entry::Request(_, Form { word: "2", .. }, rest) if rest == "8"));
        assert!(
            matches!(Entry::of("3 Caju -20"), Entry::Request(_, Form { word: "3", .. }, rest) if rest == "Caju -20")
        );
        assert!(matches!(Entry::of("Vender 2 Caju"), Entry::Verb(verb, _) if verb.form.word == "vender"));
        assert!(matches!(Entry::of(" 7891234567895 "), Entry::Code(code) if code == "7891234567895"));
        assert!(matches!(Entry::of("xyz tudo"), Entry::Unknown(_)));
    }
}
