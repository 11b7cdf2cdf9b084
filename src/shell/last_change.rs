//! The last change of a shell, which `desfazer` alone undoes.

use crate::client::ClientError;
use crate::operation::{ChangeReply, Operation, Reply, Request};
use crate::render::change_line;

/// The last change, if its movement is known. A reply of the text protocol does not name the movement.
#[derive(Default)]
pub(super) struct LastChange(Option<ChangeReply>);

impl LastChange {
    /// Notes the answer to a change. A change in doubt leaves no last change, because it may not have been
    /// made; neither does an undo, which cannot be undone.
    pub(super) fn note(&mut self, request: &Request<'_>, answer: &Result<Reply, ClientError>) {
        self.0 = match answer {
            Err(ClientError::Refused(_)) => return,
            Ok(_) if request.operation() == Operation::UndoMovement => None,
            Ok(Reply::Change(change)) => Some(change.clone()),
            Ok(Reply::Changes(changes)) => changes.last().cloned(),
            Ok(_) => return,
            Err(ClientError::Connection(_)) => None,
        };
    }

    /// Forgets the last change, because another one came after it whose movement is not known.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// The number of the change's movement, and the line that describes the change.
    pub(super) fn movement(&self) -> Option<(i64, String)> {
        let change = self.0.as_ref()?;
        Some((change.movement.as_ref()?.sequence, change_line(change)?))
    }
}
