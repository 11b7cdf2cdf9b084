//! `watch`: each movement as soon as it is durable.

use anyhow::Context;
use clap::Args;

use super::Error;
use super::connection::{Connection, connect};
use super::interrupts::watch_interrupts;
use super::output::{Output, note_unknown_zone, written};
use crate::operation::WatchRequest;
use crate::shell;

/// Mostra cada movimento assim que é gravado
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti watch\n  hortifruti watch --after 812 --format json\n  hortifruti watch --product Caju --format table\n\nTermina com Ctrl-C. Se a conexão cai, procura o servidor e continua de onde parou, sem perder nem repetir."
)]
pub(super) struct Watch {
    /// Começa depois do movimento deste número; 0, do primeiro. O padrão é o último
    #[arg(long, value_name = "NUMERO", value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// Só os movimentos deste produto
    #[arg(long, value_name = "NOME")]
    product: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

impl Watch {
    pub(super) fn run(self) -> Result<(), Error> {
        note_unknown_zone();
        watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
        let mut client = connect(&self.connection)?;
        let request = WatchRequest { name: self.product.as_deref(), after: self.after };
        written(shell::show_live(&mut client, &request, self.output.format)?)
    }
}
