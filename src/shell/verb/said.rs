//! A word of the shell's own, and what is said with it.

use super::super::desk::{Desk, Stopped};
use crate::catalog::{Key, RequestId};
use crate::operation::phrase::{attributes, refuse_items};
use crate::operation::{Argument, Form};
use crate::refusal::Refusal;

/// A word of the shell's own.
pub(in crate::shell) struct Verb {
    pub(in crate::shell) form: Form,
    /// Does what the word says, with the text after it.
    pub(in crate::shell) run: fn(&mut dyn Desk, &Verb, &str) -> Result<(), Stopped>,
}

/// The text after a verb's word, cut into what comes before the attributes, and the attributes.
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    attributes: Vec<(&'static str, &'a str)>,
}

impl<'a> Said<'a> {
    pub(super) fn of(verb: &Verb, rest: &'a str) -> Result<Self, Refusal> {
        let names: Vec<&'static str> = verb.form.attribute_names().collect();
        let (text, attributes) = attributes(rest, &names)?;
        if matches!(verb.form.arguments, [Argument::Phrase | Argument::Phrases]) {
            refuse_items(rest, &attributes)?;
        }
        Ok(Self { text, attributes })
    }

    /// The value of an attribute, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// Every attribute that was given.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.attributes.iter().copied()
    }

    /// Whether the line says that it is meant, however odd it looks. One whose person or script
    /// gave an id may be a repetition, whose answer is the first one, whatever has changed since.
    pub(super) fn is_meant(&self) -> bool {
        self.get("id").is_some()
            || self.get("confirma").is_some_and(|value| Key::fold(value).as_str() == "sim")
    }

    pub(super) fn request_id(&self) -> Result<Option<RequestId>, Refusal> {
        self.get("id").map(|id| id.parse().map_err(|error| Refusal::request_id(&error))).transpose()
    }
}
