//! Totals of movements.

use prost_types::Timestamp;

use super::fields::{kind, kind_message};
use super::movements::{optional_kind, optional_time};
use super::v1;
use crate::catalog::{Amount, Cost, Quantity, Quoted, Unit, is_unsafe_to_show};
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
        Ok(v1::SummaryGroup::LossReason) => Grouping::LossReason,
        Ok(v1::SummaryGroup::Day) => Grouping::Day,
        Ok(v1::SummaryGroup::Category) => Grouping::Category,
        Ok(v1::SummaryGroup::Supplier) => Grouping::Supplier,
        Ok(v1::SummaryGroup::Author) => Grouping::Author,
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
        Grouping::LossReason => v1::SummaryGroup::LossReason,
        Grouping::Day => v1::SummaryGroup::Day,
        Grouping::Category => v1::SummaryGroup::Category,
        Grouping::Supplier => v1::SummaryGroup::Supplier,
        Grouping::Author => v1::SummaryGroup::Author,
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
        cost_centavos: summary.cost.map(Cost::centavos),
        document_count: summary.document_count,
        added_thousandths: summary.added_quantity.thousandths(),
        added_amount_centavos: summary.added_amount.centavos(),
        uncosted_amount_centavos: summary.uncosted_amount.centavos(),
        unit: summary.unit.as_ref().map_or(String::new(), Unit::to_string),
        added_document_count: summary.added_document_count,
        taken_document_count: summary.taken_document_count,
    };
    v1::SummarizeMovementsResponse { summaries: summaries.iter().map(summary).collect() }
}

/// Reads totals that the server sent.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn summaries(message: v1::SummarizeMovementsResponse) -> Result<Vec<Summary>, NotAReply> {
    let quantity = |thousandths| Quantity::from_thousandths(thousandths).map_err(|_| NotAReply);
    let amount = |centavos| Amount::from_centavos(centavos).ok_or(NotAReply);
    let summary = |message: v1::Summary| {
        // A group is a name, a word or a day, and is shown as it came.
        if message.group.contains(is_unsafe_to_show) {
            return Err(NotAReply);
        }
        let unit = Some(message.unit.as_str()).filter(|unit| !unit.is_empty());
        Ok(Summary {
            group: message.group,
            kind: kind(message.kind).ok_or(NotAReply)?,
            count: message.movement_count,
            quantity: quantity(message.quantity_thousandths)?,
            amount: amount(message.amount_centavos)?,
            cost: message.cost_centavos.map(Cost::from_centavos),
            document_count: message.document_count,
            added_document_count: message.added_document_count,
            taken_document_count: message.taken_document_count,
            added_quantity: quantity(message.added_thousandths)?,
            added_amount: amount(message.added_amount_centavos)?,
            uncosted_amount: amount(message.uncosted_amount_centavos)?,
            unit: unit.map(Unit::from_label).transpose().map_err(|_| NotAReply)?,
        })
    };
    message.summaries.into_iter().map(summary).collect()
}
