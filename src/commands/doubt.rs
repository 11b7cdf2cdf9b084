//! Changes that look like a slip: a person is asked about them, and a script says `--yes`.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Error;
use super::output::note;
use crate::refusal::{Code, Refusal};

/// Asks a person whether something that looks like a slip is meant. Without a person, it is refused unless the
/// command line says that it is meant.
pub(super) fn confirm(odd: &str, is_meant: bool) -> Result<(), Error> {
    if is_meant {
        return Ok(());
    }
    if !can_ask() {
        let what = format!("{odd}. Parece engano, e nada foi feito; se for isso mesmo, repita com --yes.");
        return Err(Refusal::new(Code::InvalidArgument, what).into());
    }
    if ask(&format!("{odd}. É isso mesmo? [s/N] ")) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, "a mudança não foi confirmada. Nada foi alterado.").into())
}

/// Whether somebody is there to answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Puts a question, of which only yes is an answer.
pub(super) fn ask(question: &str) -> bool {
    matches!(answer(question).unwrap_or_default().to_lowercase().as_str(), "s" | "sim")
}

/// Puts a question, and returns the answer without spaces around it. `None` if there is none, as after Ctrl-D.
pub(super) fn answer(question: &str) -> Option<String> {
    let mut answer = String::new();
    let asked = write!(io::stderr(), "{question}").and_then(|()| io::stdin().lock().read_line(&mut answer));
    if !answer.ends_with('\n') {
        // The cursor is still on the line of the question after Ctrl-D.
        note("");
    }
    (asked.is_ok_and(|length| length > 0)).then(|| answer.trim().to_owned())
}
