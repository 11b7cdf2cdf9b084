//! `report`: totals of a period.

use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::Error;
use super::connection::{Connection, connect};
use super::history::kind;
use super::output::{Output, print};
use super::period::Period;
use crate::catalog::Kind;
use crate::local_time::{End, parse_end};
use crate::operation::{Grouping, Request, SummaryRequest};

/// Soma os movimentos de um período, por motivo, produto ou dia
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti report day\n  hortifruti report sales --since 01/11/2026\n  hortifruti report products --kind perda --since ontem --format csv"
)]
pub(super) struct Report {
    /// Relatório: day (de hoje, por motivo), products, sales, losses ou purchases (por produto)
    #[arg(value_name = "RELATORIO", value_enum, hide_possible_values = true)]
    report: Which,
    #[command(flatten)]
    period: Period,
    /// Soma por motivo, produto ou dia
    #[arg(long, value_name = "GRUPO", value_enum, hide_possible_values = true)]
    by: Option<By>,
    /// Só deste motivo: ajuste, abertura, compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO", value_parser = kind)]
    kind: Option<Kind>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

/// A named report, which sets the grouping, the kind and the period unless an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Day,
    Products,
    Sales,
    Losses,
    Purchases,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Motivo,
    Produto,
    Dia,
}

impl Report {
    pub(super) fn run(self) -> Result<(), Error> {
        let (since, until) = self.period.ends()?;
        let today = || -> Option<SystemTime> { parse_end("hoje", End::First).ok() };
        let (group_by, own_kind) = match self.report {
            Which::Day => (Grouping::Kind, None),
            Which::Products => (Grouping::Product, None),
            Which::Sales => (Grouping::Product, Some(Kind::Sale)),
            Which::Losses => (Grouping::Product, Some(Kind::Waste)),
            Which::Purchases => (Grouping::Product, Some(Kind::Purchase)),
        };
        let request = SummaryRequest {
            // Without a period, the report is of today.
            since: if since.is_none() && until.is_none() { today() } else { since },
            until,
            group_by: self.by.map_or(group_by, |by| match by {
                By::Motivo => Grouping::Kind,
                By::Produto => Grouping::Product,
                By::Dia => Grouping::Day,
            }),
            time_zone: "",
            kind: self.kind.or(own_kind),
        };
        let reply = connect(&self.connection)?.call(&Request::SummarizeMovements(request))?;
        print(&reply, self.output.format)
    }
}
