//! `GetStatus`: the state of the server, for those who run it.

use std::time::{Duration, SystemTime};

use crate::catalog::LabelMask;

/// The state of a server at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReply {
    /// The version of the program, and its commit if it is known.
    pub version: String,
    pub commit: String,
    /// The version of the stored form.
    pub schema: u32,
    /// The time at which the server began.
    pub started_at: SystemTime,
    /// The address that the server listens on.
    pub address: String,
    /// The transports that are served, with their connections.
    pub transports: Vec<TransportStatus>,
    /// The clients that watch movements.
    pub watchers: u64,
    /// The products, also those that are no longer sold.
    pub products: u64,
    /// The sequence number of the last movement.
    pub last_sequence: i64,
    /// The state of the store.
    pub store: StoreState,
    /// The kind and the time of the store's last failure.
    pub last_error: Option<(String, SystemTime)>,
    /// The bytes of the database and of the log beside it.
    pub database_bytes: u64,
    pub log_bytes: u64,
    /// The requests that were answered, on all transports.
    pub requests: u64,
    /// The requests for changes that wait for their commit.
    pub waiting_changes: u64,
    /// The transactions.
    pub commits: u64,
    /// The time within which half of the transactions are durable, and 99 of 100. `None` if there was none, or
    /// the time is longer than any that is counted.
    pub commit_median: Option<Duration>,
    pub commit_p99: Option<Duration>,
    /// The masks by which labels of scales are read.
    pub label_masks: Vec<LabelMask>,
    /// The lease of the shop, if several servers can serve it.
    pub lease: Option<LeaseStatus>,
}

/// The lease of a shop that several servers can serve, as one of them knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseStatus {
    /// The role of the server.
    pub role: ServerRole,
    /// The epoch of the server's commits; 0 if it has never written.
    pub epoch: i64,
    /// The time since the last renewal, if the server has the lease.
    pub age: Option<Duration>,
    /// The address of the server that writes, if another one does.
    pub holder: Option<String>,
    /// How often the connection that keeps the lease was made again.
    pub reconnections: u64,
    /// The copies of the database that a change waits for, if the server may know.
    pub synchronous_standbys: Option<u64>,
    /// The bytes of the log that the slowest copy of the database lacks, if the server may know.
    pub replication_lag_bytes: Option<u64>,
}

/// The role of a server for its shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRole {
    /// Another server writes, or none.
    StandsBy,
    /// The server has taken the lease, and does not know yet all that others have stored.
    Elected,
    /// The server writes.
    Writes,
    /// The server stops, and gives the lease back.
    Leaves,
}

impl ServerRole {
    /// Every role, in order.
    pub const ALL: [Self; 4] = [Self::StandsBy, Self::Elected, Self::Writes, Self::Leaves];

    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::StandsBy => "stands_by",
            Self::Elected => "elected",
            Self::Writes => "writes",
            Self::Leaves => "leaves",
        }
    }
}

/// A transport and its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportStatus {
    /// The name: `text`, `grpc` or another.
    pub name: String,
    /// The connections that are open now, and all since the start.
    pub open: u64,
    pub total: u64,
}

/// Whether the store takes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// The store takes changes.
    Open,
    /// The last transaction could not begin. Nothing was written.
    Refusing,
    /// A commit failed, and the store has not answered yet whether it was made.
    InDoubt,
    /// The writer has stopped, because of a defect.
    Stopped,
    /// Another server writes for the shop.
    StandsBy,
}

impl StoreState {
    /// Every state, in order.
    pub const ALL: [Self; 5] = [Self::Open, Self::Refusing, Self::InDoubt, Self::Stopped, Self::StandsBy];

    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refusing => "refusing",
            Self::InDoubt => "in_doubt",
            Self::Stopped => "stopped",
            Self::StandsBy => "stands_by",
        }
    }
}
