//! The columns of a price list, found by their names in the header.

use std::collections::HashMap;

use super::error::PriceListError;
use crate::catalog::{Key, Quoted};

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Price,
    Stock,
    Unit,
}

/// The place of each column.
pub(super) struct Columns {
    pub(super) name: usize,
    pub(super) price: usize,
    pub(super) stock: Option<usize>,
    pub(super) unit: Option<usize>,
    pub(super) count: usize,
}

impl Columns {
    /// Finds the columns by their names in the header.
    pub(super) fn of(header: &csv::StringRecord, notes: &mut Vec<String>) -> Result<Self, PriceListError> {
        let mut places: HashMap<&'static str, usize> = HashMap::new();
        for (place, cell) in header.iter().enumerate() {
            let key = Key::fold(cell.trim());
            match ["nome", "preco", "estoque", "unidade"].into_iter().find(|column| *column == key.as_str()) {
                Some(column) => {
                    if places.insert(column, place).is_some() {
                        return Err(PriceListError::RepeatedColumn(column));
                    }
                }
                None if key.as_str().is_empty() => {}
                None => notes.push(format!("a coluna {} não foi lida", Quoted(cell.trim()))),
            }
        }
        let required = |column| {
            let shown = || Quoted(&header.iter().collect::<Vec<_>>().join(" ")).to_string();
            places
                .get(column)
                .copied()
                .ok_or_else(|| PriceListError::MissingColumn { column, header: shown() })
        };
        Ok(Self {
            name: required("nome")?,
            price: required("preco")?,
            stock: places.get("estoque").copied(),
            unit: places.get("unidade").copied(),
            count: header.len(),
        })
    }

    /// The columns that are read, in the order of the file, each with its heading.
    pub(super) fn read_from(&self, header: &csv::StringRecord) -> Vec<(Field, String)> {
        let places = [
            (Some(self.name), Field::Name),
            (Some(self.price), Field::Price),
            (self.stock, Field::Stock),
            (self.unit, Field::Unit),
        ];
        let mut read: Vec<_> =
            places.into_iter().filter_map(|(place, field)| Some((place?, field))).collect();
        read.sort_unstable_by_key(|(place, _)| *place);
        read.into_iter().map(|(place, field)| (field, header[place].trim().to_owned())).collect()
    }

    pub(super) fn are_read(&self, place: usize) -> bool {
        [Some(self.name), Some(self.price), self.stock, self.unit].contains(&Some(place))
    }
}
