//! The two parts that the shell's own words need: somebody who answers questions, and a server.

use std::io::{self, Write};
use std::time::SystemTime;

use super::source::{Expected, Input, LineSource, Question};
use crate::catalog::Quoted;
use crate::client::ClientError;
use crate::operation::{ProductReply, Reply, Request};
use crate::refusal::{Code, Refusal};

/// A source of lines with a server behind it.
pub(super) trait Desk: LineSource {
    /// Asks the server something that changes nothing.
    fn ask(&mut self, request: &Request<'_>) -> Result<Reply, ClientError>;

    /// Makes a change, for which a person types this line, and shows its answer.
    fn make(&mut self, request: &Request<'_>, line: &str) -> Result<(), Stopped>;

    /// Shows a reply.
    fn show(&mut self, reply: &Reply) -> io::Result<()>;

    /// Shows a text in the place of a reply.
    fn show_text(&mut self, text: &str) -> io::Result<()> {
        io::stdout().write_all(text.as_bytes())
    }

    /// Shows a text beside the replies.
    fn tell(&mut self, text: &str) -> io::Result<()>;

    /// The movement of the last change, which `desfazer` alone undoes, and the line that describes the change.
    fn last_change(&self) -> Option<(i64, String)> {
        None
    }

    /// When the sale was made, if that was before now.
    fn sold_at(&self) -> Option<SystemTime> {
        None
    }
}

/// Why a command ended before its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// An error, not yet reported.
    Failed(ClientError),
    /// The person dropped it, which was said.
    Dropped,
    /// The person leaves.
    End,
    /// The output or the terminal failed.
    Io(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Stopped::Io(error)
    }
}

impl From<ClientError> for Stopped {
    fn from(error: ClientError) -> Self {
        Stopped::Failed(error)
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Stopped::Failed(refusal.into())
    }
}

impl dyn Desk + '_ {
    /// Puts a question, and returns the answer without spaces around it.
    pub(super) fn question(&mut self, prompt: String, expected: Expected) -> Result<String, Stopped> {
        self.answer(Question::Free { prompt, expected })
    }

    /// Puts a question, and returns the answer without spaces around it.
    pub(super) fn answer(&mut self, question: Question) -> Result<String, Stopped> {
        match self.next(question)? {
            Input::Line(line) => Ok(line.trim().to_owned()),
            Input::Dropped => Err(Stopped::Dropped),
            Input::End => Err(Stopped::End),
        }
    }

    /// Drops the command, and says so.
    pub(super) fn drop_command<T>(&mut self) -> Result<T, Stopped> {
        self.tell("Nada foi enviado.")?;
        Err(Stopped::Dropped)
    }

    /// Asks a person whether something that looks like a slip is meant. Behind a pipe nobody can be asked, so it
    /// is refused, unless the line says that it is meant.
    pub(super) fn confirm(&mut self, odd: &str, is_meant: bool) -> Result<(), Stopped> {
        if is_meant {
            return Ok(());
        }
        if !self.is_person() {
            let what = format!(
                "{odd}. Parece engano, e nada foi feito; se for isso mesmo, repita com {}.",
                self.meant_by()
            );
            return Err(Refusal::new(Code::InvalidArgument, what).into());
        }
        loop {
            let answer = self.question(format!("{odd}. É isso mesmo? (s/n) "), Expected::Nothing)?;
            match answer.to_lowercase().as_str() {
                "s" | "sim" => return Ok(()),
                "n" | "nao" | "não" | "" => return self.drop_command(),
                _ => {}
            }
        }
    }

    /// The product with this name or code.
    pub(super) fn product_named(&mut self, name: &str) -> Result<ProductReply, Stopped> {
        match self.ask(&Request::GetProduct { name })? {
            Reply::Product(product) => Ok(product),
            _ => Err(Refusal::product_not_found(name).into()),
        }
    }

    /// The product with this code, which was typed as a command.
    pub(super) fn product_by_code(&mut self, code: &str) -> Result<ProductReply, Stopped> {
        self.product_named(code).map_err(|stopped| match stopped {
            Stopped::Failed(ClientError::Refused(refusal)) if refusal.code == Code::ProductNotFound => {
                let what = format!(
                    "{} não é um comando nem o código de um produto. Nada foi feito; `ajuda` mostra os comandos.",
                    Quoted(code)
                );
                Refusal::new(Code::UnknownCommand, what).into()
            }
            stopped => stopped,
        })
    }

    /// Whether there is a product with this name or code.
    pub(super) fn has_product(&mut self, name: &str) -> Result<bool, ClientError> {
        match self.ask(&Request::GetProduct { name }) {
            Ok(_) => Ok(true),
            // Another refusal, as of a server that is busy, says nothing of the name.
            Err(ClientError::Refused(refusal))
                if matches!(refusal.code, Code::ProductNotFound | Code::InvalidArgument) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
