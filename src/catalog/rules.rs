//! The rules of a change, one file for each operation. All are methods of a [`Draft`](super::Draft), which
//! refuses a change that breaks a rule, and then stays unchanged.

pub(super) mod adjust;
pub(super) mod batch;
pub(super) mod cost;
pub(super) mod count;
pub(super) mod import;
pub(super) mod merge;
pub(super) mod undo;
pub(super) mod undo_import;
pub(super) mod undo_merge;
pub(super) mod update;
