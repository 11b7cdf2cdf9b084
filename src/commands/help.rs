//! The help texts: their layout in Portuguese, and the `help` subcommand.

use std::io::{self, Write};

use clap::{Arg, Args, Command};

use super::Error;
use super::connection::SECRET_FILE_VARIABLE;
use super::output::written;
use crate::access::SECRET_VARIABLE;
use crate::catalog::Quoted;

/// The layout of a help text.
const TEMPLATE: &str = "{about-with-newline}\nUso: {usage}\n\n{all-args}{after-help}";

/// The heading of the environment variables that a subcommand reads.
const ENVIRONMENT: &str = "Ambiente:";

/// Mostra a ajuda de um comando
#[derive(Debug, Args)]
#[command(
    name = "help",
    alias = "ajuda",
    after_help = "Exemplos:\n  hortifruti help query\n  hortifruti ajuda token new"
)]
pub(super) struct Help {
    /// O comando, como query ou token new; sem ele, mostra todos
    #[arg(value_name = "COMANDO")]
    command: Vec<String>,
}

impl Help {
    pub(super) fn run(self, mut program: Command) -> Result<(), Error> {
        program.build();
        let mut found = &mut program;
        for word in &self.command {
            found = found.find_subcommand_mut(word).ok_or_else(|| {
                Error::Usage(format!("o comando {} não existe. Veja `hortifruti help`", Quoted(word)))
            })?;
        }
        written(write!(io::stdout(), "{}", found.render_help()))
    }
}

/// Gives a command and its subcommands the layout of our help texts. `path` is the command as a person
/// types it.
pub(super) fn laid_out(command: Command, path: &str) -> Command {
    let usage = command.clone().bin_name(path).subcommand_value_name("COMANDO").render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_end().replace("[OPTIONS]", "[OPÇÕES]");
    let after_help = after_help(&command);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("Comandos")
        .subcommand_value_name("COMANDO")
        .override_usage(usage)
        .after_help(after_help)
        .mut_args(with_heading);
    names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |subcommand| laid_out(subcommand, &path))
    })
}

fn with_heading(argument: Arg) -> Arg {
    match argument.get_help_heading() {
        Some(_) => argument,
        None if argument.is_positional() => argument.help_heading("Argumentos"),
        None => argument.help_heading("Opções"),
    }
}

/// The text after the options: the subcommand's own text, and the environment variables that set its options.
fn after_help(command: &Command) -> String {
    let mut text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let variables = command
        .get_arguments()
        .filter_map(|argument| Some((argument.get_env()?.to_str()?, argument.get_long()?)));
    for (index, (variable, option)) in variables.enumerate() {
        if index == 0 && !text.contains(ENVIRONMENT) {
            text += &format!("\n\n{ENVIRONMENT}");
        }
        text += &format!("\n  {variable:<21}  o mesmo que --{option}");
        if variable == SECRET_FILE_VARIABLE {
            text += &format!("\n  {SECRET_VARIABLE:<21}  o próprio token, se não há --{option}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::command;

    /// Every command without subcommands, with the words that name it.
    fn leaves(command: &Command, path: &[String]) -> Vec<(Vec<String>, Command)> {
        let path = [path, &[command.get_name().to_owned()]].concat();
        if command.has_subcommands() {
            command.get_subcommands().flat_map(|command| leaves(command, &path)).collect()
        } else {
            vec![(path, command.clone())]
        }
    }

    #[test]
    fn every_help_has_an_example_that_is_valid_and_the_environment() {
        let whole = command();
        let leaves = leaves(&whole, &[]);
        assert!(leaves.len() > 10);
        for (path, mut leaf) in leaves {
            let (name, help) = (path.join(" "), leaf.render_help().to_string());
            let (_, after) = help.split_once("\nExemplo").unwrap_or_else(|| panic!("{name}: {help}"));
            let examples: Vec<&str> = after
                .lines()
                .skip(1)
                .take_while(|line| !line.is_empty())
                .map(|line| line.split(['|', '>']).next().unwrap().trim())
                .collect();
            assert!(examples.iter().any(|line| line.starts_with(&name)), "{name}: {examples:?}");
            for example in examples {
                let words = shlex::split(example).unwrap();
                whole
                    .clone()
                    .try_get_matches_from(words)
                    .unwrap_or_else(|error| panic!("{example}: {error}"));
            }
            for variable in leaf.get_arguments().filter_map(Arg::get_env) {
                let line = format!("\n  {} ", variable.to_str().unwrap());
                assert!(
                    after.split_once(ENVIRONMENT).is_some_and(|(_, text)| text.contains(&line)),
                    "{help}"
                );
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }
}
