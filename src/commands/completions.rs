//! `completions`: the completion script of a shell.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use super::Error;
use super::output::written;

/// Escreve o script de autocompletar de um shell
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti completions bash > ~/.local/share/bash-completion/completions/hortifruti\n  hortifruti completions fish > ~/.config/fish/completions/hortifruti.fish"
)]
pub(super) struct Completions {
    /// Shell: bash, zsh, fish, powershell ou elvish
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut program: Command) -> Result<(), Error> {
        // The script is first written to memory, because the generator panics if it cannot write.
        let mut script = Vec::new();
        generate(self.shell, &mut program, "hortifruti", &mut script);
        written(io::stdout().write_all(&script))
    }
}
