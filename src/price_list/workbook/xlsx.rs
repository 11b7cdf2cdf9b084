//! Reads `.xlsx` cell by cell, because a sheet may have two cells that are a billion cells apart.

use std::io::Cursor;

use calamine::{Data, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::error::WorkbookError;
use super::grid::{Grid, Merged};
use crate::price_list::limits::CELLS_MAX;

/// The sheets that are shown.
///
/// # Errors
/// If the workbook is damaged or encrypted, or takes more memory than it may.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Vec<Grid>, WorkbookError> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(refused)?;
    let shown = workbook.sheets_metadata().iter();
    let shown =
        shown.filter(|sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet);
    let names: Vec<String> = shown.map(|sheet| sheet.name.clone()).collect();
    let mut sheets = Vec::with_capacity(names.len());
    for name in names {
        let mut grid = Grid::new(&name, bytes_max);
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
    Ok(sheets)
}

fn refused(error: XlsxError) -> WorkbookError {
    match error {
        XlsxError::Password => WorkbookError::Password,
        _ => WorkbookError::Damaged,
    }
}
