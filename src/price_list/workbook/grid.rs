//! The cells of a sheet that are not empty, by row.

use std::collections::BTreeMap;

use calamine::{Data, Dimensions, Sheet, SheetType, SheetVisible};

use super::error::WorkbookError;
use super::hidden::Hidden;
use crate::price_list::limits::COLUMNS_MAX;
use crate::price_list::record::{Kind, Line, Record};

/// The decimals to which a number is read: more than any price or quantity has, and fewer than the noise of
/// sums in binary.
const DECIMALS: usize = 9;

/// The numbers below this one have no noise in their whole digits.
const NOISE_FROM: f64 = 1_000_000_000_000_000.0;

/// The bytes that a cell takes beside its text.
const CELL_BYTES: usize = 64;

/// A sheet.
#[derive(Debug, Default)]
pub(super) struct Grid {
    pub(super) name: String,
    /// The place among all sheets of the workbook.
    pub(super) place: usize,
    pub(super) hidden: Hidden,
    rows: BTreeMap<u32, Record>,
    /// The bytes that the cells may still take.
    bytes_left: usize,
}

impl Grid {
    /// An empty sheet, whose cells may take so many bytes.
    pub(super) fn new(place: usize, name: &str, bytes_max: usize) -> Self {
        Self { name: name.to_owned(), place, bytes_left: bytes_max, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that are not empty, each with its number.
    pub(super) fn rows(&self) -> impl Iterator<Item = Line> {
        let rows = self.rows.iter().filter(|(_, row)| !row.is_blank());
        rows.map(|(row, record)| (u64::from(*row) + 1, Ok(record.clone())))
    }

    /// Adds a cell. The cells of a row must come in order; a cell that comes again is left out.
    ///
    /// # Errors
    /// If the cell stands too far to the right, or the sheet takes more memory than it may.
    pub(super) fn add(
        &mut self,
        (row, column): (u32, u32),
        value: &Data,
        has_formula: bool,
    ) -> Result<(), WorkbookError> {
        let (text, kind) = match (value, has_formula) {
            (Data::Empty, false) => return Ok(()),
            (Data::Empty, true) => (String::new(), Kind::Uncalculated),
            (value, _) => shown(value),
        };
        let column = column as usize;
        if column >= COLUMNS_MAX {
            return Err(WorkbookError::TooManyColumns(column + 1));
        }
        let record = self.rows.entry(row).or_default();
        let gap = column.saturating_sub(record.len());
        let bytes = text.len() + CELL_BYTES * (1 + gap);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(WorkbookError::TooManyCells)?;
        if record.len() <= column {
            (0..gap).for_each(|_| record.push("", Kind::Text));
            // A byte of zero separates no cells, and is in no name.
            record.push(&text.replace('\0', ""), kind);
        }
        Ok(())
    }

    /// Puts a text that is merged over several rows into each of them, as a person sees it beside each. A number is
    /// not: nobody knows whether it is of all rows together.
    ///
    /// # Errors
    /// If the sheet takes more memory than it may.
    pub(super) fn spread(&mut self, mut merged: Vec<Merged>) -> Result<(), WorkbookError> {
        merged.sort_unstable();
        let mut below = (0, 0);
        for Merged { column, first_row, last_row } in merged {
            // Cells that are merged twice are merged once.
            if (column, first_row) < below || last_row <= first_row {
                continue;
            }
            below = (column, last_row.saturating_add(1));
            let place = column as usize;
            let Some(first) = self.rows.get(&first_row) else { continue };
            if first.kind(place) != Kind::Text || first.is_blank_at(place) {
                continue;
            }
            let text = first.get(place).unwrap_or_default().to_owned();
            for (_, row) in self.rows.range_mut(first_row + 1..=last_row) {
                if row.is_blank() || !row.is_blank_at(place) {
                    continue;
                }
                let bytes = text.len() + CELL_BYTES * (1 + place.saturating_sub(row.len()));
                self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(WorkbookError::TooManyCells)?;
                row.fill(place, &text);
            }
        }
        Ok(())
    }
}

/// The sheets of a workbook that are shown, and the number of those that are hidden.
pub(super) struct Sheets {
    pub(super) shown: Vec<Grid>,
    pub(super) hidden: usize,
}

/// The places and names of the sheets that are shown, and the number of those that are hidden. A sheet without cells,
/// as of a chart, is neither.
pub(super) fn shown_sheets(all: &[Sheet]) -> (Vec<(usize, String)>, usize) {
    let all = all.iter().enumerate().filter(|(_, sheet)| sheet.typ == SheetType::WorkSheet);
    let (shown, hidden): (Vec<_>, Vec<_>) =
        all.partition(|(_, sheet)| sheet.visible == SheetVisible::Visible);
    (shown.into_iter().map(|(place, sheet)| (place, sheet.name.clone())).collect(), hidden.len())
}

/// Cells that are merged into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Merged {
    pub(super) column: u32,
    pub(super) first_row: u32,
    pub(super) last_row: u32,
}

impl From<&Dimensions> for Merged {
    fn from(cells: &Dimensions) -> Self {
        Self { column: cells.start.1, first_row: cells.start.0, last_row: cells.end.0 }
    }
}

/// The text of a value, and its kind.
fn shown(value: &Data) -> (String, Kind) {
    match value {
        Data::Empty => (String::new(), Kind::Text),
        Data::Int(number) => (number.to_string(), Kind::Number),
        Data::Float(number) => number_shown(*number),
        Data::String(text) => (text.clone(), Kind::Text),
        Data::Bool(is_true) => ((if *is_true { "sim" } else { "não" }).to_owned(), Kind::Text),
        Data::DateTime(time) if time.is_duration() => (time.as_f64().to_string(), Kind::Date),
        Data::DateTime(time) => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            (format!("{day:02}/{month:02}/{year}"), Kind::Date)
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => (text.clone(), Kind::Date),
        Data::Error(_) => ("#ERRO".to_owned(), Kind::Fault),
    }
}

/// A number with a decimal point and no zeros at its end.
fn number_shown(number: f64) -> (String, Kind) {
    if !number.is_finite() {
        return ("#ERRO".to_owned(), Kind::Fault);
    }
    if number.abs() >= NOISE_FROM {
        return (format!("{number}"), Kind::Number);
    }
    // Behind the digits that a number surely has, there is only noise.
    let whole_digits = format!("{:.0}", number.abs()).len();
    let decimals = DECIMALS.min((f64::DIGITS as usize).saturating_sub(whole_digits));
    let text = format!("{number:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    (if text == "-0" { "0" } else { text }.to_owned(), Kind::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_sheet_shows() {
        for (number, text) in [
            (3.5, "3.5"),
            (12.0, "12"),
            (0.1 + 0.2, "0.3"),
            (1.125, "1.125"),
            (7_891_000_100_103.0, "7891000100103"),
            (-0.0, "0"),
            (3.333_333_333_333, "3.333333333"),
            (9_999_999_999.99, "9999999999.99"),
            (999_999_999_999.125, "999999999999.125"),
        ] {
            assert_eq!(number_shown(number), (text.to_owned(), Kind::Number));
        }
        assert_eq!(number_shown(f64::NAN).1, Kind::Fault);
    }

    #[test]
    fn a_sheet_takes_no_more_than_it_may() {
        let mut grid = Grid::new(0, "a", 1000);
        grid.add((5, 2), &Data::Float(1.5), false).unwrap();
        grid.add((1, 0), &Data::String("Uva".to_owned()), false).unwrap();
        grid.add((1, 1), &Data::Empty, true).unwrap();
        let rows: Vec<_> = grid.rows().map(|(row, record)| (row, record.unwrap().len())).collect();
        assert_eq!(rows, [(2, 2), (6, 3)]);
        assert!(matches!(
            grid.add((0, 300), &Data::Bool(true), false),
            Err(WorkbookError::TooManyColumns(301))
        ));
        assert!(matches!(grid.add((9, 200), &Data::Bool(true), false), Err(WorkbookError::TooManyCells)));
    }
}
