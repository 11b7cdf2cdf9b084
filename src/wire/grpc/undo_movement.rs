//! The messages of `UndoMovement`.

use super::fields::{optional_note, optional_request_id};
use super::v1;
use crate::catalog::{Note, RequestId};
use crate::operation::UndoRequest;
use crate::refusal::Refusal;

/// Reads an undo from its message.
///
/// # Errors
/// If a field is wrong (`INVALID_ARGUMENT`, with the field).
pub fn undo_request(message: &v1::UndoMovementRequest) -> Result<UndoRequest, Refusal> {
    let request_id = optional_request_id(&message.request_id)?;
    let note = optional_note(&message.note)?;
    Ok(UndoRequest { note, ..UndoRequest::of(message.sequence, message.single, request_id) })
}

/// The message of an undo.
pub fn undo_message(request: &UndoRequest) -> v1::UndoMovementRequest {
    v1::UndoMovementRequest {
        sequence: request.sequence,
        single: request.is_single,
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
        note: request.note.as_ref().map_or(String::new(), Note::to_string),
    }
}
