//! What watchers have seen: the ledger from its first movement to its last, each once and in order.

use super::Fault;
use crate::history::{Ledger, Seen};

/// Checks what one watcher has seen.
pub(crate) fn check_watched(seen: &[Seen], ledger: &Ledger) -> Result<(), Fault> {
    for (expected, seen) in (1..).zip(seen) {
        if seen.sequence != expected {
            return Err(Fault::WatchedOutOfTurn { expected, sequence: seen.sequence });
        }
    }
    for (seen, row) in seen.iter().zip(&ledger.rows) {
        if (seen.product, seen.delta, seen.balance) != (row.product, row.delta, row.balance) {
            return Err(Fault::WatchedOtherwise(seen.sequence));
        }
    }
    match (seen.len(), ledger.rows.len()) {
        (seen, rows) if seen < rows => Err(Fault::NotWatched(seen as i64 + 1)),
        (seen, rows) if seen > rows => Err(Fault::WatchedAndLost(rows as i64 + 1)),
        _ => Ok(()),
    }
}
