//! The limit of open files, which also limits connections.

/// The open files other than connections: the database and its log, the timers and wake-ups of the workers,
/// the standard streams, and the files for reopening the store after a failure.
const RESERVED: usize = 64;

/// The connections that are served even if the limit of open files is lower.
const CONNECTIONS_MIN: usize = 16;

/// Raises the limit of open files as far as the system permits, and returns how many of the wanted
/// connections fit beside `others`.
pub(super) fn allow(wanted: usize, others: usize) -> usize {
    let beside = RESERVED + others;
    let Some(files) = raise(wanted.saturating_add(beside)) else { return wanted };
    let allowed = wanted.min(files.saturating_sub(beside).max(CONNECTIONS_MIN));
    if allowed < wanted {
        tracing::warn!(
            files,
            connections = allowed,
            "the limit of open files allows fewer connections than --max-connections; raise it with ulimit -n"
        );
    }
    allowed
}

/// Raises the limit and returns it; `None` if the system has none.
fn raise(wanted: usize) -> Option<usize> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(hard);
    let reached = match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        _ if soft >= wanted => soft,
        Ok(()) => wanted,
        Err(_) => soft,
    };
    Some(usize::try_from(reached).unwrap_or(usize::MAX))
}
