//! The tables of workbooks: `.xlsx`, `.ods` and `.xls`.
//!
//! A small file may unfold to any size, so what it unfolds to is measured before a library reads it: the parts of
//! an archive by [`archive`], the repeated cells of an `.ods` by [`ods`], the places of an `.xls` by [`xls`].

mod archive;
mod error;
mod grid;
mod hidden;
mod ods;
mod xls;
mod xlsx;

use std::panic::catch_unwind;

use super::record::Line;
use crate::catalog::{Quoted, counted};
pub use error::WorkbookError;
use grid::Grid;

/// The first bytes of an archive, and of the older files of Office.
const ARCHIVE: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// The names of other sheets that a note lists.
const SHEETS_NAMED_MAX: usize = 5;

/// The sheet of a workbook that is read.
pub(super) struct Workbook {
    sheet: Grid,
    /// The names of the other sheets that are shown and not empty.
    others: Vec<String>,
    /// The number of sheets that are hidden, which are not read.
    hidden_sheets: usize,
}

/// Reads a workbook: its first sheet with a header, or else its first. `None` if the file is of another kind.
///
/// # Errors
/// If the workbook is damaged or encrypted, or takes more memory than it may.
pub(super) fn read(
    bytes: &[u8],
    inflated_bytes_max: usize,
    header_columns: impl Fn(&mut dyn Iterator<Item = Line>) -> Option<usize>,
) -> Result<Option<Workbook>, WorkbookError> {
    let mut is_xlsx = false;
    let read = if bytes.starts_with(ARCHIVE) {
        match archive::kind(bytes, inflated_bytes_max)? {
            archive::Kind::Xlsx => {
                is_xlsx = true;
                xlsx::read
            }
            archive::Kind::Ods => ods::read,
            archive::Kind::Xlsb => return Err(WorkbookError::Binary),
            archive::Kind::Other => return Ok(None),
        }
    } else if bytes.starts_with(COMPOUND) {
        xls::read
    } else {
        return Ok(None);
    };
    // The library panics at some of the damage that a workbook can have.
    let sheets = catch_unwind(|| read(bytes, inflated_bytes_max)).unwrap_or(Err(WorkbookError::Damaged))?;
    let hidden_sheets = sheets.hidden;
    let mut sheets: Vec<Grid> = sheets.shown.into_iter().filter(|sheet| !sheet.is_empty()).collect();
    let chosen = sheets.iter().position(|sheet| header_columns(&mut sheet.rows()).is_some()).unwrap_or(0);
    if sheets.is_empty() {
        return Ok(Some(Workbook { sheet: Grid::default(), others: Vec::new(), hidden_sheets }));
    }
    let mut sheet = sheets.remove(chosen);
    if is_xlsx {
        sheet.hidden = xlsx::hidden(bytes, sheet.place).unwrap_or_default();
    }
    let others = sheets.into_iter().map(|sheet| sheet.name).collect();
    Ok(Some(Workbook { sheet, others, hidden_sheets }))
}

impl Workbook {
    /// The rows that are not empty, each with its number.
    pub(super) fn rows(&self) -> impl Iterator<Item = Line> {
        self.sheet.rows()
    }

    /// Notes on the sheets that are not read, and on hidden rows and columns that are.
    pub(super) fn notes(&self, is_read: &dyn Fn(usize) -> bool) -> Vec<String> {
        [self.sheets_note(), self.hidden_note(is_read)].into_iter().flatten().collect()
    }

    fn hidden_note(&self, is_read: &dyn Fn(usize) -> bool) -> Option<String> {
        let hidden = &self.sheet.hidden;
        let rows = self.rows().filter(|(line, _)| hidden.has_row(line - 1)).count();
        let columns = hidden.columns().filter(|place| is_read(*place)).count();
        let rows = (rows > 0).then(|| counted(rows, "linha oculta foi lida", "linhas ocultas foram lidas"));
        let columns =
            (columns > 0).then(|| counted(columns, "coluna oculta foi lida", "colunas ocultas foram lidas"));
        let sheets = (self.hidden_sheets > 0)
            .then(|| counted(self.hidden_sheets, "aba oculta não foi lida", "abas ocultas não foram lidas"));
        let told: Vec<String> = [rows, columns, sheets].into_iter().flatten().collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn sheets_note(&self) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let quoted = |name: &String| Quoted(name).to_string();
        let named: Vec<String> = self.others.iter().take(SHEETS_NAMED_MAX).map(quoted).collect();
        let more = if self.others.len() > SHEETS_NAMED_MAX { ", …" } else { "" };
        let sheet = Quoted(&self.sheet.name);
        Some(format!("só a aba {sheet} foi lida; as outras são {}{more}", named.join(", ")))
    }
}
