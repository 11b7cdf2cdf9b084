//! `Leave`: the end of the conversation. There is no gRPC call, because a gRPC client just closes its
//! connection.

use std::fmt;

use super::form::Form;
use super::words::check_nothing_follows;
use crate::refusal::Refusal;

/// The text reply to a client that leaves.
pub const FAREWELL: &str = "Até logo.";

pub(super) static FORM: Form = Form {
    word: "5",
    shell_words: &["sair", "quit", "exit"],
    arguments: &[],
    attributes: "",
    menu: Some("Sair"),
    help: "sai (também Ctrl-D)",
    example: "sair",
};

pub(super) fn parse(rest: &str) -> Result<(), Refusal> {
    check_nothing_follows(rest, &FORM)
}

pub(super) fn write(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(FORM.word)
}
