//! Undone imports.

use std::time::SystemTime;

use prost_types::Timestamp;

use super::fields::optional_request_id;
use super::terms::{change_message, product_change};
use super::v1;
use crate::catalog::{ImportCounts, RequestId};
use crate::operation::{ImportReply, UndoImportRequest, UndoneImport};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// Reads the undo of an import from its message.
///
/// # Errors
/// If the time or the request id cannot be one (`INVALID_ARGUMENT`, with the field).
pub fn undo_import_request(message: &v1::UndoImportRequest) -> Result<UndoImportRequest, Refusal> {
    let at = message.import_time.map(SystemTime::try_from).transpose();
    let at = at.map_err(|_| Refusal::invalid("import_time", "import_time não é um momento"))?;
    Ok(UndoImportRequest { at, request_id: optional_request_id(&message.request_id)? })
}

/// The message of the undo of an import.
pub fn undo_import_message(request: &UndoImportRequest) -> v1::UndoImportRequest {
    v1::UndoImportRequest {
        import_time: request.at.map(Timestamp::from),
        request_id: request.request_id.as_ref().map_or(String::new(), RequestId::to_string),
    }
}

/// The answer to the undo of an import. There are never more products than an `i32` counts.
pub(super) fn undo_import_response(reply: &ImportReply, undone: UndoneImport) -> v1::UndoImportResponse {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    v1::UndoImportResponse {
        restored_count: count(reply.counts.updated),
        retired_count: count(reply.counts.discontinued),
        kept_count: count(reply.counts.unchanged),
        changes: reply.changes.iter().map(change_message).collect(),
        import_time: Some(undone.at.into()),
        part_count: count(undone.part_count),
    }
}

/// Reads the effect of the undo of an import.
///
/// # Errors
/// If no server of ours would send the message.
pub fn undo_import_reply(message: v1::UndoImportResponse) -> Result<ImportReply, NotAReply> {
    let count = |count: i32| usize::try_from(count).map_err(|_| NotAReply);
    let counts = ImportCounts {
        created: 0,
        updated: count(message.restored_count)?,
        unchanged: count(message.kept_count)?,
        discontinued: count(message.retired_count)?,
    };
    let changes = message.changes.into_iter().map(product_change).collect::<Result<_, _>>()?;
    let at = message.import_time.ok_or(NotAReply)?.try_into().map_err(|_| NotAReply)?;
    // A server that knows no parts says no number of them.
    let part_count = count(message.part_count)?.max(1);
    Ok(ImportReply { counts, changes, undone: Some(UndoneImport { at, part_count }) })
}
