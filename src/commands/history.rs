//! `history`: movements, newest first.

use clap::Args;

use super::Error;
use super::connection::{Connection, connect};
use super::output::{SheetFormat, SheetOutput, check_no_terminal, note, print, print_workbook};
use super::period::Period;
use crate::operation::{
    LISTED_MOVEMENTS_DEFAULT, MovementFilters, MovementsRequest, ProductChangesRequest, Reply, Request,
};
use crate::render::{Format, movement_sheet};

/// Mostra os movimentos do estoque, do último para trás
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti history\n  hortifruti history Caju --limit 5\n  hortifruti history --kind perda --since ontem --format table\n  hortifruti history Caju --changes"
)]
pub(super) struct History {
    /// Nome do produto, sem diferença de acentos ou maiúsculas; sem nome, todos
    #[arg(value_name = "NOME")]
    name: Vec<String>,
    /// Só deste motivo: ajuste, abertura, compra, venda, perda ou contagem
    #[arg(long, value_name = "MOTIVO")]
    kind: Option<String>,
    /// Só os movimentos que este token pediu
    #[arg(long, value_name = "TOKEN")]
    author: Option<String>,
    /// Mostra as mudanças do cadastro (nome, preço, código, …) em vez dos movimentos
    #[arg(long, conflicts_with_all = ["kind", "author", "since", "until"])]
    changes: bool,
    #[command(flatten)]
    period: Period,
    /// Quantos movimentos, no máximo. O padrão é 20, e todos os de um período
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<usize>,
    #[command(flatten)]
    output: SheetOutput,
    #[command(flatten)]
    connection: Connection,
}

/// The most movements that one command prints: some hundred megabytes in memory.
const LIMIT_MAX: usize = 1_000_000;

impl History {
    pub(super) fn run(self) -> Result<(), Error> {
        let name = self.name.join(" ");
        let name = Some(name.as_str()).filter(|_| !self.name.is_empty());
        let format = match self.output.format {
            SheetFormat::Shown(format) => Some(format),
            SheetFormat::Xlsx => {
                check_no_terminal()?;
                None
            }
        };
        let (since, until) = self.period.ends();
        let filters =
            MovementFilters { kind: self.kind.as_deref(), author: self.author.as_deref(), since, until };
        let has_period = filters.has_period();
        let usual = if has_period { LIMIT_MAX } else { LISTED_MOVEMENTS_DEFAULT };
        // One row more says whether there is more.
        let count_max = self.limit.unwrap_or(usual + 1);
        if self.changes {
            let format = format.ok_or_else(|| {
                Error::Usage(
                    "as mudanças do cadastro não saem em xlsx. Nada foi escrito; use --format csv".to_owned(),
                )
            })?;
            let request = ProductChangesRequest { name, before: None, count_max };
            let mut reply = connect(&self.connection)?.call(&Request::ListProductChanges(request))?;
            if let Reply::ProductChanges(page) = &mut reply
                && self.limit.is_none()
                && is_cut(&mut page.changes, usual)
            {
                note(&format!("Aviso: são só as últimas {usual}, e há mais; use --limit."));
            }
            return print(&reply, format);
        }
        let request = filters.on(MovementsRequest { name, count_max, ..MovementsRequest::default() })?;
        let mut reply = connect(&self.connection)?.call(&Request::ListMovements(request))?;
        if let Reply::Movements(page) = &mut reply
            && self.limit.is_none()
            && is_cut(&mut page.movements, usual)
        {
            let way = if has_period {
                "peça um período menor"
            } else {
                "use --limit, ou --since e --until, que mostram todos"
            };
            note(&format!("Aviso: são só os últimos {usual}, e há mais; {way}."));
        }
        match (format, &reply) {
            (None, Reply::Movements(page)) => print_workbook(&movement_sheet(&page.movements)),
            (format, reply) => print(reply, format.unwrap_or(Format::Csv)),
        }
    }
}

/// Cuts a list to so many rows. Returns whether it had more.
fn is_cut<T>(rows: &mut Vec<T>, count_max: usize) -> bool {
    let has_more = rows.len() > count_max;
    rows.truncate(count_max);
    has_more
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("use de 1 a {LIMIT_MAX}"))
}
