//! The shared parts of subcommands that change something: their options, and the way to finish a change in doubt.

use anyhow::Context;
use clap::Args;

use super::Error;
use super::connection::{Connection, connect};
use super::interrupts::watch_interrupts;
use super::output::{Output, print_made};
use crate::again;
use crate::catalog::RequestId;
use crate::operation::{Reply, Request};
use crate::refusal::Refusal;

/// The options of every change.
#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// Identificador do pedido; repetido, dá a mesma resposta
    #[arg(long, value_name = "ID")]
    pub(super) request_id: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl ChangeOptions {
    /// The id of the request, if one is given.
    pub(super) fn request_id(&self) -> Result<Option<RequestId>, Refusal> {
        request_id(self.request_id.clone())
    }

    /// Requests a change. If the reply is lost, even by a Ctrl-C, the error contains the command that finishes
    /// the change.
    pub(super) fn send(&self, request: &Request<'_>) -> Result<Reply, Error> {
        watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
        let answer = connect(&self.connection)?.call(request);
        Ok(answer.map_err(|failure| failure.with_again(finished_by))?)
    }

    /// Prints the reply to a change.
    pub(super) fn print(&self, reply: &Reply) -> Result<(), Error> {
        print_made(reply, self.output.format)
    }
}

pub(super) fn request_id(option: Option<String>) -> Result<Option<RequestId>, Refusal> {
    option.map(|text| text.parse()).transpose().map_err(|error| Refusal::request_id(&error))
}

/// The advice on how to finish a change in doubt with this request id.
pub(super) fn finished_by(request_id: &RequestId) -> String {
    let command = again::command(request_id.as_str());
    format!("para concluí-la sem fazê-la duas vezes, repita assim: {command}")
}
