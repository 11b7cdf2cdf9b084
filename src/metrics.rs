//! Metrics: the counts and times of a running server, for `/metrics`, `status` and probes.
//!
//! The hot path pays for them once a turn and not once an operation: a connection counts its answers in a
//! [`Turn`] of its own, and adds them to the shared atomics together, with one reading of the clock when
//! bytes arrive and one when the answers are written. Every transport counts in this way or by
//! [`Operations::answered`]; whatever is known elsewhere (the position of the ledger, the bytes of the files)
//! is asked for when somebody reads the metrics ([`Facts`]).

mod connections;
mod exposition;
mod facts;
mod gauge;
mod histogram;
mod operations;
mod process;
mod store_health;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

pub use connections::{Connections, OpenConnection, Transport};
pub use exposition::{CONTENT_TYPE, write_metrics};
pub use facts::Facts;
pub use gauge::{Counted, Gauge};
pub use histogram::{Histogram, Snapshot};
pub use operations::{Operations, Turn};
pub use store_health::{LastError, StoreHealth};

/// The version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit of a release build; empty for other builds.
pub const COMMIT: &str = match option_env!("HORTIFRUTI_COMMIT") {
    Some(commit) => commit,
    None => "",
};

/// The metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    /// The time at which the process began to serve.
    pub started_at: SystemTime,
    /// The operations by name, outcome and transport, and their times.
    pub operations: Operations,
    /// The connections by transport.
    pub connections: Connections,
    /// The transactions.
    pub commits: Commits,
    /// The state of the store.
    pub store: StoreHealth,
    /// The address and the transports of the server, once it serves.
    pub served: OnceLock<Served>,
    /// The clients that watch movements now.
    pub watchers: Arc<Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started_at: SystemTime::now(),
            operations: Operations::default(),
            connections: Connections::default(),
            commits: Commits::default(),
            store: StoreHealth::default(),
            served: OnceLock::new(),
            watchers: Arc::default(),
        }
    }
}

/// The address that a server listens on, and the names of the transports that it serves.
#[derive(Debug)]
pub struct Served {
    /// The address.
    pub address: SocketAddr,
    /// The names of the transports.
    pub transports: Vec<&'static str>,
}

/// Transactions: their times, from the first write to the publication, and their changes.
#[derive(Debug)]
pub struct Commits {
    /// The times.
    pub durations: Histogram,
    /// The movements and changes of terms in a transaction.
    pub changes: Histogram,
}

impl Default for Commits {
    fn default() -> Self {
        Self {
            durations: Histogram::new(histogram::DURATION_NANOS),
            changes: Histogram::new(histogram::CHANGES),
        }
    }
}

impl Commits {
    /// Notes a transaction that is durable and published.
    pub fn note(&self, duration: Duration, changes: usize) {
        self.durations.observe(histogram::nanos(duration), 1);
        self.changes.observe(changes as u64, 1);
    }
}
