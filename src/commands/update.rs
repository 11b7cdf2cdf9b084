//! `update`: one change of a stock.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::change::{change, request_id};
use super::connection::Connection;
use super::output::{Output, print_made};
use super::{Error, HELP_TEMPLATE};
use crate::catalog::{Kind, Quantity};
use crate::operation::{AdjustRequest, Request};
use crate::refusal::Refusal;

/// Muda o estoque de um produto
#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti update [OPÇÕES] <NOME> <QUANTIDADE>")]
pub(super) struct Update {
    /// Nome do produto, sem diferença de acentos ou maiúsculas
    #[arg(value_name = "NOME", help_heading = "Argumentos", display_order = 1)]
    name: String,
    /// Quanto muda, como -20, +5 ou 0,350
    #[arg(
        value_name = "QUANTIDADE",
        allow_hyphen_values = true,
        help_heading = "Argumentos",
        display_order = 2
    )]
    delta: String,
    /// Por que muda: ajuste (o padrão), compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO", value_enum, default_value_t = Kind::Adjustment, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    reason: Kind,
    /// Identificador do pedido: repetido, não muda o estoque outra vez
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

impl Update {
    pub(super) fn run(self) -> Result<(), Error> {
        if let Some((thousands, units)) = Quantity::two_readings(&self.delta) {
            return Err(Refusal::two_readings(&self.delta, thousands, units).into());
        }
        let delta: Quantity =
            self.delta.parse().map_err(|error| Refusal::quantity("delta_thousandths", &error))?;
        let request_id = request_id(self.request_id)?;
        let request =
            Request::Adjust(AdjustRequest { name: &self.name, delta, kind: self.reason, request_id });
        let reply = change(self.connection, &request)?;
        print_made(&reply, self.output.format)
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Kind::REQUESTABLE
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
