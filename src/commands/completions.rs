//! `completions`: the completion script of a shell.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::output::written;
use super::{Cli, Error, HELP_TEMPLATE};

/// Escreve o script que completa comandos e opções em um shell
#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti completions <SHELL>")]
pub(super) struct Completions {
    /// Shell: bash, zsh, fish, powershell ou elvish
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true, help_heading = "Argumentos")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Error> {
        // Goes through memory, because the generator panics if it cannot write.
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "hortifruti", &mut script);
        written(io::stdout().write_all(&script))
    }
}
