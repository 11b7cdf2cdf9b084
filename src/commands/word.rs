//! The shared parts of the subcommands that are words of the shell: `sell`, `buy`, `waste`.

use std::io;
use std::time::SystemTime;

use anyhow::Context;
use clap::Args;

use super::Error;
use super::change::{ChangeOptions, finished_by};
use super::connection::connect;
use super::interrupts::watch_interrupts;
use super::output::written_or;
use crate::operation::Request;
use crate::operation::phrase::attribute_typed;
use crate::refusal::{Code, Refusal};
use crate::shell::{self, Ended, Manner};

/// The options of every such subcommand.
#[derive(Debug, Args)]
pub(super) struct WordOptions {
    /// Faz a mudança sem perguntar, ainda que pareça engano
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) change: ChangeOptions,
}

impl WordOptions {
    /// Does what the shell does with this word, this text, and these attributes where they have a value.
    pub(super) fn run(
        self,
        word: &str,
        text: String,
        attributes: &[(&str, Option<String>)],
    ) -> Result<(), Error> {
        let own = [("confirma", self.yes.then(|| "sim".to_owned())), ("id", self.change.request_id.clone())];
        let attributes: Vec<(&str, Option<String>)> = attributes.iter().cloned().chain(own).collect();
        self.run_once(word, &text, &attributes, None, &mut |_| Ok(()))
    }

    /// Does the same with these attributes and no others. `sold_at` is the time of a sale of before, and `before_sending`
    /// sees the request before it is sent, and may give it an id that is no word of the line.
    pub(super) fn run_once(
        &self,
        word: &str,
        text: &str,
        attributes: &[(&str, Option<String>)],
        sold_at: Option<SystemTime>,
        before_sending: &mut dyn FnMut(&mut Request<'_>) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut rest = text.to_owned();
        for (name, value) in attributes {
            if let Some(value) = value {
                rest += &format!(" {}", attribute_typed(name, value));
            }
        }
        watch_interrupts(false).context("não foi possível receber os sinais do sistema")?;
        let client = connect(&self.change.connection)?;
        let manner = Manner {
            format: self.change.output.format,
            meant_by: "--yes",
            finished_by,
            sold_at,
            before_sending,
        };
        match shell::run_word(client, word, &rest, manner) {
            Ok(Ended::Done) => Ok(()),
            Ok(Ended::Dropped) => {
                Err(Error::Reported(Refusal::new(Code::InvalidArgument, "nada foi enviado").into()))
            }
            Ok(Ended::Failed(error)) => Err(error.into()),
            Err(error) => {
                written_or(Err(error), "a saída não pôde ser escrita; veja o histórico antes de repetir")
            }
        }
    }
}
