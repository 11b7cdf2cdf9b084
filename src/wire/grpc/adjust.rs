//! Changes of stock: single, as a batch, and as a stream.

use prost_types::Timestamp;

use super::encode::{write_number, write_optional, write_part, write_text};
use super::fields::{
    details, kind_message, loss_reason_message, optional_request_id, purchase_message, requested_kind,
};
use super::movements::{movement_message, movement_reply};
use super::products::{product_message, product_reply, write_terms};
use super::v1;
use crate::catalog::{Amount, BATCH_LINES_MAX, Cost, Details, Movement, Note, Product, Quantity, RequestId};
use crate::operation::{AdjustRequest, BatchRequest, ChangeReply};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// Reads a change of stock from its message.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field.
pub fn adjust_request(message: &v1::AdjustStockRequest) -> Result<AdjustRequest<'_>, Refusal> {
    Ok(AdjustRequest {
        name: &message.name,
        delta: Quantity::from_thousandths(message.delta_thousandths)
            .map_err(|error| Refusal::quantity("delta_thousandths", &error))?,
        kind: requested_kind(message.kind)?,
        request_id: optional_request_id(&message.request_id)?,
        details: details(
            message.amount_centavos.map(Amount::total_from_centavos),
            message.loss_reason,
            &message.note,
            message.purchase.as_deref(),
        )?,
    })
}

/// Reads a batch from its message.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field and the index of the change.
pub fn batch_request(message: &v1::BatchAdjustStockRequest) -> Result<BatchRequest<'_>, Refusal> {
    // The count is checked first, because a message may hold far more changes than a batch may have.
    if message.adjustments.len() > BATCH_LINES_MAX {
        return Err(Refusal::batch_size(message.adjustments.len()));
    }
    let mut adjustments = Vec::with_capacity(message.adjustments.len());
    for (index, adjustment) in message.adjustments.iter().enumerate() {
        if !adjustment.request_id.is_empty() {
            let what = "as mudanças de um lote não têm identificador de pedido próprio; use o do lote";
            return Err(Refusal::invalid("request_id", what).at(index));
        }
        adjustments.push(adjust_request(adjustment).map_err(|refusal| refusal.at(index))?);
    }
    Ok(BatchRequest { adjustments, request_id: optional_request_id(&message.request_id)? })
}

/// The message of a change that was made.
pub fn change_message(change: &ChangeReply) -> v1::AdjustStockResponse {
    let ChangeReply { product, movement } = change;
    v1::AdjustStockResponse {
        product: Some(product_message(product)),
        movement: movement.as_ref().map(movement_message),
    }
}

/// Reads a change that the server made.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn change_reply(message: v1::AdjustStockResponse) -> Result<ChangeReply, NotAReply> {
    Ok(ChangeReply {
        product: product_reply(message.product)?,
        movement: message.movement.map(movement_reply).transpose()?,
    })
}

