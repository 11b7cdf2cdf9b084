//! The header of a table: the row, or the two rows, that name the columns of one list or of several side by side.

use std::borrow::Cow;
use std::ops::Range;

use super::columns::{Columns, known_columns};
use super::error::PriceListError;
use super::field::Field;
use super::headings::Heading;
use super::limits::COLUMNS_MAX;
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
    /// The lists whose header a row is, above these rows.
    ///
    /// # Errors
    /// If it is none.
    fn of(row: &Record, below: &[Record], given: &[(Field, String)]) -> Result<Vec<List>, PriceListError> {
        let given = &with_price_of_kilo(row, below, given);
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
    let rows: Vec<Record> = rows.take(HEADER_ROWS_MAX).filter_map(|(_, row)| row.ok()).collect();
    let of = |place: usize| Header::of(&rows[place], &rows[place + 1..], given);
    (0..rows.len()).find(|place| of(*place).is_ok()).map(|place| rows[place].len())
}

/// Finds the header: the first of the first rows that names the name and the price.
///
/// # Errors
/// If there is none: what is wrong with the row that looks most like one.
pub(super) fn find_header(table: &Table, given: &[(Field, String)]) -> Result<Header, PriceListError> {
    let mut best: Option<(usize, PriceListError)> = None;
    let rows: Vec<Record> = table.rows().take(HEADER_ROWS_MAX).map_while(|(_, row)| row.ok()).collect();
    for (rows_before, row) in rows.iter().enumerate() {
        let below = &rows[rows_before + 1..];
        match Header::of(row, below, given) {
            Ok(lists) => {
                let merged = below.first().and_then(|below| merged(row, below));
                let lists_below = merged.as_ref().and_then(|row| Header::of(row, &below[1..], given).ok());
                let rows_before = rows_before + 1 + usize::from(lists_below.is_some());
                return Ok(Header { lists: lists_below.unwrap_or(lists), rows_before });
            }
            Err(error) => {
                let known = known_columns(row);
                if best.as_ref().is_none_or(|(most, _)| known > *most) {
                    best = Some((known, error));
                }
            }
        }
    }
    Err(best.map_or(PriceListError::NoHeader, |(_, error)| error))
}

/// The columns that the user names and, in a header without a price, the kilogram above money: `Fruta;Kg` above
/// `Banana;R$ 5,99`.
fn with_price_of_kilo<'g>(
    row: &Record,
    below: &[Record],
    given: &'g [(Field, String)],
) -> Cow<'g, [(Field, String)]> {
    let is_price = |error: &PriceListError| matches!(error, PriceListError::MissingColumn { column, .. } if *column == Field::Price.heading());
    let is_money = |place: usize| {
        let first = below.iter().find(|row| !row.is_blank_at(place)).and_then(|row| row.get(place));
        first.is_some_and(|cell| cell.trim_start().starts_with("R$"))
    };
    let mut headings = row.iter().take(COLUMNS_MAX).enumerate();
    let is_kilo = |(place, text): &(usize, &str)| Heading::of(text).is_bare_kilo() && is_money(*place);
    let is_missing = || Columns::of(row, given).is_err_and(|error| is_price(&error));
    match headings.find(is_kilo).filter(|_| is_missing()) {
        Some((_, text)) => [given, &[(Field::Price, text.to_owned())]].concat().into(),
        None => given.into(),
    }
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

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn a_kilogram_above_money_is_a_price() {
        for (text, count) in [
            ("Fruta;Kg\nUva;R$ 9,90\n", 1),
            ("Lista de preços\nProduto;Kg;Cx\n;;\nUva;R$ 9,90;R$ 90,00\n", 1),
            ("FRUTAS;Kg;FOLHAS;Kg\nUva;R$ 9,90;Couve;R$ 9,90\n", 2),
        ] {
            let list = read(text.as_bytes()).unwrap();
            let read =
                |it: &crate::catalog::ProductDraft| format!("{} {}", it.price, it.unit.as_ref().unwrap());
            assert_eq!(list.rows.iter().map(read).collect::<Vec<_>>(), vec!["9.9 kg"; count], "{text}");
        }
        assert!(read("Produto;Kg\nUva;9,90\n".as_bytes()).is_err());
        // Beside a price it is a weight, whatever stands in it.
        let list = read("Produto;Kg;Preço\nUva;R$ 1,00;R$ 9,90\n".as_bytes()).unwrap();
        assert_eq!(list.rows[0].price.to_string(), "9.9");
    }
}
