//! Events of a watched shop, one a line as they come.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::format::Format;
use super::movements::{JsonMovement, csv_head, csv_row};
use super::{JsonProduct, json};
use crate::catalog::Author;
use crate::local_time::LocalTime;
use crate::operation::{MovementReply, WatchEvent};

/// The columns of the table, with their least widths. No later line is known when one is written.
const COLUMNS: [(&str, usize, bool); 7] = [
    ("Nº", 8, true),
    ("Quando", 25, false),
    ("Motivo", 8, false),
    ("Quantidade", 12, true),
    ("Saldo", 12, true),
    ("Valor", 14, true),
    ("Produto", 0, false),
];

#[derive(Serialize)]
struct JsonProductEvent<'a> {
    product: JsonProduct<'a>,
}

/// Writes the headings, if the format has some.
///
/// # Errors
/// If the output fails.
pub fn render_live_head(out: &mut impl Write, format: Format) -> io::Result<()> {
    match format {
        Format::Table => row(out, COLUMNS.map(|(name, ..)| name.to_owned())),
        Format::Csv => csv_head(out),
        Format::Text | Format::Json | Format::Ndjson => Ok(()),
    }
}

/// Writes an event as a line. JSON has movements as `history` shows them, and products as `{"product":…}`; the
/// other formats have movements only.
///
/// # Errors
/// If the output fails.
pub fn render_live(out: &mut impl Write, event: &WatchEvent, format: Format) -> io::Result<()> {
    let movement = match (event, format) {
        (WatchEvent::Movement(movement), _) => movement,
        (WatchEvent::Product(product), Format::Json | Format::Ndjson) => {
            let event = JsonProductEvent { product: product.into() };
            return json(out, [event].into_iter(), Format::Ndjson);
        }
        (WatchEvent::Product(_) | WatchEvent::Heartbeat(_), _) => return Ok(()),
    };
    match format {
        Format::Text => writeln!(out, "{movement}"),
        Format::Json | Format::Ndjson => {
            json(out, [JsonMovement::from(movement)].into_iter(), Format::Ndjson)
        }
        Format::Csv => csv_row(out, movement),
        Format::Table => {
            let MovementReply { sequence, product_name, kind, delta, balance, amount, author, .. } = movement;
            let by = author.as_ref().map_or(String::new(), |author: &Author| format!(" (por {author})"));
            let cells = [
                format!("#{sequence}"),
                LocalTime(movement.recorded_at).to_string(),
                kind.word().to_owned(),
                delta.with_comma().to_string().replace('-', "\u{2212}"),
                balance.with_comma().to_string(),
                amount.in_reais().to_string(),
                format!("{product_name}{by}"),
            ];
            row(out, cells)
        }
    }
}

fn row(out: &mut impl Write, cells: [String; COLUMNS.len()]) -> io::Result<()> {
    let mut line = String::new();
    for (cell, (_, width, is_right)) in cells.iter().zip(COLUMNS) {
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        match is_right {
            true => line.extend([padding.as_str(), cell, "  "]),
            false => line.extend([cell, padding.as_str(), "  "]),
        }
    }
    writeln!(out, "{}", line.trim_end())
}
