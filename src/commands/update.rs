//! `update`: changes one stock.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::Error;
use super::change::ChangeOptions;
use super::product::find;
use crate::catalog::{Amount, Details, Kind, Quantity};
use crate::operation::phrase::Measure;
use crate::operation::{AdjustRequest, ProductReply, Request};
use crate::refusal::{Code, Refusal};

/// Muda o estoque de um produto
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti update Caju -20 --reason venda\n  hortifruti update Maca 2,5\n  hortifruti update Pera 10 --reason compra --total 32,50\n  hortifruti update Banana -2 --reason perda --cause maduro"
)]
pub(super) struct Update {
    /// Nome do produto, sem diferença de acentos ou maiúsculas
    #[arg(value_name = "NOME", display_order = 1)]
    name: String,
    /// Quanto entra ou sai, como +5, -20 ou 0,350kg
    #[arg(value_name = "QUANTIDADE", allow_hyphen_values = true, display_order = 2)]
    delta: String,
    /// Motivo: ajuste (o padrão), compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO", value_enum, default_value_t = Kind::Adjustment, hide_default_value = true, hide_possible_values = true, ignore_case = true)]
    reason: Kind,
    /// Quanto se pagou ou recebeu ao todo, em reais, numa compra ou venda; sem isto, preço × quantidade
    #[arg(long, value_name = "VALOR", allow_hyphen_values = true)]
    total: Option<String>,
    /// Causa de uma perda: vencido, maduro, avaria, peso, furto, consumo, doacao, degustacao ou devolucao
    #[arg(long, value_name = "CAUSA")]
    cause: Option<String>,
    /// Observação, de até 200 caracteres
    #[arg(long, value_name = "TEXTO")]
    note: Option<String>,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Update {
    pub(super) fn run(self) -> Result<(), Error> {
        if let Some((thousands, units)) = Quantity::two_readings(&self.delta) {
            return Err(Refusal::two_readings("delta_thousandths", &self.delta, thousands, units).into());
        }
        let request_id = self.options.request_id()?;
        let delta = match Measure::with_own_unit(&self.delta) {
            Some(measure) => self.in_unit_of_product(&measure)?,
            None => self.delta.parse().map_err(|error| Refusal::quantity("delta_thousandths", &error))?,
        };
        let details = details(self.total.as_deref(), self.cause.as_deref(), self.note.as_deref())?;
        let request = Request::AdjustStock(AdjustRequest {
            name: &self.name,
            delta,
            kind: self.reason,
            request_id,
            details,
        });
        self.options.print(&self.options.send(&request)?)
    }
}

impl Update {
    /// The quantity in the unit of the product. A request with an id may be made already, and the product have another
    /// name since.
    fn in_unit_of_product(&self, measure: &Measure) -> Result<Quantity, Error> {
        let found = find(&self.options.connection, &self.name);
        match found {
            Ok(ProductReply { name, unit: Some(unit), .. }) => Ok(measure.in_unit(name.as_str(), &unit)?),
            Ok(_) => Err(Refusal::invalid(
                "delta_thousandths",
                "o protocolo de texto não diz a unidade do produto. Nada foi alterado; escreva a quantidade sem unidade, ou \
                 peça por gRPC",
            )
            .into()),
            Err(error) if self.options.request_id.is_some() && error.code() == Code::ProductNotFound => {
                Ok(measure.certain()?)
            }
            Err(error) => Err(error),
        }
    }
}

fn details(
    total: Option<&str>,
    cause: Option<&str>,
    note: Option<&str>,
) -> Result<Option<Box<Details>>, Refusal> {
    let amount = total.map(Amount::parse_total).transpose().map_err(|error| Refusal::amount(&error))?;
    let loss_reason = cause.map(str::parse).transpose().map_err(|error| Refusal::loss_reason(&error))?;
    let note = note.map(str::parse).transpose().map_err(|error| Refusal::detail("note", &error))?;
    Ok(Details { amount, loss_reason, note, purchase: None }.boxed())
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Kind::REQUESTABLE
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
