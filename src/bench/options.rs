//! The options of a measurement.

use std::path::PathBuf;
use std::time::Duration;

use super::mix::Mix;
use crate::client::ConnectOptions;

/// The turns of each transport. The transports take turns, so that other work of the machine affects all of
/// them alike; the spread of the ratios shows how much.
pub(super) const ROUNDS: u32 = 5;

/// The options of a measurement.
pub struct Options {
    /// The server's address.
    pub address: String,
    /// TLS and token of the connections.
    pub connect: ConnectOptions,
    /// The id of the server's process, for its CPU time, if it is known and on this machine.
    pub process: Option<u32>,
    /// The connections of each transport.
    pub connections: usize,
    /// The most operations that each connection keeps in flight.
    pub pipeline: usize,
    /// The total time for which each transport runs.
    pub duration: Duration,
    /// The operations begun in a second, independent of the answers (open loop). Without it, each answer
    /// begins the next operation (closed loop).
    pub rate: Option<f64>,
    /// The mix of reads and writes.
    pub mix: Mix,
    /// The file for the figures for programs.
    pub json: Option<PathBuf>,
    /// The file for the page with the charts.
    pub html: Option<PathBuf>,
}

impl Options {
    /// The time for which one transport runs in one turn.
    pub(super) fn turn(&self) -> Duration {
        self.duration / ROUNDS
    }
}
