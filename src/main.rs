//! Parses the command line, runs it, and turns an error into an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use hortifruti::cli::Cli;
use hortifruti::run::{Error, run};

fn main() -> ExitCode {
    let result = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) if error.exit_code() == 0 => {
            // Help or version. Who closed the output wants no more of it.
            let _ = write!(std::io::stdout(), "{}", error.render());
            Ok(())
        }
        Err(error) => Err(Error::from(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.tell();
            ExitCode::from(error.exit_code())
        }
    }
}
