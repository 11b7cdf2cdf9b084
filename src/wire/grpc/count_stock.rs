//! The messages of `CountStock`.

use super::fields::{optional_note, optional_request_id};
use super::v1;
use crate::catalog::{COUNT_LINES_MAX, Note, Quantity, RequestId};
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
    let count = |(index, count): (usize, &'_ v1::StockCount)| {
        let counted = Quantity::from_thousandths(count.counted_thousandths);
        let counted = counted.map_err(|error| Refusal::quantity(COUNTED_FIELD, &error).at(index))?;
        Ok((counted, count.at_sequence))
    };
    let read: Result<Vec<_>, Refusal> = message.counts.iter().enumerate().map(count).collect();
    let names = message.counts.iter().map(|count| count.name.as_str());
    let counts =
        names.zip(read?).map(|(name, (counted, at_sequence))| CountedName { name, counted, at_sequence });
    let request_id = optional_request_id(&message.request_id)?;
    let note = optional_note(&message.note)?;
    Ok(CountRequest { counts: counts.collect(), request_id, is_blind: false, note })
}

/// The message of a count.
pub fn count_message(request: &CountRequest<'_>) -> v1::CountStockRequest {
    let count = |count: &CountedName<'_>| v1::StockCount {
        name: count.name.to_owned(),
        counted_thousandths: count.counted.thousandths(),
        at_sequence: count.at_sequence,
    };
    v1::CountStockRequest {
        counts: request.counts.iter().map(count).collect(),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        note: request.note.as_ref().map_or(String::new(), Note::to_string),
    }
}
