//! The rows of a file, text or workbook.

use super::columns::Columns;
use super::error::PriceListError;
use super::record::{Line, Record};
use super::sheet::Sheet;
use super::text;
use super::workbook::{self, Workbook};

/// A table of a file.
pub(super) enum Table {
    Text(Sheet),
    Workbook(Workbook),
}

impl Table {
    /// The table of a file. `header_columns` says how many columns the header of some rows has, if one of the
    /// first is a header.
    ///
    /// # Errors
    /// If the file is of another kind or encoding, or takes more memory than it may.
    pub(super) fn of(
        bytes: &[u8],
        inflated_bytes_max: usize,
        header_columns: impl Fn(&mut dyn Iterator<Item = Line>) -> Option<usize>,
    ) -> Result<Self, PriceListError> {
        if let Some(workbook) = workbook::read(bytes, inflated_bytes_max, &header_columns)? {
            return Ok(Table::Workbook(workbook));
        }
        let mut text = text::decode(bytes)?;
        // DOS programs ended a text with this character.
        text.truncate(text.trim_end_matches('\u{1A}').len());
        Ok(Table::Text(Sheet::of(text, header_columns)?))
    }

    /// The rows that are not empty, each with its line.
    pub(super) fn rows(&self) -> Box<dyn Iterator<Item = Line> + '_> {
        match self {
            Table::Text(sheet) => Box::new(sheet.rows()),
            Table::Workbook(workbook) => Box::new(workbook.rows()),
        }
    }

    /// Checks a row for the damage that a text file may have.
    ///
    /// # Errors
    /// If the row looks like parts of several, or is longer than the header.
    pub(super) fn check(&self, row: &Record, columns: &Columns) -> Result<(), String> {
        match self {
            Table::Text(sheet) => {
                sheet.check_quotes(row, columns).and_then(|()| sheet.check_width(row, columns))
            }
            Table::Workbook(_) => Ok(()),
        }
    }

    /// Notes on what of the file was not looked at, and on what is hidden there and was, in the columns that are read.
    pub(super) fn notes(&self, is_read: &dyn Fn(usize) -> bool) -> Vec<String> {
        match self {
            Table::Text(_) => Vec::new(),
            Table::Workbook(workbook) => workbook.notes(is_read),
        }
    }
}
