//! Fields that several messages have: request ids and kinds of movements.

use std::str::FromStr;

use super::v1;
use crate::catalog::{
    Amount, AmountError, DetailError, Details, InvoiceKey, Kind, LossReason, Lot, Name, Note, Purchase,
    Quantity, RequestId, Supplier, SupplierItem, Unit, parse_expiry,
};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

pub(super) fn optional_request_id(text: &str) -> Result<Option<RequestId>, Refusal> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| Refusal::request_id(&error)),
    }
}

/// Reads the details of a movement from the fields that most messages leave out.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field.
pub(super) fn details(
    amount: Option<Result<Amount, AmountError>>,
    loss_reason: i32,
    note: &str,
    purchase: Option<&v1::PurchaseDetails>,
) -> Result<Option<Box<Details>>, Refusal> {
    if amount.is_none() && loss_reason == 0 && note.is_empty() && purchase.is_none() {
        return Ok(None);
    }
    let details = Details {
        amount: amount.transpose().map_err(|error| Refusal::amount(&error))?,
        loss_reason: optional_loss_reason(loss_reason)?,
        note: optional_note(note)?,
        purchase: purchase.map(purchase_details).transpose()?,
    };
    Ok(details.boxed())
}

fn purchase_details(message: &v1::PurchaseDetails) -> Result<Purchase, Refusal> {
    let v1::PurchaseDetails { supplier, lot, expires_on, invoice, supplier_item, pack_thousandths } = message;
    let pack = match *pack_thousandths {
        0 => None,
        thousandths => {
            let pack = Quantity::from_thousandths(thousandths).ok().filter(|pack| *pack > Quantity::ZERO);
            let what = || format!("{thousandths} não é o conteúdo de uma caixa, em milésimos");
            Some(pack.ok_or_else(|| Refusal::invalid("pack_thousandths", what()))?)
        }
    };
    Ok(Purchase {
        supplier: optional_text("supplier", supplier)?,
        lot: optional_text("lot", lot)?,
        expires_on: match expires_on.as_str() {
            "" => None,
            text => Some(parse_expiry(text).map_err(|error| Refusal::detail("expires_on", &error))?),
        },
        invoice: optional_text("invoice", invoice)?,
        item: optional_text("supplier_item", supplier_item)?,
        pack,
    })
}

/// The message of where bought produce comes from.
pub(super) fn purchase_message(purchase: &Purchase) -> v1::PurchaseDetails {
    let Purchase { supplier, lot, expires_on, invoice, item, pack } = purchase;
    v1::PurchaseDetails {
        supplier: supplier.as_ref().map_or(String::new(), Supplier::to_string),
        lot: lot.as_ref().map_or(String::new(), Lot::to_string),
        expires_on: expires_on.map_or(String::new(), |date| date.to_string()),
        invoice: invoice.as_ref().map_or(String::new(), InvoiceKey::to_string),
        supplier_item: item.as_ref().map_or(String::new(), SupplierItem::to_string),
        pack_thousandths: pack.map_or(0, Quantity::thousandths),
    }
}

/// Reads a note.
pub(super) fn optional_note(text: &str) -> Result<Option<Note>, Refusal> {
    optional_text("note", text)
}

fn optional_text<T: FromStr<Err = DetailError>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, Refusal> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|error| Refusal::detail(field, &error)),
    }
}

/// Reads the reason of a loss.
pub(super) fn optional_loss_reason(number: i32) -> Result<Option<LossReason>, Refusal> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match index.map(|index| LossReason::ALL.get(index)) {
        Some(Some(reason)) => Ok(Some(*reason)),
        None if number == 0 => Ok(None),
        _ => Err(Refusal::invalid("loss_reason", format!("não existe a causa de número {number}"))),
    }
}

/// The enumerators of reasons begin with 1, in the order in which the reasons are offered.
pub(super) fn loss_reason_message(reason: LossReason) -> i32 {
    let index = LossReason::ALL.iter().position(|other| *other == reason);
    index.and_then(|index| i32::try_from(index + 1).ok()).unwrap_or(0)
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

/// Reads a name that a server sent.
pub(super) fn name_of(text: &str) -> Result<Name, NotAReply> {
    Name::parse(text).map_err(|_| NotAReply)
}

/// Reads a unit that a server sent.
pub(super) fn unit_of(text: &str) -> Result<Unit, NotAReply> {
    Unit::from_label(text).map_err(|_| NotAReply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_losses_are_numbered_as_they_are_offered() {
        for reason in LossReason::ALL {
            let number = loss_reason_message(reason);
            let name = v1::LossReason::try_from(number).unwrap().as_str_name();
            let english = format!("{reason:?}").replace("OwnUse", "OWN_USE").to_uppercase();
            assert_eq!(name, format!("LOSS_REASON_{english}"));
            assert_eq!(optional_loss_reason(number), Ok(Some(reason)));
        }
        assert_eq!(optional_loss_reason(0), Ok(None));
        for number in [-1, 10, i32::MIN, i32::MAX] {
            optional_loss_reason(number).unwrap_err();
        }
    }
}
