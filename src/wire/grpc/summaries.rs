//! Totals of movements.

use prost_types::Timestamp;

use super::fields::{kind, kind_message};
use super::movements::{optional_kind, optional_time};
use super::v1;
use crate::catalog::{Amount, Quantity, Quoted};
use crate::operation::{Grouping, Summary, SummaryRequest};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// Reads a request for totals from its message.
///
/// # Errors
/// If a field is wrong (`INVALID_ARGUMENT`, with the field).
pub fn summary_request(message: &v1::SummarizeMovementsRequest) -> Result<SummaryRequest<'_>, Refusal> {
    let group_by = match v1::SummaryGroup::try_from(message.group_by) {
        Ok(v1::SummaryGroup::Unspecified | v1::SummaryGroup::Kind) => Grouping::Kind,
        Ok(v1::SummaryGroup::Product) => Grouping::Product,
        Ok(v1::SummaryGroup::Day) => Grouping::Day,
        Err(_) => {
            let number = message.group_by.to_string();
            return Err(Refusal::invalid("group_by", format!("grupo desconhecido: {}", Quoted(&number))));
        }
    };
    Ok(SummaryRequest {
        since: optional_time("start_time", message.start_time)?,
        until: optional_time("end_time", message.end_time)?,
        group_by,
        time_zone: &message.time_zone,
        kind: optional_kind(message.kind)?,
    })
}

/// The message that asks for totals.
pub fn summary_message(request: &SummaryRequest<'_>) -> v1::SummarizeMovementsRequest {
    let group_by = match request.group_by {
        Grouping::Kind => v1::SummaryGroup::Kind,
        Grouping::Product => v1::SummaryGroup::Product,
        Grouping::Day => v1::SummaryGroup::Day,
    };
    v1::SummarizeMovementsRequest {
        start_time: request.since.map(Timestamp::from),
        end_time: request.until.map(Timestamp::from),
        group_by: group_by.into(),
        time_zone: request.time_zone.to_owned(),
        kind: request.kind.map_or(0, kind_message),
    }
}

/// The message of totals.
pub(super) fn summaries_response(summaries: &[Summary]) -> v1::SummarizeMovementsResponse {
    let summary = |summary: &Summary| v1::Summary {
        group: summary.group.clone(),
        kind: kind_message(summary.kind),
        movement_count: summary.count,
        quantity_thousandths: summary.quantity.thousandths(),
        amount_centavos: summary.amount.centavos(),
    };
    v1::SummarizeMovementsResponse { summaries: summaries.iter().map(summary).collect() }
}

/// Reads totals that the server sent.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn summaries(message: v1::SummarizeMovementsResponse) -> Result<Vec<Summary>, NotAReply> {
    let summary = |message: v1::Summary| {
        Ok(Summary {
            group: message.group,
            kind: kind(message.kind).ok_or(NotAReply)?,
            count: message.movement_count,
            quantity: Quantity::from_thousandths(message.quantity_thousandths).map_err(|_| NotAReply)?,
            amount: Amount::from_centavos(message.amount_centavos).ok_or(NotAReply)?,
        })
    };
    message.summaries.into_iter().map(summary).collect()
}
