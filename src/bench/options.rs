//! The options of a measure.

use std::path::PathBuf;
use std::time::Duration;

use super::mix::Mix;
use crate::client::ConnectOptions;

/// Turns of each transport. The transports take turns, so that what else the machine does falls on all
/// of them alike; the spread of the ratios shows how much it did.
pub(super) const ROUNDS: u32 = 5;

/// The options of a measure.
pub struct Options {
    /// The server's address.
    pub address: String,
    /// TLS and token of the connections.
    pub connect: ConnectOptions,
    /// The server's process for its CPU time, if it runs on this machine and is known.
    pub process: Option<u32>,
    /// Connections of each transport.
    pub connections: usize,
    /// Operations that each connection keeps in flight at most.
    pub pipeline: usize,
    /// Time for which each transport runs in all.
    pub duration: Duration,
    /// Operations begun in a second, whatever the answers do (open loop); without it, each
    /// answer begins the next operation (closed loop).
    pub rate: Option<f64>,
    /// The mix of reads and writes.
    pub mix: Mix,
    /// The file for the figures for programs.
    pub json: Option<PathBuf>,
    /// The file for the page with the charts.
    pub html: Option<PathBuf>,
}

impl Options {
    /// Time for which one transport runs without a pause.
    pub(super) fn turn(&self) -> Duration {
        self.duration / ROUNDS
    }
}
