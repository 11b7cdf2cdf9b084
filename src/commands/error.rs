//! The errors of subcommands: a text for the person, and an exit code for the shell.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::error::ErrorKind;
use serde_json::json;

use super::usage;
use crate::client::{ClientError, ConnectionError};
use crate::refusal::{Code, Refusal};
use crate::shell;

/// The reason why a subcommand failed or did not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A help text or the version, which is shown instead of a run.
    #[error("{0}")]
    Help(clap::Error),
    /// The command line is invalid.
    #[error("{0}")]
    Usage(String),
    /// The request was refused, or no server answered.
    #[error(transparent)]
    Failed(#[from] ClientError),
    /// A failure of the client that the person has seen already.
    #[error("{0}")]
    Reported(ClientError),
    /// A failure of the machine, such as a file that cannot be read.
    #[error("{0:#}")]
    Broken(#[from] anyhow::Error),
}

impl Error {
    /// Writes the error to standard error, unless the person has seen it: as one line of JSON if the command
    /// line, invalid or not, asks for JSON. A requested help text goes to standard output.
    pub fn report(&self) {
        match self {
            // If the output is closed, the text is dropped.
            Error::Help(text) if text.use_stderr() => drop(write!(io::stderr(), "{}", text.render())),
            Error::Help(text) => drop(write!(io::stdout(), "{}", text.render())),
            Error::Reported(_) => {}
            _ if asks_for_json(std::env::args_os()) => drop(writeln!(io::stderr(), "{}", self.json())),
            _ => shell::report(self),
        }
    }

    /// The error for programs.
    fn json(&self) -> serde_json::Value {
        let metadata: serde_json::Map<_, _> = match self {
            Error::Failed(ClientError::Refused(refusal)) => {
                refusal.metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
            }
            Error::Failed(ClientError::Connection(ConnectionError::InDoubt { request_id, .. })) => {
                [("request_id".to_owned(), json!(request_id.as_str()))].into_iter().collect()
            }
            _ => serde_json::Map::new(),
        };
        let message = self.to_string();
        json!({"error": {"code": self.code().as_str(), "message": message, "metadata": metadata}})
    }

    /// The code, from the table of errors (DESIGN §5).
    pub(super) fn code(&self) -> Code {
        match self {
            Error::Help(_) | Error::Usage(_) => Code::InvalidArgument,
            Error::Broken(_) => Code::Internal,
            Error::Failed(failure) | Error::Reported(failure) => match failure {
                ClientError::Refused(refusal) => refusal.code,
                ClientError::Connection(ConnectionError::Tls { problem, .. })
                    if problem.is_unauthenticated() =>
                {
                    Code::Unauthenticated
                }
                ClientError::Connection(ConnectionError::TokenInTheClear { .. }) => Code::InvalidArgument,
                ClientError::Connection(ConnectionError::InDoubt { .. }) => Code::OutcomeUnknown,
                ClientError::Connection(_) => Code::Unavailable,
            },
        }
    }

    /// The exit code, from the table of errors (DESIGN §5).
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Error::Help(text) if !text.use_stderr()) {
            return 0;
        }
        match self.code() {
            Code::Internal => 1,
            Code::InvalidArgument | Code::UnknownCommand => 2,
            Code::ProductNotFound | Code::MovementNotFound => 3,
            Code::InsufficientStock
            | Code::NameTaken
            | Code::CodeTaken
            | Code::Discontinued
            | Code::AlreadyUndone
            | Code::RequestIdReused
            | Code::OutOfRange => 4,
            Code::DeadlineExceeded | Code::ResourceExhausted | Code::Unavailable | Code::OutcomeUnknown => 5,
            Code::Unauthenticated => 6,
        }
    }
}

impl From<clap::Error> for Error {
    fn from(error: clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Error::Help(error),
            _ => Error::Usage(usage::describe(&error)),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Failed(refusal.into())
    }
}

/// Whether a command line asks for JSON. The words are looked at as they stand, because an invalid command line
/// has no parsed options.
fn asks_for_json(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter().take_while(|word| word != "--").peekable();
    let mut is_json = false;
    while let Some(word) = words.next() {
        let Some(word) = word.to_str() else { continue };
        let value = match word.split_once('=') {
            Some(("--format", value)) => Some(value.to_owned()),
            None if word == "--format" => words.peek().and_then(|next| next.to_str()).map(str::to_owned),
            _ => None,
        };
        if let Some(value) = value {
            is_json = matches!(value.as_str(), "json" | "ndjson");
        }
    }
    is_json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_asks_for_json_by_its_format() {
        let asks = |line: &str| asks_for_json(line.split(' ').map(OsString::from));
        for line in ["query Maca --format json", "query --format=json --nada", "history --format ndjson"] {
            assert!(asks(line), "{line}");
        }
        for line in
            ["query json", "query --format csv", "query -- --format json", "query --format", "a --b=json"]
        {
            assert!(!asks(line), "{line}");
        }
    }
}
