//! The last change of a shell, which `desfazer` alone undoes.

use crate::catalog::counted;
use crate::client::ClientError;
use crate::operation::{ChangeReply, Operation, Reply, Request};
use crate::render::change_line;

/// The last change, if its movement is known. A reply of the text protocol does not name the movement.
#[derive(Default)]
pub(super) struct LastChange(Vec<ChangeReply>);

impl LastChange {
    /// Notes the answer to a change. A change in doubt leaves no last change, because it may not have been
    /// made; neither does an undo, which cannot be undone.
    pub(super) fn note(&mut self, request: &Request<'_>, answer: &Result<Reply, ClientError>) {
        self.0 = match answer {
            Err(ClientError::Refused(_)) => return,
            Ok(_) if request.operation() == Operation::UndoMovement => Vec::new(),
            Ok(Reply::Change(change)) => vec![change.clone()],
            Ok(Reply::Changes(changes)) => changes.clone(),
            Ok(_) => return,
            Err(ClientError::Connection(_)) => Vec::new(),
        };
    }

    /// Forgets the last change, because another one came after it whose movement is not known.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The number of the change's last movement, and the line that describes the change.
    pub(super) fn movement(&self) -> Option<(i64, String)> {
        let mut moved = self.0.iter().rev().filter(|change| change.movement.is_some());
        let change = moved.next()?;
        let line = change_line(change)?;
        let told = match moved.count() {
            0 => line,
            others => format!(
                "{line}, e {} do mesmo documento",
                counted(others, "outro movimento", "outros movimentos")
            ),
        };
        Some((change.movement.as_ref()?.sequence, told))
    }
}
