//! The rights that requests need. `access` decides who has which.

/// A right that a request needs, and that a token may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To ask, and to change nothing.
    Read,
    /// To count stocks, without a look at them.
    Count,
    /// To change stocks by sales.
    Sell,
    /// To change anything.
    Write,
}
