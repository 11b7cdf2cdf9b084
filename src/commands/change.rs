//! The shared parts of subcommands that change something: the request id, and the way to finish a change in
//! doubt.

use anyhow::Context;

use super::Error;
use super::connection::{Connection, connect};
use super::interrupts::watch_interrupts;
use crate::again;
use crate::catalog::RequestId;
use crate::operation::{Reply, Request};
use crate::refusal::Refusal;

pub(super) fn request_id(option: Option<String>) -> Result<Option<RequestId>, Refusal> {
    option.map(|text| text.parse()).transpose().map_err(|error| Refusal::request_id(&error))
}

/// Requests a change. If the reply is lost, even by a Ctrl-C, the error contains the command that finishes
/// the change.
pub(super) fn change(connection: Connection, request: &Request<'_>) -> Result<Reply, Error> {
    watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
    let answer = connect(&connection)?.call(request);
    Ok(answer.map_err(|failure| failure.with_again(finished_by))?)
}

/// The advice on how to finish a change in doubt with this request id.
pub(super) fn finished_by(request_id: &RequestId) -> String {
    let command = again::command(request_id.as_str());
    format!("para concluí-la sem fazê-la duas vezes, repita assim: {command}")
}
