//! `report`: totals of a period.

use std::io::{self, Write};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::Error;
use super::connection::{Connection, connect};
use super::output::{
    SheetFormat, SheetOutput, check_no_terminal, note_last_movement, print_workbook, written,
};
use super::period::Period;
use crate::local_time::Days;
use crate::operation::{Grouping, days_here, given_period, movement_kind};
use crate::refusal::Refusal;
use crate::render::{Format, Sheet, render_sheet};
use crate::report::{Report, What};
use crate::terminal;

/// Mostra um relatório de um período: fechamento, vendas, perdas, compras, margens e mais
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti report day\n  hortifruti report losses --since 01/11/2026 --by reason\n  hortifruti report sales --since ontem --format csv\n  hortifruti report sales --format xlsx > vendas.xlsx\n  hortifruti report expiring --days 2\n  hortifruti report trace Sítio do Zé\n\nSem período, o relatório é de hoje; abc e margins são dos últimos 30 dias."
)]
pub(super) struct ReportCommand {
    /// Relatório: day (o fechamento), sales, losses, purchases, products, abc, margins, counts, expiring, trace
    /// ou low
    #[arg(value_name = "RELATORIO", value_enum, hide_possible_values = true)]
    report: What,
    /// Em trace: palavras do fornecedor ou o lote
    #[arg(value_name = "PALAVRA")]
    words: Vec<String>,
    #[command(flatten)]
    period: Period,
    /// Em expiring: o que vence em até tantos dias (o padrão é 1); em low: comprar para tantos dias de venda
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Soma por product, category, day, reason, supplier, author ou kind
    #[arg(long, value_name = "GRUPO", value_enum, hide_possible_values = true)]
    by: Option<Grouping>,
    /// Só deste motivo, em day e products: ajuste, abertura, compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO")]
    kind: Option<String>,
    /// Fuso horário dos dias, como America/Sao_Paulo. O padrão é o deste computador
    #[arg(long, value_name = "FUSO", default_value = "", hide_default_value = true)]
    time_zone: String,
    #[command(flatten)]
    output: SheetOutput,
    #[command(flatten)]
    connection: Connection,
}

impl ValueEnum for What {
    fn value_variants<'a>() -> &'a [Self] {
        &What::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

impl ValueEnum for Grouping {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Grouping::Product,
            Grouping::Category,
            Grouping::Day,
            Grouping::LossReason,
            Grouping::Supplier,
            Grouping::Author,
            Grouping::Kind,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, alias, _) = Grouping::WORDS.into_iter().find(|(.., grouping)| grouping == self)?;
        Some(PossibleValue::new(word).alias(alias))
    }
}

impl ReportCommand {
    pub(super) fn run(self) -> Result<(), Error> {
        let days = match self.time_zone.as_str() {
            "" => days_here()?,
            name => Days::of_zone(name).ok_or_else(|| Refusal::no_time_zone(name))?,
        };
        let (since, until) = self.period.ends();
        let (since, until) = given_period(since, until, &days)?;
        let mut report = Report::of_period(self.report, days, since, until);
        (report.by, report.kind) = (self.by, self.kind.as_deref().map(movement_kind).transpose()?);
        (report.days_ahead, report.words) = (self.days, self.words.join(" "));
        report.check(since.is_some() || until.is_some()).map_err(|(field, what)| {
            Refusal::invalid(field, format!("{what}; veja hortifruti report --help"))
        })?;
        match self.output.format {
            SheetFormat::Shown(format) => show(&report, &self.connection, format),
            SheetFormat::Xlsx => {
                check_no_terminal()?;
                print_workbook(&asked(&report, &self.connection)?)
            }
        }
    }
}

/// Asks for a report.
fn asked(report: &Report, connection: &Connection) -> Result<Sheet, Error> {
    let mut client = connect(connection)?;
    let requests = report.requests();
    let replies = requests.iter().map(|request| client.call(request)).collect::<Result<_, _>>()?;
    note_last_movement(&mut client);
    Ok(report.sheet(replies).ok_or_else(|| anyhow::anyhow!("o servidor respondeu outra coisa"))?)
}

/// Asks for a report and prints it.
pub(super) fn show(report: &Report, connection: &Connection, format: Format) -> Result<(), Error> {
    let sheet = asked(report, connection)?;
    let width = terminal::size().map(|(_, columns)| columns);
    let mut out = io::BufWriter::new(io::stdout().lock());
    written(render_sheet(&mut out, &sheet, format, width).and_then(|()| out.flush()))
}
