//! `count`: sets stocks to the counted quantities, of one product or of a list.

use std::path::Path;

use clap::Args;

use super::Error;
use super::change::ChangeOptions;
use super::input::read_file;
use super::output::{STANDARD, note};
use crate::catalog::{COUNT_LINES_MAX, Quantity, RequestId, Unit};
use crate::client::ClientError;
use crate::operation::phrase::Measure;
use crate::operation::{COUNTED_FIELD, ChangeReply, CountRequest, CountedName, Reply, Request};
use crate::price_list::{CountList, CountedRow, bad_rows_shown, read_counts};
use crate::refusal::{Code, Refusal};

/// Ajusta o estoque à contagem, de um produto ou de uma lista
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti count Caju 57\n  hortifruti count contagem.csv --blind")]
pub(super) struct Count {
    /// Nome do produto; sem QUANTIDADE, um CSV com as colunas nome e quantidade (`-` lê a entrada padrão)
    #[arg(value_name = "NOME|ARQUIVO", value_hint = clap::ValueHint::FilePath, display_order = 1)]
    name_or_file: String,
    /// Quantidade contada, como 57 ou 2,5kg
    #[arg(value_name = "QUANTIDADE", allow_negative_numbers = true, display_order = 2)]
    counted: Option<String>,
    /// Não mostra o estoque de antes nem a diferença
    #[arg(long)]
    blind: bool,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Count {
    pub(super) fn run(self) -> Result<(), Error> {
        let request_id = self.options.request_id()?;
        let Some(counted) = self.counted else {
            return count_list(&self.name_or_file, request_id, self.blind, &self.options);
        };
        let measure = Measure::with_own_unit(&counted);
        let readings = measure.as_ref().map_or(Quantity::two_readings(&counted), Measure::two_readings);
        if let Some((thousands, units)) = readings {
            return Err(Refusal::two_readings(COUNTED_FIELD, &counted, thousands, units).into());
        }
        let mut request = CountRequest::of_one(&self.name_or_file, Quantity::ZERO, request_id);
        let line = &mut request.counts[0];
        match measure {
            Some(measure) => {
                line.counted = measure.certain()?;
                let unit = measure.unit().map(Unit::parse).transpose();
                line.unit = unit.map_err(|error| Refusal::unit(&error))?;
            }
            None => {
                line.counted = counted.parse().map_err(|error| Refusal::quantity(COUNTED_FIELD, &error))?
            }
        }
        let request = Request::CountStock(request);
        self.options.print(&shown(self.options.send(&request)?, self.blind))
    }
}

/// The reply, without what differed if the count is blind.
fn shown(reply: Reply, is_blind: bool) -> Reply {
    let counted = |change: ChangeReply| ChangeReply { movement: None, ..change };
    match reply {
        Reply::Changes(changes) if is_blind => Reply::Changes(changes.into_iter().map(counted).collect()),
        Reply::Change(change) if is_blind => Reply::Change(counted(change)),
        reply => reply,
    }
}

fn count_list(
    file: &str,
    request_id: Option<RequestId>,
    is_blind: bool,
    options: &ChangeOptions,
) -> Result<(), Error> {
    let source = if file == STANDARD { "entrada padrão" } else { file };
    let refused =
        |what: String| Error::from(Refusal::new(Code::InvalidArgument, format!("{source}: {what}.")));
    let list = read_counts(&read_file(Path::new(file), "Nada foi alterado")?);
    let CountList { rows, uncounted, bad, notes } = list.map_err(|error| refused(error.to_string()))?;
    if !bad.is_empty() {
        let faults = bad_rows_shown(&bad, bad.len());
        return Err(refused(format!("{faults}\nNada foi alterado; corrija e conte de novo")));
    }
    if rows.is_empty() || rows.len() > COUNT_LINES_MAX {
        let what = format!(
            "a lista tem {} produtos contados; o limite é de 1 a {COUNT_LINES_MAX}. Nada foi alterado; ponha nome e \
             quantidade em cada linha, ou divida a lista",
            rows.len()
        );
        return Err(refused(what));
    }
    for text in notes {
        note(&format!("Aviso: {text}."));
    }
    let counts = rows.iter().map(|row| CountedName {
        name: row.name.as_str(),
        counted: row.counted,
        at_sequence: 0,
        unit: row.unit.clone(),
    });
    let counts = counts.collect();
    let request = Request::CountStock(CountRequest { counts, request_id, is_blind: false, note: None });
    let reply = options.send(&request).map_err(|error| with_line(error, &rows))?;
    let reply = shown(reply, is_blind);
    let printed = options.print(&reply);
    if let Reply::Changes(changes) = &reply {
        let differ = changes.iter().filter(|change| change.movement.is_some()).count();
        // A person who may not see stocks does not see the differences either.
        let differ = if differ > 0 { format!("com diferença: {differ}; ") } else { String::new() };
        note(&format!("Contados: {}; {differ}sem quantidade na lista: {uncounted}.", changes.len()));
    }
    printed
}

/// The refusal of one of these rows, with its line.
fn with_line(error: Error, rows: &[CountedRow]) -> Error {
    let Error::Failed(ClientError::Refused(mut refusal)) = error else { return error };
    let index = refusal.metadata.iter().find(|(key, _)| *key == "index").map(|(_, index)| index.parse());
    if let Some(row) = index.and_then(|index: Result<usize, _>| rows.get(index.ok()?)) {
        refusal.message = format!("linha {}: {}", row.line, refusal.message);
    }
    refusal.into()
}
