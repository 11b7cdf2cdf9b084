//! Reads `.xls`. The library trusts the places that a file names, so they are checked first: chains of sectors by
//! another library, and the rows and columns of cells here.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};
use std::mem::take;

use calamine::{Reader as _, Xls, XlsError};

use super::error::WorkbookError;
use super::grid::{Grid, Merged, Sheets, shown_sheets};
use super::hidden::Hidden;
use crate::price_list::limits::CELLS_MAX;

/// The names of the stream with the sheets, of Excel 97 and of Excel 5.
const STREAMS: [&str; 2] = ["/Workbook", "/Book"];

/// The stream of a newer workbook that is encrypted.
const ENCRYPTED: &str = "/EncryptedPackage";

/// The types of records: the beginning of a sheet, the name and the place of one, the size of one, cells of several
/// columns, cells, a row, and columns.
const BEGIN: u16 = 0x0809;
const SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const SEVERAL: u16 = 0x00BD;
const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007D;
const CELLS: [u16; 7] = [0x0203, 0x0204, 0x00D6, 0x0205, 0x027E, 0x00FD, 0x0006];

/// The place of the signs in a record of a row and of columns, and the sign of each that says that they are hidden.
const ROW_HIDDEN: (usize, u16) = (12, 0x20);
const COLUMNS_HIDDEN: (usize, u16) = (8, 0x01);

/// The sheets that are shown.
///
/// # Errors
/// If the workbook is damaged or encrypted, or takes more memory than it may.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Sheets, WorkbookError> {
    let mut measured = measure(bytes)?;
    let mut workbook = Xls::new(Cursor::new(bytes)).map_err(refused)?;
    let (shown, hidden) = shown_sheets(workbook.sheets_metadata());
    let mut sheets = Vec::with_capacity(shown.len());
    for (place, name) in shown {
        let values = workbook.worksheet_range(&name).map_err(refused)?;
        let mut grid = Grid::new(place, &name, bytes_max);
        let start = values.start().unwrap_or_default();
        for (row, column, value) in values.used_cells() {
            grid.add((start.0 + row as u32, start.1 + column as u32), value, false)?;
        }
        let merged = workbook.merge_cells_by_sheet_name(&name).map_err(refused)?;
        grid.spread(merged.iter().map(Merged::from).collect())?;
        grid.hidden = measured.get_mut(place).map(take).unwrap_or_default();
        sheets.push(grid);
    }
    Ok(Sheets { shown: sheets, hidden })
}

/// Checks that the sheets have no more cells than they may, and begin where the file says. Returns the hidden rows and
/// columns of each, which the library does not give.
///
/// # Errors
/// If they do not, or the file is damaged.
fn measure(bytes: &[u8]) -> Result<Vec<Hidden>, WorkbookError> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| WorkbookError::Damaged)?;
    // The library follows a chain of sectors for as long as the stream says that it is.
    if file.walk().any(|entry| entry.len() > bytes.len() as u64) {
        return Err(WorkbookError::Damaged);
    }
    if file.exists(ENCRYPTED) {
        return Err(WorkbookError::Password);
    }
    let name = STREAMS.into_iter().find(|name| file.is_stream(name)).ok_or(WorkbookError::Damaged)?;
    let mut stream = Vec::new();
    let read =
        file.open_stream(name).and_then(|part| part.take(bytes.len() as u64 + 1).read_to_end(&mut stream));
    read.map_err(|_| WorkbookError::Damaged)?;
    check(&stream)
}

/// The rectangle of the cells of a sheet.
#[derive(Debug, Default)]
struct Area {
    rows: Option<(u64, u64)>,
    columns: Option<(u64, u64)>,
}

impl Area {
    fn add(&mut self, row: u16, first_column: u16, last_column: u16) {
        let wider = |ends: Option<(u64, u64)>, first: u16, last: u16| {
            let (low, high) = ends.unwrap_or((first.into(), last.into()));
            Some((low.min(first.into()), high.max(last.into())))
        };
        self.rows = wider(self.rows, row, row);
        self.columns = wider(self.columns, first_column, last_column);
    }

