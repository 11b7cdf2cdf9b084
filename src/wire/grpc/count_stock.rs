//! The messages of `CountStock`.

use super::fields::{optional_note, optional_request_id};
use super::v1;
use crate::catalog::{COUNT_LINES_MAX, Note, Quantity, RequestId, Unit};
use crate::operation::{COUNTED_FIELD, CountRequest, CountedName};
use crate::refusal::Refusal;

/// Reads a count from its message.
///
/// # Errors
/// If a field is wrong (`INVALID_ARGUMENT`, with the field and the index of the count).
pub fn count_request(message: &v1::CountStockRequest) -> Result<CountRequest<'_>, Refusal> {
    // The number is checked first, because a message may hold far more products than a count may have.
    if message.counts.len() > COUNT_LINES_MAX {
        return Err(Refusal::count_size(message.counts.len()));
    }
    let counts = message.counts.iter().enumerate().map(|(index, count)| {
        let counted = Quantity::from_thousandths(count.counted_thousandths);
        let counted = counted.map_err(|error| Refusal::quantity(COUNTED_FIELD, &error).at(index))?;
        let unit = Some(&count.unit).filter(|unit| !unit.is_empty()).map(|unit| Unit::parse(unit));
        let unit = unit.transpose().map_err(|error| Refusal::unit(&error).at(index))?;
        Ok(CountedName { name: count.name.as_str(), counted, at_sequence: count.at_sequence, unit })
    });
    let counts = counts.collect::<Result<Vec<_>, Refusal>>();
    let request_id = optional_request_id(&message.request_id)?;
    let note = optional_note(&message.note)?;
    Ok(CountRequest { counts: counts?, request_id, is_blind: false, note })
}

/// The message of a count.
pub fn count_message(request: &CountRequest<'_>) -> v1::CountStockRequest {
    let count = |count: &CountedName<'_>| v1::StockCount {
        name: count.name.to_owned(),
        counted_thousandths: count.counted.thousandths(),
        at_sequence: count.at_sequence,
        unit: count.unit.as_ref().map_or(String::new(), Unit::to_string),
    };
    v1::CountStockRequest {
        counts: request.counts.iter().map(count).collect(),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        note: request.note.as_ref().map_or(String::new(), Note::to_string),
    }
}
