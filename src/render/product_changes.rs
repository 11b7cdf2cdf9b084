//! Changes of the terms of products, newest first.

use std::io::{self, Write};

use serde::Serialize;

use super::cells::{Align, json, table, text_cell};
use super::format::Format;
use crate::local_time::LocalTime;
use crate::operation::ProductChangeReply;

/// The text reply to a question that no change answers.
const NO_CHANGE: &str = "Nenhuma mudança encontrada.";

pub(super) fn render(out: &mut impl Write, changes: &[ProductChangeReply], format: Format) -> io::Result<()> {
    match format {
        Format::Text if changes.is_empty() => writeln!(out, "{NO_CHANGE}"),
        Format::Text => changes.iter().try_for_each(|change| {
            let when = time(change).map_or(String::new(), |time| format!("{time} "));
            writeln!(out, "{when}{}", change_told(change))
        }),
        Format::Table => table(
            out,
            &[
                ("Quando", Align::Left),
                ("Produto", Align::Left),
                ("Campo", Align::Left),
                ("Antes", Align::Left),
                ("Depois", Align::Left),
            ],
            changes.iter().map(|change| {
                [
                    time(change).unwrap_or_default(),
                    change.product_name.to_string(),
                    change.field.word().to_owned(),
                    change.field.shown(&change.old),
                    change.field.shown(&change.new),
                ]
            }),
        ),
        Format::Json | Format::Ndjson => json(out, changes.iter().map(JsonChange::from), format),
        Format::Csv => {
            writeln!(out, "quando,produto,campo,antes,depois")?;
            changes.iter().try_for_each(|change| {
                let cells = [
                    time(change).unwrap_or_default(),
                    change.product_name.to_string(),
                    change.field.word().to_owned(),
                    change.field.shown(&change.old),
                    change.field.shown(&change.new),
                ];
                writeln!(out, "{}", cells.each_ref().map(|cell| text_cell(cell).into_owned()).join(","))
            })
        }
    }
}

/// A change in the words for a person: `Caju: preço R$ 2,00 → R$ 2,50`.
pub(super) fn change_told(change: &ProductChangeReply) -> String {
    let (old, new) = (change.field.shown(&change.old), change.field.shown(&change.new));
    format!("{}: {} {old} → {new}", change.product_name, change.field.word())
}

fn time(change: &ProductChangeReply) -> Option<String> {
    change.recorded_at.map(|time| LocalTime(time).to_string())
}

#[derive(Serialize)]
struct JsonChange<'a> {
    product_name: &'a str,
    field: &'a str,
    old_value: &'a str,
    new_value: &'a str,
    recorded_at: Option<String>,
}

impl<'a> From<&'a ProductChangeReply> for JsonChange<'a> {
    fn from(change: &'a ProductChangeReply) -> Self {
        Self {
            product_name: change.product_name.as_str(),
            field: change.field.name(),
            old_value: &change.old,
            new_value: &change.new,
            recorded_at: time(change),
        }
    }
}
