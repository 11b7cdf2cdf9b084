//! Movements in the exact contract, and pages of them.

use std::time::SystemTime;

use prost_types::Timestamp;

use super::fields::{
    details, kind, kind_message, loss_reason_message, optional_request_id, purchase_message,
};
use super::v1;
use crate::catalog::{Amount, Author, AuthorError, Cost, Kind, Name, Note, Price, Quantity, RequestId};
use crate::operation::{
    MovementDetails, MovementReply, MovementsReply, MovementsRequest, PAGE_MOVEMENTS_DEFAULT,
    PAGE_MOVEMENTS_MAX,
};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// The message of a movement.
pub fn movement_message(movement: &MovementReply) -> v1::Movement {
    let details = movement.details.as_ref();
    let link = |number: fn(&MovementDetails) -> i64| details.map_or(0, number);
    let request_id = details.and_then(|details| details.request_id.as_ref());
    let own = details.and_then(|details| details.details.as_deref());
    let note = own.and_then(|own| own.note.as_ref());
    v1::Movement {
        sequence: movement.sequence,
        product_name: movement.product_name.to_string(),
        kind: kind_message(movement.kind),
        delta_thousandths: movement.delta.thousandths(),
        balance_thousandths: movement.balance.thousandths(),
        recorded_at: Some(Timestamp::from(movement.recorded_at)),
        request_id: request_id.map_or(String::new(), RequestId::to_string),
        cost_centavos: details.and_then(|details| details.cost).map(Cost::centavos),
        loss_reason: own.and_then(|own| own.loss_reason).map_or(0, loss_reason_message),
        author: movement.author.as_ref().map_or(String::new(), Author::to_string),
        note: note.map_or(String::new(), Note::to_string),
        purchase: own.and_then(|own| own.purchase.as_ref()).map(purchase_message),
        price_centavos: link(|details| details.price.centavos()),
        amount_centavos: movement.amount.centavos(),
        document: link(|details| details.document),
        undoes: link(|details| details.undoes),
        undone_by: link(|details| details.undone_by),
    }
}

/// Reads a movement that the server sent.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn movement_reply(message: v1::Movement) -> Result<MovementReply, NotAReply> {
    let details = details(None, message.loss_reason, &message.note, message.purchase.as_ref());
    let details = details.map_err(|_| NotAReply)?;
    let author = optional_author(&message.author).map_err(|_| NotAReply)?;
    Ok(MovementReply {
        sequence: message.sequence,
        product_name: Name::parse(&message.product_name).map_err(|_| NotAReply)?,
        kind: kind(message.kind).ok_or(NotAReply)?,
        delta: Quantity::from_thousandths(message.delta_thousandths).map_err(|_| NotAReply)?,
        balance: Quantity::from_thousandths(message.balance_thousandths).map_err(|_| NotAReply)?,
        recorded_at: message.recorded_at.ok_or(NotAReply)?.try_into().map_err(|_| NotAReply)?,
        amount: Amount::from_centavos(message.amount_centavos).ok_or(NotAReply)?,
        author,
        details: Some(MovementDetails {
            price: Price::from_centavos(message.price_centavos).map_err(|_| NotAReply)?,
            request_id: optional_request_id(&message.request_id).map_err(|_| NotAReply)?,
            document: message.document,
            undoes: message.undoes,
            undone_by: message.undone_by,
            cost: message.cost_centavos.map(Cost::from_centavos),
            details,
        }),
    })
}

/// Reads a request for movements from its message.
///
/// # Errors
/// If a field is wrong (`INVALID_ARGUMENT`, with the field).
pub fn movements_request(message: &v1::ListMovementsRequest) -> Result<MovementsRequest<'_>, Refusal> {
    let count_max = match usize::try_from(message.page_size) {
        Ok(0) => PAGE_MOVEMENTS_DEFAULT,
        Ok(size) => size.min(PAGE_MOVEMENTS_MAX),
        Err(_) => {
            let what = format!("page_size é {}; use de 1 a {PAGE_MOVEMENTS_MAX}", message.page_size);
            return Err(Refusal::invalid("page_size", what));
        }
    };
    let request = MovementsRequest {
        name: Some(message.product_name.as_str()).filter(|name| !name.is_empty()),
        kind: optional_kind(message.kind)?,
        author: optional_author(&message.author)?,
        since: optional_time("start_time", message.start_time)?,
        until: optional_time("end_time", message.end_time)?,
        before: None,
        count_max,
    };
    if message.page_token.is_empty() { Ok(request) } else { request.at_page(&message.page_token) }
}

/// Reads the kind that a request is limited to. `None` for all kinds.
pub(super) fn optional_kind(number: i32) -> Result<Option<Kind>, Refusal> {
    match number {
        0 => Ok(None),
        number => kind(number)
            .map(Some)
            .ok_or_else(|| Refusal::invalid("kind", format!("motivo desconhecido: {number}"))),
    }
}

fn optional_author(name: &str) -> Result<Option<Author>, Refusal> {
    match name {
        "" => Ok(None),
        name => name.parse().map(Some).map_err(|error: AuthorError| Refusal::invalid("author", error)),
    }
}

/// The seconds that a protobuf timestamp may have: the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Reads the start or the end of a period.
pub(super) fn optional_time(
    field: &'static str,
    time: Option<Timestamp>,
) -> Result<Option<SystemTime>, Refusal> {
    let Some(time) = time else { return Ok(None) };
    let is_a_time = SECONDS.contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
    let time = SystemTime::try_from(time).ok().filter(|_| is_a_time);
    time.map(Some).ok_or_else(|| Refusal::invalid(field, format!("{field} não é uma data e hora válida")))
}

/// The message that asks for a page of at most this many movements.
pub fn movements_message(request: &MovementsRequest<'_>, page_size: usize) -> v1::ListMovementsRequest {
    v1::ListMovementsRequest {
        product_name: request.name.unwrap_or("").to_owned(),
        page_size: i32::try_from(page_size.min(PAGE_MOVEMENTS_MAX)).unwrap_or(i32::MAX),
        page_token: request.before.map_or(String::new(), |before| request.page_token(before)),
        kind: request.kind.map_or(0, kind_message),
        author: request.author.as_ref().map_or(String::new(), Author::to_string),
        start_time: request.since.map(Timestamp::from),
        end_time: request.until.map(Timestamp::from),
    }
}

/// The message of a page.
pub(super) fn movements_response(reply: &MovementsReply) -> v1::ListMovementsResponse {
    v1::ListMovementsResponse {
        movements: reply.movements.iter().map(movement_message).collect(),
        next_page_token: reply.next_page_token.clone().unwrap_or_default(),
    }
}
