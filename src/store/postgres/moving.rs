//! The move of a shop from a database or into one.

mod source;
mod target;

pub(crate) use source::PostgresSource;
pub(crate) use target::PostgresTarget;

/// How long one statement of a move may take: those of a large shop take minutes.
const MOVE_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
