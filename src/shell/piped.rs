//! Commands from a pipe.

use std::io::{self, BufRead, Write};

use super::entry::Entry;
use super::last_change::LastChange;
use super::menu::help_text;
use super::questions::{Completed, complete, refuse_two_readings};
use super::report::{report, show};
use super::source::{Input, LineSource, Question};
use crate::client::{Client, ClientError};
use crate::operation::{Form, Reply, Request};
use crate::refusal::Refusal;

/// The first failure of a script's commands, which becomes the script's result.
pub(super) type FirstFailure = Option<ClientError>;

/// Runs the commands, and shows only their replies, without a prompt or a menu.
pub(super) fn run(client: &mut Client) -> io::Result<FirstFailure> {
    let mut lines = Piped(io::stdin().lock());
    let mut out = io::stdout().lock();
    let mut first_failure = None;
    let mut last = LastChange::default();
    while let Input::Line(line) = lines.next(Question::Command)? {
        let failure = match Entry::of(&line) {
            Entry::Nothing => None,
            Entry::Leave => break,
            Entry::Help(word) => match help_text(&word) {
                Ok(help) => {
                    out.write_all(help.as_bytes())?;
                    None
                }
                Err(refusal) => refused(refusal),
            },
            Entry::Unknown(refusal) => refused(refusal),
            Entry::Request(form, rest) => match complete(&mut lines, form, rest, &last)? {
                Completed::Command(rest) => {
                    let answer = match refuse_two_readings(form, &rest) {
                        Some(refusal) => Err(refusal.into()),
                        None => ask(client, form, &rest, &mut last),
                    };
                    show(&mut out, answer)?
                }
                Completed::Dropped | Completed::End => None,
            },
        };
        let is_broken = matches!(failure, Some(ClientError::Connection(_)));
        first_failure = first_failure.or(failure);
        if is_broken {
            // The server is gone; each further command would wait as long in vain.
            break;
        }
    }
    out.flush()?;
    Ok(first_failure)
}

fn refused(refusal: Refusal) -> FirstFailure {
    report(&refusal);
    Some(ClientError::Refused(refusal))
}

/// Sends a command. If its answer is lost, the error contains the line that finishes the change.
fn ask(client: &mut Client, form: &Form, rest: &str, last: &mut LastChange) -> Result<Reply, ClientError> {
    let line = form.line(rest);
    let mut request = Request::parse(&line)?;
    let answer = client.call(&request);
    last.note(&request, &answer);
    answer.map_err(|error| {
        error.with_again(|request_id| {
            if let Some(own) = request.request_id_mut() {
                *own = Some(request_id.clone());
            }
            format!("para concluí-la sem fazê-la duas vezes, repita a linha assim: {request}")
        })
    })
}

/// The lines of a pipe.
pub(super) struct Piped<R>(pub(super) R);

impl<R: BufRead> LineSource for Piped<R> {
    fn next(&mut self, _: Question) -> io::Result<Input> {
        let mut line = Vec::new();
        if self.0.read_until(b'\n', &mut line)? == 0 {
            return Ok(Input::End);
        }
        // The first line may begin with a byte order mark, which some programs write.
        let line = line.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(&line);
        // Bytes that are not UTF-8 become a control character, which every command refuses.
        let line = std::str::from_utf8(line).map_or_else(
            |_| String::from_utf8_lossy(line).replace(char::REPLACEMENT_CHARACTER, "\0"),
            str::to_owned,
        );
        Ok(Input::Line(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn is_person(&self) -> bool {
        false
    }
}
