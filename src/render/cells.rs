//! Tables and JSON arrays, which several kinds of replies share.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::format::Format;
use crate::catalog::guarded;

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Writes rows as aligned columns with headings.
pub(super) fn table<const N: usize>(
    out: &mut impl Write,
    columns: &[(&str, Align); N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let header = columns.map(|(name, _)| name.to_owned());
    let rows: Vec<[String; N]> = std::iter::once(header).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for ((cell, (_, align)), width) in row.iter().zip(columns).zip(widths) {
            let padding = " ".repeat(width - cell.width());
            match align {
                Align::Left => line.extend([cell, padding.as_str(), "  "]),
                Align::Right => line.extend([padding.as_str(), cell, "  "]),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Writes rows as an array, or with an object in each line if the format is [`Format::Ndjson`].
pub(super) fn json<R: Serialize>(
    out: &mut impl Write,
    rows: impl Iterator<Item = R>,
    format: Format,
) -> io::Result<()> {
    if format == Format::Ndjson {
        for row in rows {
            serde_json::to_writer(&mut *out, &row)?;
            writeln!(out)?;
        }
        return Ok(());
    }
    serde_json::to_writer(&mut *out, &rows.collect::<Vec<R>>())?;
    writeln!(out)
}

/// A cell of text, in quotation marks if it needs them. The writer of the csv crate does not quote a
/// semicolon, at which a Brazilian spreadsheet begins another cell, and perhaps a formula.
pub(super) fn text_cell(text: &str) -> Cow<'_, str> {
    let cell = guarded(text);
    if cell.contains(['"', ',', ';', '\t', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell
    }
}
