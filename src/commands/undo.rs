//! `undo`: undoes a movement.

use clap::Args;

use super::Error;
use super::change::{change, request_id};
use super::connection::Connection;
use super::output::{Output, print_made};
use crate::operation::{Request, UndoRequest, parse_sequence};

/// Desfaz um movimento, com o documento inteiro dele
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti undo 812\n  hortifruti undo 812 --single")]
pub(super) struct Undo {
    /// Número do movimento, como 812
    #[arg(value_name = "NUMERO")]
    sequence: String,
    /// Desfaz só este movimento, e não os outros do mesmo documento
    #[arg(long)]
    single: bool,
    /// Identificador do pedido; repetido, dá a mesma resposta
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

impl Undo {
    pub(super) fn run(self) -> Result<(), Error> {
        let sequence = parse_sequence(&self.sequence)?;
        let request_id = request_id(self.request_id)?;
        let request = Request::UndoMovement(UndoRequest::of(sequence, self.single, request_id));
        let reply = change(self.connection, &request)?;
        print_made(&reply, self.output.format)
    }
}
