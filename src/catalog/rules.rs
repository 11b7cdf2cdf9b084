//! The rules of a change, one file for each operation. All of them are methods of a
//! [`Draft`](super::Draft), which refuses what breaks a rule and is then as it was.

pub(super) mod adjust;
pub(super) mod batch;
pub(super) mod count;
pub(super) mod import;
pub(super) mod undo;
