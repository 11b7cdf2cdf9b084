//! `shell`: a dialogue with a server.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::Error;
use super::connection::{Connection, target};
use super::interrupts::watch_interrupts;
use super::output::{note_unknown_zone, written};
use crate::client::{Client, ClientError, Patience};
use crate::platform::machine;
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
        note_unknown_zone();
        let connection = self.connection;
        let (discovery, options) = target(&connection)?;
        let addresses = discovery.find().map_err(ClientError::from)?;
        let (address, shop) = (addresses.join(" ou "), discovery.shop());
        let shop_name = discovery.shop_name();
        let patience = Patience::of_person(shell::report_news);
        let client = Client::connect(discovery.clone(), options.clone(), patience)?;
        // Ctrl-C goes to the line editor while a line is typed, and to this watcher while an answer is
        // awaited.
        watch_interrupts(shell::edits_lines()).context("não foi possível receber os sinais do sistema")?;
        let asker =
            Client::unconnected(discovery, options, Patience::of_program()).map_err(ClientError::from)?;
        let options = shell::Options { address, shop, shop_name, state: state_folder(), asker };
        match shell::run(client, options) {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(Error::Reported(failure)),
            Err(error) => written(Err(error)),
        }
    }
}

/// The folder of the state that the shell keeps between runs: that of `XDG_STATE_HOME`, or else the system's.
fn state_folder() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(state.or_else(machine::state_folder)?.join("hortifruti"))
}
