//! Every word of the shell: those of the operations' forms, and its own.

use super::verb::{VERBS, Verb, verb_by_word};
use crate::catalog::{Key, nearest_word};
use crate::operation::{Argument, Form, Operation, form_by_word, sorted_forms};

/// The form of the help.
pub(super) static HELP: Form = Form {
    word: "ajuda",
    shell_words: &["help", "?"],
    arguments: &[Argument::OptionalCommand],
    attributes: "",
    menu: None,
    help: "todos os comandos, ou um só",
    example: "ajuda contar",
};

/// The meaning of a word of the shell.
#[derive(Clone, Copy)]
pub(super) enum Word {
    /// A form of an operation.
    Operation(Operation, &'static Form),
    /// A word of the shell's own.
    Verb(&'static Verb),
    /// The help.
    Help,
}

impl Word {
    /// The meaning of a word, without regard to case or accents.
    pub(super) fn of(word: &str) -> Option<Self> {
        let key = Key::fold(word);
        if HELP.words().any(|own| own == key.as_str()) {
            return Some(Word::Help);
        }
        if let Some(verb) = verb_by_word(word) {
            return Some(Word::Verb(verb));
        }
        form_by_word(word).map(|(operation, form)| Word::Operation(operation, form))
    }

    pub(super) fn form(self) -> &'static Form {
        match self {
            Word::Operation(_, form) => form,
            Word::Verb(verb) => &verb.form,
            Word::Help => &HELP,
        }
    }
}

/// Every form, digits first.
pub(super) fn forms() -> Vec<&'static Form> {
    let mut forms = sorted_forms();
    // A word of the shell's own stands before the form of the text protocol, of which it can more.
    forms.retain(|form| verb_by_word(form.word).is_none());
    forms.extend(VERBS.iter().map(|verb| &verb.form));
    forms.push(&HELP);
    forms.sort_by_key(|form| form.word);
    forms
}

/// The word that a person most likely meant.
pub(super) fn guess(typed: &str) -> Option<&'static str> {
    nearest_word(typed, forms().into_iter().flat_map(Form::words))
}
