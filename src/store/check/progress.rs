//! The progress of a check or a copy.

/// A step of a check or a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Pages are copied.
    Copy,
    /// The database checks every page.
    Pages,
    /// The ledger is replayed.
    Ledger,
}

/// A function that is called with the progress of a step: how much is done, and of how much.
pub(crate) type Report<'a> = &'a mut dyn FnMut(Step, u64, u64);
