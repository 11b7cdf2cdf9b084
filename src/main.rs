//! Parses the command line, runs it, and turns an error into an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use hortifruti::cli::Cli;
use hortifruti::client::Failure;
use hortifruti::request::Code;
use hortifruti::run::{Error, run};
use hortifruti::{shell, usage};

/// Exit code of a command line that cannot be.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.exit_code() == 0 => {
            // Help or version. Who closed the output wants no more of it.
            let _ = write!(std::io::stdout(), "{}", error.render());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            shell::tell(&usage::message(&error));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, Error::Told(_)) {
                shell::tell(&error);
            }
            ExitCode::from(exit_code(&error))
        }
    }
}

/// DESIGN's table of errors, for shells.
fn exit_code(error: &Error) -> u8 {
    let refusal = match error {
        Error::Failed(Failure::Broken(_)) | Error::Told(Failure::Broken(_)) => return 5,
        Error::Broken(_) => return 1,
        Error::Failed(Failure::Refused(refusal)) | Error::Told(Failure::Refused(refusal)) => refusal,
    };
    match refusal.code {
        Code::Internal => 1,
        Code::InvalidArgument | Code::UnknownCommand => 2,
        Code::ProductNotFound => 3,
        Code::InsufficientStock | Code::RequestIdReused | Code::OutOfRange => 4,
        Code::ResourceExhausted | Code::Unavailable | Code::OutcomeUnknown => 5,
        Code::Unauthenticated => 6,
    }
}
