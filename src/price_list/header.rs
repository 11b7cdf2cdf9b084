//! The header of a table: the row, or the two rows, that name the columns of one list or of several side by side.

use std::ops::Range;

use super::columns::{Columns, known_columns};
use super::error::PriceListError;
use super::field::Field;
use super::record::{Kind, Line, Record};
use super::table::Table;

/// The rows among which the header is looked for: titles, addresses and dates stand above it.
pub(super) const HEADER_ROWS_MAX: usize = 50;

/// A list of a table: its header, and its columns among those of the table.
pub(super) struct List {
    pub(super) places: Range<usize>,
    pub(super) header: Record,
    pub(super) columns: Columns,
}

/// The header of a table: that of one list, or of several side by side.
pub(super) struct Header {
    pub(super) lists: Vec<List>,
    /// The rows before the first product, with the header.
    pub(super) rows_before: usize,
}

impl Header {
    /// The lists whose header a row is.
    ///
    /// # Errors
    /// If it is none.
    fn of(row: &Record, given: &[(Field, String)]) -> Result<Vec<List>, PriceListError> {
        match Columns::of(row, given) {
            Ok(columns) => Ok(vec![List { places: 0..row.len(), header: row.clone(), columns }]),
            Err(error @ PriceListError::RepeatedColumn(_)) => {
                let places = Columns::side_by_side(row);
                if places.is_empty() {
                    return Err(error);
                }
                let list = |places: Range<usize>| {
                    let header = row.part(&places);
                    Ok(List { columns: Columns::of(&header, given)?, places, header })
                };
                places.into_iter().map(list).collect()
            }
            Err(error) => Err(error),
        }
    }
}

/// The number of columns of the header among the first of some rows, if one is a header.
pub(super) fn header_columns(
    rows: &mut dyn Iterator<Item = Line>,
    given: &[(Field, String)],
) -> Option<usize> {
    let rows = rows.take(HEADER_ROWS_MAX).filter_map(|(_, row)| row.ok());
    rows.filter(|row| Header::of(row, given).is_ok()).map(|row| row.len()).next()
}

/// Finds the header: the first of the first rows that names the name and the price.
///
/// # Errors
/// If there is none: what is wrong with the row that looks most like one.
pub(super) fn find_header(table: &Table, given: &[(Field, String)]) -> Result<Header, PriceListError> {
    let mut best: Option<(usize, PriceListError)> = None;
    let mut rows = table.rows().take(HEADER_ROWS_MAX).enumerate();
    while let Some((rows_before, (_, row))) = rows.next() {
        let Ok(row) = row else { break };
        match Header::of(&row, given) {
            Ok(lists) => {
                let below = rows.next().and_then(|(_, (_, row))| row.ok());
                let merged = below.and_then(|below| merged(&row, &below));
                let lists_below = merged.as_ref().and_then(|row| Header::of(row, given).ok());
                let rows_before = rows_before + 1 + usize::from(lists_below.is_some());
                return Ok(Header { lists: lists_below.unwrap_or(lists), rows_before });
            }
            Err(error) => {
                let known = known_columns(&row);
                if best.as_ref().is_none_or(|(most, _)| known > *most) {
                    best = Some((known, error));
                }
            }
        }
    }
    Err(best.map_or(PriceListError::NoHeader, |(_, error)| error))
}

/// The header of two rows, as `Preço` above `Varejo` and `Atacado`; `None` if the second row is none of a header.
fn merged(row: &Record, below: &Record) -> Option<Record> {
    let text = |record: &Record, place: usize| record.get(place).unwrap_or_default().trim().to_owned();
    // A heading that is merged over both rows stands in both.
    let below = &below.without(row);
    let is_word = |place: usize| {
        let text = text(below, place);
        text.is_empty() || (below.kind(place) == Kind::Text && !text.contains(|it: char| it.is_ascii_digit()))
    };
    let is_below_a_gap = |place: usize| {
        place > 0 && !below.is_blank_at(place) && !below.is_blank_at(place - 1) && row.is_blank_at(place)
    };
    // A row of a product has a name, and stands under the first heading.
    let first = (0..row.len()).find(|place| !row.is_blank_at(*place))?;
    if !below.is_blank_at(first) || !(0..below.len()).all(is_word) || !(0..below.len()).any(is_below_a_gap) {
        return None;
    }
    let mut merged = Record::default();
    for place in 0..row.len().max(below.len()) {
        merged.push(format!("{} {}", text(row, place), text(below, place)).trim(), Kind::Text);
    }
    Some(merged)
}