/// Writes one answer of a stream of stock changes, with gRPC's prefix of a message.
///
/// The answer is written by hand, because a stream carries hundreds of thousands a second: the generated code
/// copies the names into a message first, and computes the length of each nested message several times.
pub fn write_stream_answer(out: &mut Vec<u8>, answer: Result<(&Product, &Movement), Refusal>) {
    const ADJUSTED: u32 = 1;
    // The flag for an uncompressed message; the length follows.
    out.push(0);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match answer {
        Ok((product, movement)) => write_part(ADJUSTED, out, |out| write_adjusted(product, movement, out)),
        Err(refusal) => {
            let (reason, message) = (refusal.code.as_str().to_owned(), refusal.message);
            let refused = v1::stream_adjust_stock_response::Result::Refused(v1::Refusal { reason, message });
            refused.encode(out);
        }
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Writes the answer to a change that was made.
pub type WriteAdjusted = fn(&Product, &Movement, &mut Vec<u8>);

/// Writes an `AdjustStockResponse`, with the product as it was right after the change.
pub fn write_adjusted(product: &Product, movement: &Movement, out: &mut Vec<u8>) {
    write_part(1, out, |out| write_terms(product, movement.price, movement.balance, out));
    write_part(2, out, |out| {
        let recorded_at = Timestamp::from(movement.recorded_at);
        write_number(1, movement.sequence, out);
        write_text(2, product.name.as_str(), out);
        write_number(3, kind_message(movement.kind).into(), out);
        write_number(4, movement.delta.thousandths(), out);
        write_number(5, movement.balance.thousandths(), out);
        write_part(6, out, |out| {
            write_number(1, recorded_at.seconds, out);
            write_number(2, recorded_at.nanos.into(), out);
        });
        if let Some(request_id) = &movement.request_id {
            write_text(7, request_id.as_str(), out);
        }
        write_number(8, movement.price.centavos(), out);
        write_number(9, movement.amount().centavos(), out);
        write_optional(10, movement.cost.map(Cost::centavos), out);
        let details = movement.details.as_deref();
        if let Some(reason) = details.and_then(|details| details.loss_reason) {
            write_number(11, loss_reason_message(reason).into(), out);
        }
        if let Some(author) = &movement.author {
            write_text(12, author.as_str(), out);
        }
        if let Some(details) = details {
            write_note_and_purchase(details, out);
        }
        // The change is a document by itself.
        write_number(15, movement.sequence, out);
    });
}

fn write_note_and_purchase(details: &Details, out: &mut Vec<u8>) {
    if let Some(note) = &details.note {
        write_text(13, note.as_str(), out);
    }
    if let Some(purchase) = &details.purchase {
        prost::encoding::message::encode(14, &purchase_message(purchase), out);
    }
}

/// The message of a batch.
pub fn batch_message(request: &BatchRequest<'_>) -> v1::BatchAdjustStockRequest {
    v1::BatchAdjustStockRequest {
        adjustments: request.adjustments.iter().map(adjust_message).collect(),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
    }
}

/// The message of a stock change.
pub fn adjust_message(request: &AdjustRequest<'_>) -> v1::AdjustStockRequest {
    let details = request.details.as_deref();
    let note = details.and_then(|details| details.note.as_ref());
    v1::AdjustStockRequest {
        name: request.name.to_owned(),
        delta_thousandths: request.delta.thousandths(),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        kind: kind_message(request.kind),
        amount_centavos: details.and_then(|details| details.amount).map(Amount::centavos),
        loss_reason: details.and_then(|details| details.loss_reason).map_or(0, loss_reason_message),
        note: note.map_or(String::new(), Note::to_string),
        purchase: details
            .and_then(|details| details.purchase.as_ref())
            .map(|purchase| Box::new(purchase_message(purchase))),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::catalog::{
        Kind, LossReason, Name, Price, ProductId, Purchase, StockCost, TOTAL_CENTAVOS_MAX, Unit, parse_expiry,
    };
    use crate::operation::Adjusted;

    #[test]
    fn a_streams_answers_are_what_the_generated_code_reads() {
        let read = |out: &[u8]| {
            assert_eq!((out[0], &out[1..5]), (0, &u32::try_from(out.len() - 5).unwrap().to_be_bytes()[..]));
            v1::StreamAdjustStockResponse::decode(&out[5..]).unwrap().result.unwrap()
        };
        let mut out = Vec::new();
        let longest = "çãõé".repeat(16);
        let purchase = Purchase {
            supplier: Some("Sítio do Zé".parse().unwrap()),
            lot: Some("L-7".parse().unwrap()),
            expires_on: Some(parse_expiry("2026-12-05").unwrap()),
            invoice: Some("35261112345678000195550010000001231000001230".parse().unwrap()),
            item: Some("12345678000195/01/CX".parse().unwrap()),
            pack: Some(Quantity::from_units(20)),
        };
        let whole = Details {
            amount: Amount::from_centavos(TOTAL_CENTAVOS_MAX),
            loss_reason: Some(LossReason::Returned),
            note: Some("20cx=440kg".parse().unwrap()),
            purchase: Some(purchase),
        };
        let max = Quantity::MAX.thousandths();
        let (cost, id) = (Some(Cost::from_centavos(-1)), Some("7f".repeat(32)));
        for (name, stock, kind, request_id, cost, author, details) in [
            ("Caju", 0, Kind::Sale, None, None, None, Details::default()),
            ("Caju", 0, Kind::Sale, None, Some(Cost::from_centavos(0)), None, Details::default()),
            (longest.as_str(), max, Kind::Adjustment, id, cost, Some("balcao"), whole),
        ] {
            let product = Product {
                id: ProductId::FIRST,
                name: Name::parse(name).unwrap(),
                unit: Unit::parse("maço").unwrap(),
                price: Price::from_centavos(stock.min(599)).unwrap(),
                stock: Quantity::from_thousandths(stock).unwrap(),
                flags: crate::catalog::Flags::default(),
                last_movement: stock + 1,
                stock_cost: StockCost::UNKNOWN,
            };
            let movement = Movement {
                sequence: stock + 1,
                product: product.id,
                kind,
                delta: Quantity::from_units(-7),
                balance: product.stock,
                price: product.price,
                recorded_at: std::time::UNIX_EPOCH + std::time::Duration::from_micros(stock.cast_unsigned()),
                previous: 0,
                request_id: request_id.map(|id| id.parse().unwrap()),
                cost,
                author: author.map(|name| name.parse().unwrap()),
                details: details.boxed(),
            };
            out.clear();
            write_stream_answer(&mut out, Ok((&product, &movement)));
            let adjusted = Adjusted { product, movement };
            let expected = change_message(&ChangeReply::from(&adjusted));
            assert_eq!(change_reply(expected.clone()).unwrap(), ChangeReply::from(&adjusted));
            assert_eq!(read(&out), v1::stream_adjust_stock_response::Result::Adjusted(expected.clone()));
            // The bytes are those of the generated code: fields in order, zeros left out.
            let generated = v1::StreamAdjustStockResponse { result: Some(read(&out)) };
            assert_eq!(out[5..], generated.encode_to_vec());
        }
        out.clear();
        let refusal = Refusal::no_room();
        write_stream_answer(&mut out, Err(refusal.clone()));
        let v1::stream_adjust_stock_response::Result::Refused(refused) = read(&out) else {
            panic!("{out:?}")
        };
        assert_eq!((refused.reason.as_str(), refused.message), (refusal.code.as_str(), refusal.message));
    }
}
