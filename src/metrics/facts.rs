//! Facts that are not counted but asked for when somebody reads the metrics.

use crate::operation::LeaseStatus;

/// The facts of a moment, as the inventory knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The products, also those that are no longer sold.
    pub products: usize,
    /// The sequence number of the last movement that is published.
    pub last_sequence: i64,
    /// The requests for changes that wait for their commit.
    pub waiting_changes: usize,
    /// The version of the stored form.
    pub schema: u32,
    /// The bytes of the database file, and of the log beside it. 0 for a database in memory.
    pub database_bytes: u64,
    pub log_bytes: u64,
    /// The lease of the shop, if several servers can serve it.
    pub lease: Option<LeaseStatus>,
}
