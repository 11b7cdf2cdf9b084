//! The columns of a list of counted stocks, found by their names in the header.

use super::error::PriceListError;
use super::field::Field;
use super::headings::Heading;
use super::record::Record;
use crate::catalog::Unit;

/// The names of a column of what was counted, folded, which no stock of before has.
const COUNTED: [&str; 6] =
    ["contado", "contada", "contagem", "quantidade contada", "qtd contada", "estoque contado"];

/// The places of the columns.
pub(super) struct CountColumns {
    pub(super) name: usize,
    /// Whether the names may be the numbers of the rows, which would be taken for codes of the shop.
    pub(super) is_item: bool,
    pub(super) quantity: usize,
    pub(super) unit: Option<usize>,
    /// The unit that the heading of the quantities names.
    pub(super) quantity_unit: Option<Unit>,
}

impl CountColumns {
    /// The columns that a header names; `None` if the row is no header. What was counted stands before what the
    /// stock was.
    ///
    /// # Errors
    /// If two columns may be the counted quantities.
    pub(super) fn of(header: &Record) -> Result<Option<Self>, PriceListError> {
        let headings: Vec<Heading> = header.iter().map(Heading::of).collect();
        let best = |field: Field| {
            let ranked = headings.iter().enumerate();
            ranked.filter_map(|(place, heading)| Some((heading.rank(field)?, place))).min().map(|(_, it)| it)
        };
        let places = |is_it: &dyn Fn(&Heading) -> bool| -> Vec<usize> {
            (0..headings.len()).filter(|place| is_it(&headings[*place])).collect()
        };
        let mut quantities = places(&|heading| COUNTED.contains(&heading.words.as_str()));
        if quantities.is_empty() {
            quantities = places(&|heading| heading.rank(Field::Stock).is_some());
        }
        let (Some(name), Some(&quantity)) = (best(Field::Name), quantities.first()) else { return Ok(None) };
        if let Some(&other) = quantities.get(1) {
            let heading = |place: usize| header.get(place).unwrap_or_default().trim().to_owned();
            return Err(PriceListError::TwoQuantities(heading(quantity), heading(other)));
        }
        let unit =
            best(Field::Unit).filter(|place| !headings[*place].is_packing() && !headings[*place].is_kind());
        let is_item = headings[name].is_item();
        Ok(Some(Self { name, is_item, quantity, unit, quantity_unit: headings[quantity].unit() }))
    }
}
