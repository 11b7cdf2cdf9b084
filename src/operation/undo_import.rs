//! `UndoImport`: takes a whole import back, once only.

use std::fmt;
use std::time::SystemTime;

use crate::catalog::RequestId;

/// An import to undo as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoImportRequest {
    /// When the import was recorded; a whole second stands for the last one in it that is not undone. `None` for the
    /// last import.
    pub at: Option<SystemTime>,
    /// The client's id for the undo.
    pub request_id: Option<RequestId>,
}

/// An import that was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoneImport {
    /// When it was recorded: its first part, if it has several.
    pub at: SystemTime,
    /// The number of requests in which the list came, all of which are undone.
    pub part_count: usize,
}

impl fmt::Display for UndoImportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("estorno de importação")
    }
}
