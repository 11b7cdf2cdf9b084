//! Sheets as workbooks of Excel: cells with types, a header that stays in view, filters. Spreadsheets count in
//! floating point, so whole centavos and thousandths become numbers here, and nowhere before.

use rust_xlsxwriter::{Color, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::sheet::{Cell, Holds, Sheet};
use crate::catalog::guarded;
use crate::local_time::{spreadsheet_day, spreadsheet_days};

/// The most rows of a sheet in any spreadsheet.
const SHEET_ROWS_MAX: usize = 1_048_576;

/// The most characters of a sheet's name.
const TITLE_CHARS_MAX: usize = 31;

/// The characters that a sheet's name may not have.
const NOT_IN_TITLES: [char; 8] = ['[', ']', ':', '*', '?', '/', '\\', '\''];

/// The widths of columns, in characters, and the rows that are measured for them.
const WIDTH_MIN: usize = 9;
const WIDTH_MAX: usize = 60;
const ROWS_MEASURED_MAX: usize = 1000;

/// The colour behind the header.
const HEADER_COLOR: Color = Color::RGB(0xE2_EFDA);

/// Why a sheet cannot be a workbook.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// No spreadsheet has as many rows.
    #[error("são {0} linhas, e uma planilha tem até {SHEET_ROWS_MAX}: use --format csv, ou um período menor")]
    TooManyRows(usize),
    /// The library refuses a cell.
    #[error("a planilha não pôde ser feita: {0}")]
    Library(#[from] XlsxError),
}

/// The formats of the cells of one row.
struct Formats {
    text: Format,
    number: Format,
    whole: Format,
    quantity: Format,
    money: Format,
    percent: Format,
    time: Format,
    date: Format,
}

impl Formats {
    fn of(row: &Format) -> Self {
        let with = |format: &str| row.clone().set_num_format(format);
        Self {
            text: row.clone(),
            number: with("0"),
            whole: with("#,##0"),
            // Of a whole number, this would show the comma without anything behind it.
            quantity: with("#,##0.###"),
            money: with("\"R$\" #,##0.00"),
            percent: with("0.0%"),
            time: with("dd/mm/yyyy hh:mm:ss"),
            date: with("dd/mm/yyyy"),
        }
    }
}

/// The bytes of a workbook with this sheet: a header, the rows, the totals, and the notes below them.
///
/// # Errors
/// If the sheet has too many rows.
pub fn workbook(sheet: &Sheet) -> Result<Vec<u8>, WorkbookError> {
    let rows = sheet.rows.len() + sheet.notes.len() + 3;
    if rows > SHEET_ROWS_MAX {
        return Err(WorkbookError::TooManyRows(rows));
    }
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    page.set_name(title(&sheet.title))?;
    let header = Format::new().set_bold().set_background_color(HEADER_COLOR).set_align(FormatAlign::Center);
    for (column, place) in sheet.columns.iter().zip(0..) {
        page.write_string_with_format(0, place, column.heading, &header)?;
        page.set_column_width(place, width(sheet, usize::from(place)) as f64)?;
    }
    let plain = Formats::of(&Format::new());
    let mut next = 1;
    for row in &sheet.rows {
        write_row(page, next, row, &plain)?;
        next += 1;
    }
    let last_column = u16::try_from(sheet.columns.len()).unwrap_or(1).saturating_sub(1);
    page.set_freeze_panes(1, 0)?;
    page.autofilter(0, 0, next - 1, last_column)?;
    if !sheet.total.is_empty() {
        write_row(page, next, &sheet.total, &Formats::of(&Format::new().set_bold()))?;
        next += 1;
    }
    for note in &sheet.notes {
        next += 1;
        page.write_string_with_format(next, 0, note, &plain.text)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn write_row(page: &mut Worksheet, row: u32, cells: &[Cell], formats: &Formats) -> Result<(), XlsxError> {
    for (cell, column) in cells.iter().zip(0_u16..) {
        match cell {
            // An apostrophe before a formula marks a text, so that one that belongs to the text is doubled.
            Cell::Text(text) if text.starts_with('\'') => {
                page.write_string_with_format(row, column, guarded(text), &formats.text)?
            }
            Cell::Text(text) => page.write_string_with_format(row, column, text, &formats.text)?,
            Cell::Word { shown, .. } => page.write_string_with_format(row, column, *shown, &formats.text)?,
            Cell::Number(number) => {
                page.write_number_with_format(row, column, *number as f64, &formats.number)?
            }
            Cell::Quantity(quantity) => {
                let units = quantity.thousandths() as f64 / 1000.0;
                let format = if quantity.has_fraction() { &formats.quantity } else { &formats.whole };
                page.write_number_with_format(row, column, units, format)?
            }
            Cell::Money(centavos) => {
                page.write_number_with_format(row, column, *centavos as f64 / 100.0, &formats.money)?
            }
            Cell::Percent(tenths) => {
                page.write_number_with_format(row, column, *tenths as f64 / 1000.0, &formats.percent)?
            }
            Cell::Time(time) => {
                page.write_number_with_format(row, column, spreadsheet_days(*time), &formats.time)?
            }
            Cell::Date(date) => {
                page.write_number_with_format(row, column, spreadsheet_day(*date), &formats.date)?
            }
            Cell::Unknown(_) => continue,
        };
    }
    Ok(())
}

/// The name of a sheet with this title.
fn title(title: &str) -> String {
    let allowed = title.chars().map(|character| {
        let is_bad = character.is_control() || NOT_IN_TITLES.contains(&character);
        if is_bad { '-' } else { character }
    });
    let name: String = allowed.take(TITLE_CHARS_MAX).collect();
    if name.trim().is_empty() { "Planilha".to_owned() } else { name.trim().to_owned() }
}

/// The width of a column, by its heading and its first cells.
fn width(sheet: &Sheet, place: usize) -> usize {
    let column = &sheet.columns[place];
    let cells = sheet.rows.iter().take(ROWS_MEASURED_MAX).filter_map(|row| row.get(place));
    let widest = cells.map(Cell::shown_width).chain([column.heading.chars().count()]).max().unwrap_or(0);
    let room = if column.holds == Holds::Text { 2 } else { 5 };
    (widest + room).clamp(WIDTH_MIN, WIDTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_a_name_that_spreadsheets_take() {
        for (text, name) in [
            ("Perdas de 29/11/2026", "Perdas de 29-11-2026"),
            ("", "Planilha"),
            ("Vendas de 01/11/2026 a 29/11/2026, por produto", "Vendas de 01-11-2026 a 29-11-20"),
        ] {
            assert_eq!(title(text), name);
        }
    }
}
