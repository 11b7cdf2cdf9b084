//! Totals of movements.

use std::io::{self, Write};

use serde::Serialize;

use super::Format;
use super::cells::{Align, json, table, text_cell};
use crate::operation::{NO_MOVEMENT, Summary};

/// The names of the columns.
const COLUMNS: [(&str, Align); 5] = [
    ("Grupo", Align::Left),
    ("Motivo", Align::Left),
    ("Movimentos", Align::Right),
    ("Quantidade", Align::Right),
    ("Valor (R$)", Align::Right),
];

pub(super) fn render(out: &mut impl Write, totals: &[Summary], format: Format) -> io::Result<()> {
    match format {
        Format::Text if totals.is_empty() => writeln!(out, "{NO_MOVEMENT}"),
        Format::Text | Format::Table => table(
            out,
            &COLUMNS,
            totals.iter().map(|total| {
                let kind = total.kind.word().to_owned();
                [
                    total.group.clone(),
                    kind,
                    total.count.to_string(),
                    total.quantity.to_string(),
                    total.amount.to_string(),
                ]
            }),
        ),
        Format::Json | Format::Ndjson => json(out, totals.iter().map(JsonSummary::from), format),
        Format::Csv => {
            writeln!(out, "grupo,motivo,movimentos,quantidade,valor")?;
            totals.iter().try_for_each(|total| {
                let (group, kind) = (text_cell(&total.group), total.kind.word());
                writeln!(out, "{group},{kind},{},{},{}", total.count, total.quantity, total.amount)
            })
        }
    }
}

#[derive(Serialize)]
struct JsonSummary<'a> {
    group: &'a str,
    kind: &'a str,
    movement_count: i64,
    quantity_thousandths: i64,
    amount_centavos: i64,
}

impl<'a> From<&'a Summary> for JsonSummary<'a> {
    fn from(total: &'a Summary) -> Self {
        Self {
            group: &total.group,
            kind: total.kind.word(),
            movement_count: total.count,
            quantity_thousandths: total.quantity.thousandths(),
            amount_centavos: total.amount.centavos(),
        }
    }
}
