//! A word of the shell as a subcommand: one line without a dialogue around it.
//!
//! A person at a terminal is asked about what is missing or looks like a slip, as in the shell. A script is
//! refused instead.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::SystemTime;

use super::desk::{Desk, Stopped};
use super::piped::Piped;
use super::report::note;
use super::source::{Input, LineSource, Question};
use super::verb::verb_by_word;
use crate::catalog::RequestId;
use crate::client::{Client, ClientError};
use crate::operation::{Reply, Request};
use crate::render::{Format, render, render_for_person};

/// The way in which a subcommand shows what the word did, and finishes a change in doubt.
pub struct Manner<'a> {
    /// The format of the reply.
    pub format: Format,
    /// The option by which the command line says that a change is meant, however odd it looks.
    pub meant_by: &'static str,
    /// The advice on how to finish a change in doubt with a request id.
    pub finished_by: fn(&RequestId) -> String,
    /// When the sale was made, if that was before now: it has the prices of then.
    pub sold_at: Option<SystemTime>,
    /// Sees a change before it is sent, and may give it an id that no line has.
    pub before_sending: &'a mut dyn FnMut(&mut Request<'_>) -> io::Result<()>,
}

/// How a word ended.
pub enum Ended {
    /// The word did what it says.
    Done,
    /// The person dropped it, which was said.
    Dropped,
    /// The word failed, which is not reported yet.
    Failed(ClientError),
}

/// Does what a line of the shell says that begins with this word of its own.
///
/// # Errors
/// If the output or the terminal fails.
///
/// # Panics
/// If the shell has no such word.
pub fn run_word(client: Client, word: &str, rest: &str, manner: Manner<'_>) -> io::Result<Ended> {
    let verb = verb_by_word(word).expect("a subcommand names a word of the shell");
    let is_person = io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut desk = OneShot { client, manner, is_person, lines: Piped(io::stdin().lock()) };
    match (verb.run)(&mut desk, verb, rest) {
        Ok(()) => Ok(Ended::Done),
        Err(Stopped::Dropped | Stopped::End) => Ok(Ended::Dropped),
        Err(Stopped::Failed(error)) => Ok(Ended::Failed(error)),
        Err(Stopped::Io(error)) => Err(error),
    }
}

struct OneShot<'a, R> {
    client: Client,
    manner: Manner<'a>,
    is_person: bool,
    lines: Piped<R>,
}

impl<R: BufRead> LineSource for OneShot<'_, R> {
    fn next(&mut self, question: Question) -> io::Result<Input> {
        if !self.is_person {
            return Ok(Input::End);
        }
        let mut prompt = io::stderr().lock();
        write!(prompt, "{}", question.prompt())?;
        prompt.flush()?;
        self.lines.next(question)
    }

    fn is_person(&self) -> bool {
        self.is_person
    }

    fn meant_by(&self) -> &'static str {
        self.manner.meant_by
    }
}

impl<R: BufRead> Desk for OneShot<'_, R> {
    fn ask(&mut self, request: &Request<'_>) -> Result<Reply, ClientError> {
        self.client.call(request)
    }

    fn make(&mut self, request: &Request<'_>, _: &str) -> Result<(), Stopped> {
        let mut request = request.clone();
        (self.manner.before_sending)(&mut request)?;
        let answer = self.client.call(&request).map_err(|error| error.with_again(self.manner.finished_by));
        Ok(self.show(&answer?)?)
    }

    fn show(&mut self, reply: &Reply) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match self.manner.format {
            Format::Text => render_for_person(&mut out, reply)?,
            format => render(&mut out, reply, format)?,
        }
        out.flush()
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        note(text);
        Ok(())
    }

    fn sold_at(&self) -> Option<SystemTime> {
        self.manner.sold_at
    }
}
