//! Connections by transport: those that are open, and all that there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::gauge::{Counted, Gauge};

/// A transport, as a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// The text protocol.
    Text,
    /// gRPC, over HTTP/2. A connection of HTTP/2 counts here, whatever comes over it.
    Grpc,
    /// HTTP: the panel, and calls of the Connect protocol.
    Http,
}

impl Transport {
    /// Every transport, in order.
    pub const ALL: [Self; 3] = [Self::Text, Self::Grpc, Self::Http];

    /// The label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

/// The counts of connections.
#[derive(Debug, Default)]
pub struct Connections {
    open: [Arc<Gauge>; Transport::ALL.len()],
    begun: [AtomicU64; Transport::ALL.len()],
    turned_away: AtomicU64,
}

/// An open connection, until it is dropped.
#[derive(Debug)]
pub struct OpenConnection {
    _counted: Counted,
}

impl Connections {
    /// Counts a connection, until the returned guard is dropped.
    pub fn open(&self, transport: Transport) -> OpenConnection {
        self.begun[transport as usize].fetch_add(1, Ordering::Relaxed);
        OpenConnection { _counted: self.open[transport as usize].one_more() }
    }

    /// Notes a connection for which there is no room.
    pub fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// The connections of each transport that are open now.
    pub(super) fn opened(&self) -> impl Iterator<Item = (Transport, usize)> {
        Transport::ALL.into_iter().zip(self.open.iter().map(|open| open.get()))
    }

    /// All connections of each transport since the start.
    pub(super) fn begun(&self) -> impl Iterator<Item = (Transport, u64)> {
        Transport::ALL.into_iter().zip(self.begun.iter().map(|begun| begun.load(Ordering::Relaxed)))
    }

    /// The connections of each transport: those that are open, and all since the start.
    pub fn counts(&self) -> impl Iterator<Item = (Transport, usize, u64)> {
        self.opened().zip(self.begun()).map(|((transport, open), (_, begun))| (transport, open, begun))
    }

    /// The connections for which there was no room.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_until_its_guard_is_dropped() {
        let connections = Connections::default();
        let open = || connections.opened().map(|(_, count)| count).collect::<Vec<_>>();
        let first = connections.open(Transport::Text);
        let second = connections.open(Transport::Text);
        assert_eq!(open()[..2], [2, 0]);
        drop((first, second));
        assert!(open().iter().all(|open| *open == 0));
        let begun: Vec<_> = connections.begun().map(|(_, count)| count).collect();
        assert_eq!(begun[..2], [2, 0]);
        assert!(Transport::ALL.iter().enumerate().all(|(place, transport)| *transport as usize == place));
    }
}
