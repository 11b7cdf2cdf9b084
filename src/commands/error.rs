//! The errors of subcommands: a text for the person, and an exit code for the shell.

use std::io::{self, Write};

use clap::error::ErrorKind;

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
    /// Writes the error to standard error, unless the person has seen it. A requested help text goes to
    /// standard output.
    pub fn report(&self) {
        match self {
            // If the output is closed, the text is dropped.
            Error::Help(text) if text.use_stderr() => drop(write!(io::stderr(), "{}", text.render())),
            Error::Help(text) => drop(write!(io::stdout(), "{}", text.render())),
            Error::Reported(_) => {}
            _ => shell::report(self),
        }
    }

    /// The exit code, from the table of errors (DESIGN §5).
    pub fn exit_code(&self) -> u8 {
        let failure = match self {
            Error::Help(text) if text.use_stderr() => return 2,
            Error::Help(_) => return 0,
            Error::Usage(_) => return 2,
            Error::Broken(_) => return 1,
            Error::Failed(failure) | Error::Reported(failure) => failure,
        };
        let refusal = match failure {
            ClientError::Connection(ConnectionError::Tls { problem, .. }) if problem.is_unauthenticated() => {
                return 6;
            }
            ClientError::Connection(ConnectionError::TokenInTheClear { .. }) => return 2,
            ClientError::Connection(_) => return 5,
            ClientError::Refused(refusal) => refusal,
        };
        match refusal.code {
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
