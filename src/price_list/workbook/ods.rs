//! Reads `.ods`. A cell or a row may say that it is repeated a million times, so the repetitions are counted first.

use std::io::{BufReader, Cursor};
use std::mem::take;

use calamine::{Ods, OdsError, Reader as _};
use quick_xml::Reader as XmlReader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::error::WorkbookError;
use super::grid::{Grid, Merged, Sheets, shown_sheets};
use super::hidden::Hidden;
use crate::price_list::limits::CELLS_MAX;

/// The bytes that a cell takes in the library beside its text: a value and a formula.
const CELL_BYTES: usize = 64;

/// The sheets that are shown.
///
/// # Errors
/// If the workbook is damaged or encrypted, or takes more memory than it may.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Sheets, WorkbookError> {
    let mut measured = measure(bytes, bytes_max)?;
    let mut workbook = Ods::new(Cursor::new(bytes)).map_err(refused)?;
    let (shown, hidden_sheets) = shown_sheets(workbook.sheets_metadata());
    let mut sheets = Vec::with_capacity(shown.len());
    for (index, name) in shown {
        let values = workbook.worksheet_range(&name).map_err(refused)?;
        let formulas = workbook.worksheet_formula(&name).map_err(refused)?;
        let mut grid = Grid::new(index, &name, bytes_max);
        let start = values.start().unwrap_or_default();
        for (row, column, value) in values.cells() {
            let at = (start.0 + row as u32, start.1 + column as u32);
            grid.add(at, value, formulas.get_value(at).is_some_and(|formula| !formula.is_empty()))?;
        }
        let (merged, hidden) = measured.get_mut(index).map(take).unwrap_or_default();
        grid.spread(merged)?;
        grid.hidden = hidden;
        sheets.push(grid);
    }
    Ok(Sheets { shown: sheets, hidden: hidden_sheets })
}

/// The size of a table that is being counted.
#[derive(Default)]
struct Table {
    /// All rows, and those up to the last that is not empty.
    rows: u64,
    used_rows: u64,
    /// The columns up to the last cell that is not empty in any row.
    used_columns: u64,
}

/// The size of a row that is being counted.
struct Row {
    repeats: u64,
    columns: u64,
    used_columns: u64,
    /// The bytes of the cells that are not empty, each as often as it is repeated.
    bytes: u64,
}

/// The tables of a workbook as they are counted.
#[derive(Default)]
struct Tables {
    table: Table,
    row: Option<Row>,
    /// How often the cell that is read is repeated, and where its content begins, if it has a value.
    cell: Option<(u64, u64)>,
    /// The bytes of all rows that were read.
    bytes: u64,
    /// The columns of the table that is read, up to the one that is described.
    columns: u64,
    /// The cells of each table that are merged over several rows, and its hidden rows and columns.
    measured: Vec<(Vec<Merged>, Hidden)>,
}

impl Tables {
    /// Takes the start of an element, whose content begins at this byte.
    fn start(&mut self, element: &BytesStart<'_>, position: u64) {
        match element.name().as_ref() {
            "table:table" => {
                self.table = Table::default();
                self.columns = 0;
                self.measured.push(Default::default());
            }
            "table:table-column" => {
                let repeats = repeats(element, "table:number-columns-repeated");
                let after = self.columns.saturating_add(repeats);
                if let (Some((_, hidden)), true, Ok(first), Ok(after)) = (
                    self.measured.last_mut(),
                    is_hidden(element),
                    usize::try_from(self.columns),
                    usize::try_from(after),
                ) {
                    hidden.add_columns(first, after.saturating_sub(1));
                }
                self.columns = after;
            }
            "table:table-row" => {
                let repeats = repeats(element, "table:number-rows-repeated");
                if let (Some((_, hidden)), true) = (self.measured.last_mut(), is_hidden(element)) {
                    hidden.add_rows(self.table.rows, repeats);
                }
                self.row = Some(Row { repeats, columns: 0, used_columns: 0, bytes: 0 });
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let repeats = repeats(element, "table:number-columns-repeated");
                if let Some(row) = &mut self.row {
                    if let Some(cells) = merged_cells(element, &self.table, row)
                        && let Some((merged, _)) = self.measured.last_mut()
                    {
                        merged.push(cells);
                    }
                    row.columns = row.columns.saturating_add(repeats);
                }
                self.cell = has_value(element).then_some((repeats, position));
            }
            // Spaces that are only counted.
            "text:s" => {
                if let (Some((repeats_of_cell, _)), Some(row)) = (&self.cell, &mut self.row) {
                    let spaces = repeats(element, "text:c").saturating_mul(*repeats_of_cell);
                    row.bytes = row.bytes.saturating_add(spaces);
                }
            }
            _ => {}
        }
    }

