//! Commands from a pipe.

use std::io::{self, BufRead, Write};

use super::desk::{Desk, Stopped};
use super::entry::Entry;
use super::last_change::LastChange;
use super::live::show_live;
use super::menu::help_text;
use super::questions::{Completed, complete, refuse_two_readings};
use super::report::{note, product_made, report};
use super::source::{Input, LineSource, Question};
use super::verb::counted_line;
use crate::client::{Client, ClientError};
use crate::operation::{Operation, Reply, Request};
use crate::platform::terminal::piped_text;
use crate::render::{Format, change_lines, render};

/// The first failure of a script's commands, which becomes the script's result.
pub(super) type FirstFailure = Option<ClientError>;

/// Runs the commands, and shows only their replies, without a prompt or a menu.
pub(super) fn run(client: &mut Client) -> io::Result<FirstFailure> {
    let mut pipe = Pipe { lines: Piped(io::stdin().lock()), client, last: LastChange::default() };
    let mut first_failure = None;
    while let Input::Line(line) = pipe.next(Question::Command)? {
        let failure = match pipe.obey(Entry::of(&line)) {
            Ok(()) | Err(Stopped::Dropped) => None,
            Err(Stopped::Failed(error)) => {
                report(&error);
                Some(error)
            }
            Err(Stopped::End) => break,
            Err(Stopped::Io(error)) => return Err(error),
        };
        let is_broken = matches!(failure, Some(ClientError::Connection(_)));
        first_failure = first_failure.or(failure);
        if is_broken {
            // The server is gone; each further command would wait as long in vain.
            break;
        }
    }
    io::stdout().flush()?;
    Ok(first_failure)
}

/// A pipe, with a server behind.
struct Pipe<'c, R> {
    lines: Piped<R>,
    client: &'c mut Client,
    last: LastChange,
}

impl<R: BufRead> Pipe<'_, R> {
    fn obey(&mut self, entry: Entry) -> Result<(), Stopped> {
        match entry {
            Entry::Nothing => Ok(()),
            Entry::Leave => Err(Stopped::End),
            Entry::Help(word) => Ok(io::stdout().write_all(help_text(&word)?.as_bytes())?),
            Entry::Unknown(refusal) => Err(refusal.into()),
            Entry::Code(code) => {
                let product = (self as &mut dyn Desk).product_by_code(&code)?;
                Ok(self.show(&Reply::Product(product))?)
            }
            Entry::Verb(verb, rest) => (verb.run)(self, verb, &rest),
            Entry::Request(operation, form, rest) => {
                let Completed::Command(rest) = complete(&mut self.lines, form, rest)? else {
                    return Ok(());
                };
                if let Some(refusal) = refuse_two_readings(form, &rest) {
                    return Err(refusal.into());
                }
                let rest = if operation == Operation::CountStock { counted_line(self, rest)? } else { rest };
                let line = form.line(&rest);
                let request = Request::parse(&line)?;
                if let Request::WatchMovements(request) = &request {
                    return Ok(show_live(self.client, request, Format::Text)??);
                }
                self.send(&request, |with_id| with_id.to_string())
            }
        }
    }

    /// Sends a request, and shows its answer. If the answer is lost, the error says how `line` writes the
    /// request with its id, so that it can be finished.
    fn send(&mut self, request: &Request<'_>, line: impl Fn(&Request<'_>) -> String) -> Result<(), Stopped> {
        let answer = self.client.call(request);
        self.last.note(request, &answer);
        let answer = answer.map_err(|error| {
            error.with_again(|request_id| {
                let mut request = request.clone();
                if let Some(own) = request.request_id_mut() {
                    *own = Some(request_id.clone());
                }
                format!("para concluí-la sem fazê-la duas vezes, repita a linha assim: {}", line(&request))
            })
        });
        let reply = answer?;
        let reply = product_made(request, &reply).map_or(reply, Reply::Product);
        Ok(self.show(&reply)?)
    }
}

impl<R: BufRead> LineSource for Pipe<'_, R> {
    fn next(&mut self, question: Question) -> io::Result<Input> {
        self.lines.next(question)
    }

    fn is_person(&self) -> bool {
        false
    }
}

impl<R: BufRead> Desk for Pipe<'_, R> {
    fn ask(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        self.client.call(request)
    }

    fn make(&mut self, request: &Request<'_>, line: &str) -> Result<(), Stopped> {
        self.send(request, |with_id| match with_id.clone().request_id_mut() {
            Some(Some(id)) => format!("{line} id={id}"),
            _ => line.to_owned(),
        })
    }

    fn last_change(&self) -> Option<(i64, String)> {
        self.last.movement()
    }

    fn show(&mut self, reply: &Reply) -> io::Result<()> {
        let mut out = io::stdout().lock();
        render(&mut out, reply, Format::Text)?;
        out.flush()?;
        change_lines(reply).iter().for_each(|line| note(line));
        Ok(())
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        note(text);
        Ok(())
    }
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
        // Bytes that are no text become a control character, which every command refuses.
        let line = std::str::from_utf8(line).map_or_else(
            |_| {
                let text = piped_text(line);
                text.unwrap_or_else(|| {
                    String::from_utf8_lossy(line).replace(char::REPLACEMENT_CHARACTER, "\0")
                })
            },
            str::to_owned,
        );
        Ok(Input::Line(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn is_person(&self) -> bool {
        false
    }
}
