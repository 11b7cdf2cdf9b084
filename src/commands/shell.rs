//! `shell`: a dialogue with a server.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use super::Error;
use super::connection::{Connection, find_server, foreground, given_connector};
use super::interrupts::watch_interrupts;
use super::output::written;
use crate::client::{Failure, Patience, Reconnecting};
use crate::shell;

/// Abre um terminal interativo
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti shell\n  hortifruti shell --server loja:8082\n\nAmbiente:\n  NO_COLOR               nenhuma cor, se não é vazia\n  XDG_STATE_HOME         onde fica o histórico; o padrão é ~/.local/state"
)]
pub(super) struct Shell {
    #[command(flatten)]
    connection: Connection,
}

impl Shell {
    pub(super) fn run(self) -> Result<(), Error> {
        let connection = self.connection;
        let address = find_server(&connection).map_err(Failure::from)?;
        let shop = shop(&connection);
        let connector = given_connector(connection)?;
        let client = foreground(Arc::clone(&connector))?;
        // While a line is typed, the line editor takes Ctrl-C; while an answer is awaited, this does.
        watch_interrupts(shell::edits_lines()).context("os sinais do sistema não puderam ser ouvidos")?;
        let asker = Reconnecting::unconnected(connector, Patience::of_program());
        match shell::run(client, shell::Options { address, shop, state: state_folder(), asker }) {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(Error::Reported(failure)),
            Err(error) => written(Err(error)),
        }
    }
}

/// The shop whose stock a shell changes, named by how the shell finds the server. A change that one
/// shell leaves in doubt is for the shells that find the server in the same way.
fn shop(connection: &Connection) -> String {
    if let Some(server) = connection.server.as_deref().filter(|server| !server.is_empty()) {
        return server.to_owned();
    }
    let path = &connection.port_file.port_file;
    let path = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.clone());
    path.display().to_string()
}

/// The folder of the shell's state between its runs, as the XDG base directory specification says.
fn state_folder() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/state"));
    Some(state.or_else(home)?.join("hortifruti"))
}