    /// Takes the end of an element at this byte.
    ///
    /// # Errors
    /// If it is the end of a table that has too many cells.
    fn end(&mut self, element: &str, position: u64) -> Result<(), WorkbookError> {
        let Self { table, row, cell, bytes: all_bytes, .. } = self;
        match element {
            "table:table-cell" | "table:covered-table-cell" => {
                if let (Some((repeats, start)), Some(row)) = (cell.take(), row) {
                    let bytes = position.saturating_sub(start) + CELL_BYTES as u64;
                    row.bytes = row.bytes.saturating_add(bytes.saturating_mul(repeats));
                    row.used_columns = row.columns;
                }
            }
            "table:table-row" => {
                let Some(row) = row.take() else { return Ok(()) };
                table.rows = table.rows.saturating_add(row.repeats);
                if row.used_columns > 0 {
                    table.used_rows = table.rows;
                    table.used_columns = table.used_columns.max(row.used_columns);
                    *all_bytes = all_bytes.saturating_add(row.bytes.saturating_mul(row.repeats));
                }
            }
            "table:table" => {
                let cells = table.used_rows.saturating_mul(table.used_columns);
                if cells > CELLS_MAX as u64 {
                    return Err(WorkbookError::TooManyCells);
                }
                *all_bytes = all_bytes.saturating_add(cells.saturating_mul(CELL_BYTES as u64));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the rows take more bytes than this, or the one that is read does alone.
    fn take_more_than(&self, bytes_max: usize) -> bool {
        let row_bytes = self.row.as_ref().map_or(0, |row| row.bytes);
        self.bytes.max(row_bytes) > bytes_max as u64
    }
}

/// Checks that the repeated cells of all tables take no more bytes than they may, and that every element is closed.
/// Returns the cells of each table that are merged over several rows, and its hidden rows and columns, which the
/// library does not give.
///
/// # Errors
/// If they do, or the content is no whole XML.
fn measure(bytes: &[u8], bytes_max: usize) -> Result<Vec<(Vec<Merged>, Hidden)>, WorkbookError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| WorkbookError::Damaged)?;
    let content = archive.by_name("content.xml").map_err(|_| WorkbookError::Damaged)?;
    let mut reader = XmlReader::from_reader(BufReader::new(content));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut tables = Tables::default();
    let mut depth: u64 = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| WorkbookError::Damaged)? {
            Event::Start(start) => {
                depth += 1;
                tables.start(&start, reader.buffer_position());
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                tables.end(end.name().as_ref(), reader.buffer_position())?;
            }
            // The library reads on for ever behind the end of a table that is not closed.
            Event::Eof if depth > 0 => return Err(WorkbookError::Damaged),
            Event::Eof => return Ok(tables.measured),
            _ => {}
        }
        if tables.take_more_than(bytes_max) {
            return Err(WorkbookError::TooLarge(bytes_max));
        }
    }
}

/// The cells over which a cell says that it is spread, if they have several rows. It is the next of its row, and that
/// the next of its table.
fn merged_cells(cell: &BytesStart<'_>, table: &Table, row: &Row) -> Option<Merged> {
    let rows = repeats(cell, "table:number-rows-spanned");
    let (first_row, last_row) = (table.rows, table.rows.checked_add(rows.checked_sub(1)?)?);
    let cells = Merged {
        column: u32::try_from(row.columns).ok()?,
        first_row: u32::try_from(first_row).ok()?,
        last_row: u32::try_from(last_row).ok()?,
    };
    (rows > 1).then_some(cells)
}

/// Whether a row or a column is hidden, by a person or by a filter.
fn is_hidden(element: &BytesStart<'_>) -> bool {
    let attribute = element.try_get_attribute("table:visibility").ok().flatten();
    attribute.is_some_and(|it| matches!(it.value.as_ref(), "collapse" | "filter"))
}

/// How often an element says that it is repeated.
fn repeats(element: &BytesStart<'_>, name: &str) -> u64 {
    let attribute = element.try_get_attribute(name).ok().flatten();
    let number = attribute.and_then(|attribute| attribute.value.trim().parse().ok());
    number.unwrap_or(1)
}

/// Whether a cell has a value or a formula.
fn has_value(cell: &BytesStart<'_>) -> bool {
    cell.attributes().flatten().any(|attribute| {
        let key = attribute.key.as_ref();
        key.starts_with("office:") || key.starts_with("calcext:") || key == "table:formula"
    })
}

fn refused(error: OdsError) -> WorkbookError {
    match error {
        OdsError::Password => WorkbookError::Password,
        OdsError::CellLimitExceeded { .. } => WorkbookError::TooManyCells,
        _ => WorkbookError::Damaged,
    }
}
