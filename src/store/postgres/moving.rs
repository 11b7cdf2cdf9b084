//! The move of a shop from a database or into one.

mod source;
mod target;

use std::time::Duration;

pub(crate) use source::PostgresSource;
pub(crate) use target::PostgresTarget;

/// How long one statement of a move may take: those of a large shop take minutes.
const MOVE_TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