    fn cells(&self) -> u64 {
        let length = |ends: Option<(u64, u64)>| ends.map_or(0, |(low, high)| high - low + 1);
        length(self.rows) * length(self.columns)
    }
}

fn check(stream: &[u8]) -> Result<Vec<Hidden>, WorkbookError> {
    let number = |data: &[u8], at: usize| -> Option<u16> {
        Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
    };
    let (mut begins, mut named): (HashMap<usize, Hidden>, Vec<usize>) = (HashMap::new(), Vec::new());
    let mut begin = 0;
    let mut area = Area::default();
    let mut at = 0;
    while let (Some(kind), Some(length)) = (number(stream, at), number(stream, at + 2)) {
        let data = stream.get(at + 4..at + 4 + usize::from(length)).ok_or(WorkbookError::Damaged)?;
        match kind {
            BEGIN => {
                begin = at;
                begins.insert(at, Hidden::default());
                area = Area::default();
            }
            SHEET => {
                let place = data.first_chunk::<4>().ok_or(WorkbookError::Damaged)?;
                named.push(u32::from_le_bytes(*place) as usize);
            }
            DIMENSIONS => check_dimensions(data)?,
            ROW | COLUMNS => {
                let (at, hidden) = if kind == ROW { ROW_HIDDEN } else { COLUMNS_HIDDEN };
                if let (Some(signs), Some(first), Some(last), Some(sheet)) =
                    (number(data, at), number(data, 0), number(data, 2), begins.get_mut(&begin))
                    && signs & hidden != 0
                {
                    match kind {
                        ROW => sheet.add_rows(first.into(), 1),
                        _ => sheet.add_columns(first.into(), last.into()),
                    }
                }
            }
            SEVERAL => {
                let last = data.len().checked_sub(2).and_then(|at| number(data, at));
                let (Some(row), Some(first), Some(last)) = (number(data, 0), number(data, 2), last) else {
                    return Err(WorkbookError::Damaged);
                };
                if last < first {
                    return Err(WorkbookError::Damaged);
                }
                area.add(row, first, last);
            }
            kind if CELLS.contains(&kind) => {
                let (Some(row), Some(column)) = (number(data, 0), number(data, 2)) else {
                    return Err(WorkbookError::Damaged);
                };
                area.add(row, column, column);
            }
            _ => {}
        }
        if area.cells() > CELLS_MAX as u64 {
            return Err(WorkbookError::TooManyCells);
        }
        at += 4 + usize::from(length);
    }
    let of_each = named.into_iter().map(|place| begins.remove(&place).ok_or(WorkbookError::Damaged));
    of_each.collect()
}

/// Checks the size that a sheet says it has, for which the library makes room. Rows have four bytes since Excel 97
/// and two before.
fn check_dimensions(data: &[u8]) -> Result<(), WorkbookError> {
    let long = |at: usize| data.get(at..at + 4).and_then(|it| Some(u32::from_le_bytes(it.try_into().ok()?)));
    let short = |at: usize| {
        data.get(at..at + 2).and_then(|it| Some(u32::from(u16::from_le_bytes(it.try_into().ok()?))))
    };
    let ends = match data.len() {
        10 => [short(0), short(2), short(4), short(6)],
        _ => [long(0), long(4), short(8), short(10)],
    };
    let [Some(first_row), Some(end_row), Some(first_column), Some(end_column)] = ends else {
        return Err(WorkbookError::Damaged);
    };
    let length = |first: u32, end: u32| u64::from(end.saturating_sub(first)) + 1;
    let cells = length(first_row, end_row) * length(first_column, end_column);
    if cells > CELLS_MAX as u64 { Err(WorkbookError::TooManyCells) } else { Ok(()) }
}

fn refused(error: XlsError) -> WorkbookError {
    match error {
        XlsError::Password => WorkbookError::Password,
        _ => WorkbookError::Damaged,
    }
}
