//! The questions that complete a command: for missing arguments, and for the right one of two readings of a
//! quantity.

use std::io;

use super::entry::Entry;
use super::report::note;
use super::source::{Input, LineSource, Question};
use crate::catalog::Quantity;
use crate::operation::{Argument, COUNTED_FIELD, Form};
use crate::refusal::Refusal;

/// The result of [`complete`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completed {
    /// The command, with this text after its word.
    Command(String),
    /// The person dropped the command.
    Dropped,
    /// The person leaves.
    End,
}

/// Asks for the missing arguments of a command. If a pipe ends, the command stays incomplete.
pub(super) fn complete(lines: &mut impl LineSource, form: &Form, rest: String) -> io::Result<Completed> {
    let mut rest = rest;
    if rest.is_empty() {
        for argument in form.arguments.iter().filter(|argument| !argument.is_optional()) {
            match lines.next(Question::Argument(*argument))? {
                Input::Line(line) if lines.is_person() && line.trim().is_empty() => return Ok(drop_command()),
                Input::Line(line) => rest = format!("{rest} {}", line.trim()).trim_start().to_owned(),
                Input::Dropped => return Ok(Completed::Dropped),
                Input::End if lines.is_person() => return Ok(Completed::End),
                Input::End => break,
            }
        }
    }
    if has_quantity(form) && lines.is_person() {
        return ask_back(lines, form, rest);
    }
    Ok(Completed::Command(rest))
}

/// A Brazilian reads `1.000` as one thousand, and this program as one.
fn ask_back(lines: &mut impl LineSource, form: &Form, rest: String) -> io::Result<Completed> {
    let Some((before, delta, after)) = split_delta(form, &rest) else { return Ok(Completed::Command(rest)) };
    let Some((thousands, units)) = Quantity::two_readings(delta) else { return Ok(Completed::Command(rest)) };
    loop {
        let line = match lines.next(Question::Reading { thousands, units })? {
            Input::Line(line) => line,
            Input::Dropped => return Ok(Completed::Dropped),
            Input::End => return Ok(Completed::End),
        };
        let answer = line.trim();
        // The answer may be written in any way that has only one reading.
        let meant = answer.parse().ok().filter(|_| Quantity::two_readings(answer).is_none());
        if let Some(meant) = meant.filter(|meant| [thousands, units].contains(meant)) {
            return Ok(Completed::Command(format!("{before}{meant}{after}")));
        }
        if answer.is_empty() || matches!(Entry::of(answer), Entry::Leave) {
            return Ok(drop_command());
        }
    }
}

/// Drops a command, because a person gave an empty answer to its question.
fn drop_command() -> Completed {
    note("Nada foi enviado.");
    Completed::Dropped
}

/// Refuses a quantity with two readings, because a pipe cannot be asked which one is meant.
pub(super) fn refuse_two_readings(form: &Form, rest: &str) -> Option<Refusal> {
    let (_, delta, _) = split_delta(form, rest).filter(|_| has_quantity(form))?;
    let field = match form.arguments.contains(&Argument::Counted) {
        true => COUNTED_FIELD,
        false => "delta_thousandths",
    };
    let (thousands, units) = Quantity::two_readings(delta)?;
    Some(Refusal::two_readings(field, delta, thousands, units))
}

fn has_quantity(form: &Form) -> bool {
    form.arguments.iter().any(|argument| matches!(argument, Argument::Quantity | Argument::Counted))
}

/// Splits the text of a change: the part before the quantity, the quantity, and the attributes after it.
fn split_delta<'r>(form: &Form, rest: &'r str) -> Option<(&'r str, &'r str, &'r str)> {
    let delta = rest.split([' ', '\t']).rfind(|word| !word.is_empty() && !form.is_attribute(word))?;
    let start = delta.as_ptr().addr() - rest.as_ptr().addr();
    let (before, from_delta) = rest.split_at(start);
    let (delta, after) = from_delta.split_at(delta.len());
    Some((before, delta, after))
}

#[cfg(test)]
mod tests {
    use super::super::piped::Piped;
    use super::*;
    use crate::operation::form_by_word;

    #[test]
    fn the_quantity_of_a_change_stands_before_its_attributes() {
        let (_, change) = form_by_word("3").unwrap();
        assert_eq!(
            split_delta(change, "Caju 5.000 5.000 id=lote-5.000 motivo=perda"),
            Some(("Caju 5.000 ", "5.000", " id=lote-5.000 motivo=perda"))
        );
        assert_eq!(split_delta(change, "id=a"), None);
    }

    #[test]
    fn a_number_alone_reads_what_it_needs_from_the_next_lines() {
        let mut lines = Piped("Caju\n-20\n".as_bytes());
        assert_eq!(
            complete(&mut lines, form_by_word("3").unwrap().1, String::new()).unwrap(),
            Completed::Command("Caju -20".into())
        );
        assert_eq!(
            complete(&mut lines, form_by_word("1").unwrap().1, String::new()).unwrap(),
            Completed::Command(String::new())
        );
        assert_eq!(
            complete(&mut lines, form_by_word("4").unwrap().1, String::new()).unwrap(),
            Completed::Command(String::new())
        );
    }
}
