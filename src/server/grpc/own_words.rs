//! Statuses that tonic makes before a handler sees the call, translated to the texts and codes of our
//! contract. tonic's texts are English, and some call a client's mistake a defect of the server (`INTERNAL`).

use prost::DecodeError;
use tonic::body::Body;
use tonic::codegen::http::Response;
use tonic::{Code, Status};

use crate::refusal::{self, Refusal};
use crate::wire::grpc::{INVENTORY_SERVICE, PRODUTO_SERVICE, status};

/// Replaces a status that tonic made with one of ours, and keeps any other. `bytes_max` is the limit of the
/// call's message.
pub(super) fn refusal(refused: Status, bytes_max: usize) -> Status {
    if !is_tonics(&refused) {
        return refused;
    }
    match refused.code() {
        Code::OutOfRange | Code::ResourceExhausted => status(Refusal::message_too_large(bytes_max)),
        Code::Unimplemented => status(no_such_call()),
        Code::Internal => status(no_message(refused.message())),
        _ => {
            tracing::error!(%refused, "a call failed with an unknown status of tonic");
            status(defect())
        }
    }
}

/// The status of a call with bytes that are no message.
pub(super) fn unreadable(error: &DecodeError) -> Status {
    status(no_message(&error.to_string()))
}

/// The refusal of a call that failed by a defect.
pub(in crate::server) fn defect() -> Refusal {
    let what = "o servidor não pôde atender este pedido. Nada foi feito; tente de novo, e avise o responsável pelo servidor.";
    Refusal::new(refusal::Code::Internal, what)
}

/// Whether tonic made a status: all of ours have details.
fn is_tonics(refused: &Status) -> bool {
    refused.code() != Code::Ok && refused.details().is_empty()
}

/// The answer to a call if the server is full.
pub(in crate::server) fn no_room() -> Response<Body> {
    status(Refusal::no_room()).into_http()
}

pub(super) fn no_such_call() -> Refusal {
    let what =
        format!("chamada desconhecida. Nada foi feito; use as de {INVENTORY_SERVICE} ou {PRODUTO_SERVICE}.");
    Refusal::new(refusal::Code::UnknownCommand, what)
}

/// The refusal of bytes that are not a message, from tonic's text about them.
fn no_message(description: &str) -> Refusal {
    match field(description) {
        Some(field) => {
            let what = format!("a mensagem não pôde ser decodificada no campo {field} (textos são UTF-8)");
            Refusal { metadata: vec![("field", field.to_owned())], ..Refusal::invalid("message", what) }
        }
        None => Refusal::invalid("message", "a mensagem não pôde ser decodificada"),
    }
}

/// The innermost field that prost could not read, from its error text: `failed to decode Protobuf message:
/// AdjustStockRequest.name: BatchAdjustStockRequest.adjustments: …`.
fn field(described: &str) -> Option<&str> {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    described
        .split(": ")
        .filter_map(|part| part.split_once('.'))
        .find(|(message, field)| is_word(message) && is_word(field))
        .map(|(_, field)| field)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::wire::grpc::v1::{AdjustStockRequest, BatchAdjustStockRequest};

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        let described = |bytes: &[u8]| BatchAdjustStockRequest::decode(bytes).unwrap_err().to_string();
        assert_eq!(field(&described(b"\x0a\x07\x0a\x05Caj\xff\xff")), Some("name"));
        assert_eq!(field(&described(b"\x12\x01\xff")), Some("request_id"));
        assert_eq!(field(&described(b"\xff")), None);
        let described = AdjustStockRequest::decode(&b"\x10\xff"[..]).unwrap_err().to_string();
        assert_eq!(field(&described), Some("delta_thousandths"));
        assert_eq!(field("protocol error: received message with compressed-flag but no grpc-encoding"), None);
    }
}
