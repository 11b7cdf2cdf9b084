//! The limit of open files, which also limits connections.

use crate::platform::advice::RAISE_OPEN_FILES;
use crate::platform::machine::raise_open_files;

/// The open files other than connections: the database and its log, the timers and wake-ups of the workers,
/// the standard streams, and the files for reopening the store after a failure.
const RESERVED: usize = 64;

/// The connections that are served even if the limit of open files is lower.
const CONNECTIONS_MIN: usize = 16;

/// Raises the limit of open files as far as the system permits, and returns how many of the wanted
/// connections fit beside `others`.
pub(super) fn allow(wanted: usize, others: usize) -> usize {
    let beside = RESERVED + others;
    let Some(files) = raise_open_files(wanted.saturating_add(beside)) else { return wanted };
    let allowed = wanted.min(files.saturating_sub(beside).max(CONNECTIONS_MIN));
    if allowed < wanted {
        tracing::warn!(
            files,
            connections = allowed,
            "the limit of open files allows fewer connections than --max-connections; {RAISE_OPEN_FILES}"
        );
    }
    allowed
}
