//! The columns of a price list, found by their names in the header.

use super::error::PriceListError;
use super::field::Field;
use crate::catalog::{Key, Quoted};

/// The columns that are read, each with its place, in the order of the file.
pub(super) struct Columns {
    read: Vec<(Field, usize)>,
    /// The number of all columns.
    pub(super) count: usize,
}

impl Columns {
    /// Finds the columns by their names in the header: without regard to case and accents, and with spaces in
    /// the place of underscores.
    pub(super) fn of(header: &csv::StringRecord, notes: &mut Vec<String>) -> Result<Self, PriceListError> {
        let mut columns = Self { read: Vec::new(), count: header.len() };
        for (place, cell) in header.iter().enumerate() {
            let key = Key::fold(&cell.trim().replace('_', " "));
            let is_heading = |field: &Field| field.heading().replace('_', " ") == key.as_str();
            match Field::ALL.into_iter().find(is_heading) {
                Some(field) if columns.place(field).is_some() => {
                    return Err(PriceListError::RepeatedColumn(field.heading()));
                }
                Some(field) => columns.read.push((field, place)),
                None if key.as_str().is_empty() => {}
                None => notes.push(format!("a coluna {} não foi lida", Quoted(cell.trim()))),
            }
        }
        for field in [Field::Name, Field::Price] {
            if columns.place(field).is_none() {
                let shown = Quoted(&header.iter().collect::<Vec<_>>().join(" ")).to_string();
                return Err(PriceListError::MissingColumn { column: field.heading(), header: shown });
            }
        }
        Ok(columns)
    }

    /// The place of a column, if the list has it.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.read.iter().find(|(own, _)| *own == field).map(|(_, place)| *place)
    }

    /// The columns that are read, in the order of the file, each with its heading.
    pub(super) fn read_from(&self, header: &csv::StringRecord) -> Vec<(Field, String)> {
        self.read.iter().map(|(field, place)| (*field, header[*place].trim().to_owned())).collect()
    }

    /// The columns of numbers that may have decimals.
    pub(super) fn decimals(&self) -> impl Iterator<Item = usize> {
        self.read.iter().filter(|(field, _)| field.is_decimal()).map(|(_, place)| *place)
    }

    /// Whether the column at this place is read.
    pub(super) fn are_read(&self, place: usize) -> bool {
        self.read.iter().any(|(_, own)| *own == place)
    }
}
