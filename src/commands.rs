//! The command line. Each subcommand has a file with its options and its code.

mod backup;
#[cfg(feature = "bench")]
mod bench;
mod buy;
mod change;
mod completions;
mod connection;
mod count;
mod database;
mod doubt;
mod error;
mod export;
mod help;
mod history;
mod import;
mod input;
mod interrupts;
mod label;
mod man;
mod output;
mod period;
mod product;
mod query;
mod relocate;
mod report;
mod restore;
mod sell;
mod serve;
mod service;
#[cfg(feature = "shell")]
mod shell;
mod status;
mod stop;
mod tls;
mod token;
mod undo;
mod update;
mod usage;
mod verify;
mod waste;
mod watch;
mod word;

use std::env;
use std::sync::LazyLock;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::error::Error;
use crate::metrics;
use crate::platform::machine::survive_full_files;
use crate::store::sqlite::SCHEMA_VERSION;

/// The version, as people report it: with the commit, if the build knows it, and the schema of the database.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = if metrics::COMMIT.is_empty() { String::new() } else { format!("{}, ", metrics::COMMIT) };
    format!("{} ({commit}esquema {SCHEMA_VERSION})", metrics::VERSION)
});

/// O estoque de um hortifruti, por texto em TCP e por gRPC.
#[derive(Debug, Parser)]
#[command(
    name = "hortifruti",
    version = VERSION.as_str(),
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    after_help = "Comece com `hortifruti serve` e, em outro terminal, `hortifruti shell`."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Mostra esta ajuda
    #[arg(short = 'h', long, global = true, action = clap::ArgAction::Help, display_order = 900)]
    help: Option<bool>,
    /// Mostra a versão
    #[arg(short = 'V', long, action = clap::ArgAction::Version, display_order = 901)]
    version: Option<bool>,
}

/// The subcommands, in the order of `--help`: the common ones first.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    #[cfg(feature = "shell")]
    Shell(shell::Shell),
    Query(query::Query),
    Update(update::Update),
    Sell(sell::Sell),
    Buy(buy::Buy),
    Waste(waste::Waste),
    Count(count::Count),
    Undo(undo::Undo),
    History(history::History),
    Watch(watch::Watch),
    Product(product::Product),
    Report(report::ReportCommand),
    Label(label::Label),
    Import(import::Import),
    Export(export::Export),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Verify(verify::Verify),
    Move(relocate::Move),
    Status(status::Status),
    Stop(stop::Stop),
    Service(service::Service),
    Token(token::Token),
    Tls(tls::Tls),
    #[cfg(feature = "bench")]
    Bench(bench::Bench),
    Completions(completions::Completions),
    Man(man::Man),
    Help(help::Help),
}

impl Cli {
    /// Reads the command line of this process.
    ///
    /// # Errors
    /// If the command line is invalid, or asks for a help text or the version.
    pub fn read() -> Result<Self, Error> {
        Ok(Self::from_arg_matches(&without_empty_variables(command()).try_get_matches()?)?)
    }

    /// Runs the subcommand.
    ///
    /// # Errors
    /// If the subcommand fails. A standard output that was closed is no failure.
    pub fn run(self) -> Result<(), Error> {
        survive_full_files();
        match self.command {
            Command::Serve(serve) => serve.run(),
            #[cfg(feature = "shell")]
            Command::Shell(shell) => shell.run(),
            Command::Query(query) => query.run(),
            Command::Update(update) => update.run(),
            Command::Sell(sell) => sell.run(),
            Command::Buy(buy) => buy.run(),
            Command::Waste(waste) => waste.run(),
            Command::Count(count) => count.run(),
            Command::Undo(undo) => undo.run(),
            Command::History(history) => history.run(),
            Command::Watch(watch) => watch.run(),
            Command::Product(product) => product.run(),
            Command::Report(report) => report.run(),
            Command::Label(label) => label.run(),
            Command::Import(import) => import.run(),
            Command::Export(export) => export.run(),
            Command::Backup(backup) => backup.run(),
            Command::Restore(restore) => restore.run(),
            Command::Verify(verify) => verify.run(),
            Command::Move(relocate) => relocate.run(),
            Command::Status(status) => status.run(),
            Command::Stop(stop) => stop.run(),
            Command::Service(service) => service.run(command()),
            Command::Token(token) => token.run(),
            Command::Tls(tls) => tls.run(),
            #[cfg(feature = "bench")]
            Command::Bench(bench) => bench.run(),
            Command::Completions(completions) => completions.run(command()),
            Command::Man(man) => man.run(command()),
            Command::Help(help) => help.run(command()),
        }
    }
}

/// A command whose options have no value from an environment variable that is empty, as one that is not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty =
        |option: &clap::Arg| option.get_env().and_then(env::var_os).is_some_and(|text| text.is_empty());
    let without = move |option: clap::Arg| if is_empty(&option) { option.env(None::<&str>) } else { option };
    command.mut_args(without).mut_subcommands(without_empty_variables)
}

/// The whole command line, with the layout of its help texts.
fn command() -> clap::Command {
    help::laid_out(Cli::command(), "hortifruti")
}
