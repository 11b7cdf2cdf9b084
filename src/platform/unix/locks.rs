//! Locks on single bytes of a file, which belong to the open file and not to the process.

pub(crate) use super::kernel::{holders, is_locked, lock_bytes, locked_bytes};
