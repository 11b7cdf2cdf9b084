//! `Leave`: the end of the conversation. No gRPC call, because a gRPC client just goes.

use std::fmt;

use super::words::check_nothing_follows;
use super::{Form, Operation, Request};
use crate::refusal::Refusal;

/// The text reply to a client that leaves.
pub const FAREWELL: &str = "Até logo.";

pub(super) static FORMS: [Form; 1] = [Form {
    operation: Operation::Leave,
    word: "5",
    shell_words: &["sair"],
    arguments: &[],
    attributes: "",
    menu: Some("Sair"),
    help: "sai (também Ctrl-D)",
    parse,
}];

fn parse(rest: &str) -> Result<Request<'_>, Refusal> {
    check_nothing_follows(rest, &FORMS[0])?;
    Ok(Request::Leave)
}

pub(super) fn write(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(FORMS[0].word)
}
