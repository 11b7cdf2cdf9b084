//! `waste`: goods are lost, for a reason.

use clap::Args;

use super::Error;
use super::word::WordOptions;
use crate::operation::phrase::line_of_words;

/// Registra uma perda, com a causa
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti waste 3kg Tomate --cause maduro\n  hortifruti waste 2 Alface --cause avaria --note \"caixa caiu\""
)]
pub(super) struct Waste {
    /// Quantidade e nome do produto, como 3kg Tomate
    #[arg(value_name = "QUANTIDADE NOME", required = true, num_args = 1.., allow_negative_numbers = true, display_order = 1)]
    item: Vec<String>,
    /// Causa: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao
    #[arg(long, value_name = "CAUSA")]
    cause: Option<String>,
    /// Observação
    #[arg(long, value_name = "TEXTO")]
    note: Option<String>,
    #[command(flatten)]
    options: WordOptions,
}

impl Waste {
    pub(super) fn run(self) -> Result<(), Error> {
        let attributes = [("causa", self.cause), ("obs", self.note)];
        self.options.run("perder", line_of_words(&self.item), &attributes)
    }
}
