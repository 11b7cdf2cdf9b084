//! Fields that several messages have: request ids and kinds of movements.

use super::v1;
use crate::catalog::{Kind, RequestId};
use crate::refusal::Refusal;

pub(super) fn optional_request_id(text: &str) -> Result<Option<RequestId>, Refusal> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| Refusal::request_id(&error)),
    }
}

pub(super) fn requested_kind(number: i32) -> Result<Kind, Refusal> {
    match v1::MovementKind::try_from(number) {
        Ok(v1::MovementKind::Unspecified | v1::MovementKind::Adjustment) => Ok(Kind::Adjustment),
        Ok(v1::MovementKind::Purchase) => Ok(Kind::Purchase),
        Ok(v1::MovementKind::Sale) => Ok(Kind::Sale),
        Ok(v1::MovementKind::Waste) => Ok(Kind::Waste),
        Ok(v1::MovementKind::Count) => Ok(Kind::Count),
        Ok(v1::MovementKind::Opening) => Err(Refusal::invalid(
            "kind",
            "o motivo abertura é só do estoque inicial; use ajuste, compra, venda, perda ou contagem",
        )),
        Err(_) => Err(Refusal::invalid("kind", format!("motivo desconhecido: {number}"))),
    }
}

pub(super) fn kind_message(kind: Kind) -> i32 {
    let kind = match kind {
        Kind::Adjustment => v1::MovementKind::Adjustment,
        Kind::Opening => v1::MovementKind::Opening,
        Kind::Purchase => v1::MovementKind::Purchase,
        Kind::Sale => v1::MovementKind::Sale,
        Kind::Waste => v1::MovementKind::Waste,
        Kind::Count => v1::MovementKind::Count,
    };
    kind.into()
}

/// Reads the kind of a movement that was made.
pub(super) fn kind(number: i32) -> Option<Kind> {
    match v1::MovementKind::try_from(number).ok()? {
        v1::MovementKind::Unspecified => None,
        v1::MovementKind::Adjustment => Some(Kind::Adjustment),
        v1::MovementKind::Opening => Some(Kind::Opening),
        v1::MovementKind::Purchase => Some(Kind::Purchase),
        v1::MovementKind::Sale => Some(Kind::Sale),
        v1::MovementKind::Waste => Some(Kind::Waste),
        v1::MovementKind::Count => Some(Kind::Count),
    }
}
