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
}

impl StoreState {
    /// Every state, in order.
    pub const ALL: [Self; 4] = [Self::Open, Self::Refusing, Self::InDoubt, Self::Stopped];

    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refusing => "refusing",
            Self::InDoubt => "in_doubt",
            Self::Stopped => "stopped",
        }
    }
}
