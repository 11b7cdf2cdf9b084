//! `undo --import`: takes an import back.

use std::time::SystemTime;

use super::super::Error;
use super::super::output::note;
use crate::catalog::{Quoted, RequestId, counted};
use crate::local_time::parse_with_offset;
use crate::operation::{Reply, Request, UndoImportRequest};

/// The request that undoes the last import, or the one of the time that `when` says as `history --changes` shows it.
pub(super) fn request(when: Option<&str>, request_id: Option<RequestId>) -> Result<Request<'static>, Error> {
    let at: Option<SystemTime> =
        when.map(|when| parse_with_offset(when.trim()).ok_or_else(|| wrong_time(when))).transpose()?;
    Ok(Request::UndoImport(UndoImportRequest { at, request_id }))
}

fn wrong_time(when: &str) -> Error {
    let what = format!(
        "{} não é o momento de uma importação, como 2026-11-30T09:41:07-03:00. Nada foi alterado; copie-o de \
         `hortifruti history --changes`",
        Quoted(when)
    );
    Error::Usage(what)
}

/// Reports the terms that stay, because they changed again since.
pub(super) fn tell_kept(reply: &Reply) {
    if let Reply::Imported(undone) = reply
        && undone.counts.unchanged > 0
    {
        let kept = counted(undone.counts.unchanged, "produto mudou", "produtos mudaram");
        note(&format!(
            "Aviso: {kept} de novo depois da importação, e o que mudou depois ficou; veja `hortifruti history --changes`."
        ));
    }
}
