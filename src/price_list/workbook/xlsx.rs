//! Reads `.xlsx` cell by cell, because a sheet may have two cells that are a billion cells apart.

use std::io::{BufReader, Cursor};

use calamine::{Data, Reader as _, Xlsx, XlsxError};
use quick_xml::Reader as XmlReader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::error::WorkbookError;
use super::grid::{Grid, Merged, Sheets, shown_sheets};
use super::hidden::Hidden;
use crate::price_list::limits::CELLS_MAX;

/// The sheets that are shown.
///
/// # Errors
/// If the workbook is damaged or encrypted, or takes more memory than it may.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Sheets, WorkbookError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let (shown, hidden) = shown_sheets(workbook.sheets_metadata());
    let mut sheets = Vec::with_capacity(shown.len());
    for (place, name) in shown {
        let mut grid = Grid::new(place, &name, bytes_max);
        let mut cells = workbook.worksheet_cells_reader(&name).map_err(refused)?;
        let mut count = 0;
        while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(refused)? {
            count += 1;
            if count > CELLS_MAX {
                return Err(WorkbookError::TooManyCells);
            }
            grid.add(cell.pos, &Data::from(cell.value), cell.formula.is_some())?;
        }
        drop(cells);
        let merged = workbook.merge_cells_by_sheet_name(&name).map_err(refused)?;
        grid.spread(merged.iter().map(Merged::from).collect())?;
        sheets.push(grid);
    }
    Ok(Sheets { shown: sheets, hidden })
}

/// The hidden rows and columns of the sheet at this place; `None` if they are not found.
pub(super) fn hidden(bytes: &[u8], place: usize) -> Option<Hidden> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let (mut ids, mut path) = (Vec::new(), None);
    visit(&mut archive, "xl/workbook.xml", |element| {
        if element.local_name().as_ref() == "sheet" {
            ids.push(attribute(element, "id"));
        }
    })?;
    let id = ids.get(place)?.clone()?;
    visit(&mut archive, "xl/_rels/workbook.xml.rels", |element| {
        if attribute(element, "Id").is_some_and(|it| it == id) {
            path = attribute(element, "Target");
        }
    })?;
    let path = path?;
    let path = path.strip_prefix('/').map_or_else(|| format!("xl/{path}"), str::to_owned);
    let (mut hidden, mut next_row) = (Hidden::default(), 0);
    visit(&mut archive, &path, |element| {
        let number = |name| attribute(element, name).and_then(|it| it.parse::<u64>().ok());
        let is_hidden = || attribute(element, "hidden").is_some_and(|it| it == "1" || it == "true");
        match element.local_name().as_ref() {
            "row" => {
                let row = number("r").map_or(next_row, |row| row.saturating_sub(1));
                next_row = row.saturating_add(1);
                if is_hidden() {
                    hidden.add_rows(row, 1);
                }
            }
            "col" if is_hidden() => {
                let place = |name| Some(usize::try_from(number(name)?).ok()?.saturating_sub(1));
                if let (Some(first), Some(last)) = (place("min"), place("max")) {
                    hidden.add_columns(first, last);
                }
            }
            _ => {}
        }
    })?;
    Some(hidden)
}

/// Gives all elements of a part. `None` if it is no whole XML.
fn visit(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    path: &str,
    mut take: impl FnMut(&BytesStart<'_>),
) -> Option<()> {
    let mut reader = XmlReader::from_reader(BufReader::new(archive.by_name(path).ok()?));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(element) | Event::Empty(element) => take(&element),
            Event::Eof => return Some(()),
            _ => {}
        }
    }
}

/// The attribute of this name, with any prefix.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = element.attributes().flatten();
    all.find(|it| it.key.local_name().as_ref() == name).map(|it| it.value.as_ref().to_owned())
}

fn refused(error: XlsxError) -> WorkbookError {
    match error {
        XlsxError::Password => WorkbookError::Password,
        _ => WorkbookError::Damaged,
    }
}
