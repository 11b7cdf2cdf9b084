//! Reads the command line, runs it, and turns an error into an exit code.

use std::process::ExitCode;

use hortifruti::commands::Cli;

fn main() -> ExitCode {
    match Cli::read().and_then(Cli::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::from(error.exit_code())
        }
    }
}
