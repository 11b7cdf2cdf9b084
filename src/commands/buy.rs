//! `buy`: goods come in, with what was paid.

mod invoice;
mod map;

use clap::Args;

use super::Error;
use super::word::WordOptions;
use crate::operation::phrase::line_of_words;

/// Compra: entra no estoque, com o que custou
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti buy 440kg Tomate --total 2800,00 --supplier \"Sítio Boa Vista\"\n  hortifruti buy 20cx=440kg Tomate --total 2800 --lot 0512 --expires 5/12\n  hortifruti buy --nfe nota.xml --dry-run"
)]
pub(super) struct Buy {
    /// Quantidade e nome do produto, como 440kg Tomate ou 20cx=440kg Tomate
    #[arg(value_name = "QUANTIDADE NOME", required_unless_present = "nfe", num_args = 1.., allow_negative_numbers = true, display_order = 1)]
    item: Vec<String>,
    /// Total pago, como 2800,00
    #[arg(long, value_name = "VALOR")]
    total: Option<String>,
    /// Fornecedor
    #[arg(long, value_name = "NOME")]
    supplier: Option<String>,
    /// Lote do fornecedor
    #[arg(long, value_name = "LOTE")]
    lot: Option<String>,
    /// Último dia de venda, como 5/12, 05/12/2026, 2026-12-05 ou amanhã
    #[arg(long, value_name = "DIA")]
    expires: Option<String>,
    /// Observação
    #[arg(long, value_name = "TEXTO")]
    note: Option<String>,
    #[command(flatten)]
    invoice: invoice::InvoiceOptions,
    #[command(flatten)]
    options: WordOptions,
}

impl Buy {
    pub(super) fn run(self) -> Result<(), Error> {
        if self.invoice.nfe.is_some() {
            return self.invoice.run(self.options);
        }
        let attributes = [
            ("total", self.total),
            ("fornecedor", self.supplier),
            ("lote", self.lot),
            ("validade", self.expires),
            ("obs", self.note),
        ];
        self.options.run("comprar", line_of_words(&self.item), &attributes)
    }
}
