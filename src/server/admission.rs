//! Admission: the limits on connections, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::console::Console;

/// The longest time that a new connection waits for the end of the one before, if connections are counted.
const SETTLE_WAIT: Duration = Duration::from_millis(20);

/// The most connections from one address if the operator gives no limit: a shop whose tills share an address
/// has some tens. Clients on this machine are trusted, and have no limit of their own.
const PER_ADDRESS_DEFAULT: usize = 1024;

/// The most connections that are refused with an answer at one time. More are closed without an answer, so
/// that a flood costs no more than this many.
pub(super) const TURNED_AWAY_MAX: usize = 64;

/// The pause between two warnings that the server is full: a flood must not fill the disk.
const FULL_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections in all.
    pub connections: usize,
    /// The most connections from one address. `None` for 1024, without a limit for loopback.
    pub connections_per_address: Option<usize>,
    /// The longest time without a byte from either side. `None` for no limit.
    pub idle: Option<Duration>,
}

impl Limits {
    fn of(&self, address: IpAddr) -> usize {
        match self.connections_per_address {
            Some(limit) => limit,
            None if address.is_loopback() => self.connections,
            None => PER_ADDRESS_DEFAULT,
        }
    }
}

/// The counts of a server's connections. The console shows when a connection begins and ends.
pub(super) struct Connections {
    console: Console,
    exit_after: Option<u64>,
    limits: Limits,
    count: Mutex<Count>,
    changed: Notify,
}

#[derive(Default)]
struct Count {
    begun: u64,
    open: usize,
    by_address: HashMap<IpAddr, usize>,
    turned_away: usize,
    full_logged: Option<Instant>,
}

impl Count {
    /// Takes a place for a connection, if there is one.
    fn take_place(&mut self, address: IpAddr, limits: &Limits) -> bool {
        if self.open >= limits.connections {
            return false;
        }
        let of_address = self.by_address.entry(address).or_default();
        if *of_address >= limits.of(address) {
            return false;
        }
        *of_address += 1;
        self.open += 1;
        self.begun += 1;
        true
    }

    fn leave_place(&mut self, address: IpAddr) {
        self.open -= 1;
        if let Some(of_address) = self.by_address.get_mut(&address) {
            *of_address -= 1;
            if *of_address == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

/// The address that a connection counts for. For IPv6, a client has a whole network of addresses (/64), which
/// counts as one.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
        address => address,
    }
}

impl Connections {
    pub(super) fn new(console: Console, exit_after: Option<u64>, limits: Limits) -> Self {
        Self { console, exit_after, limits, count: Mutex::default(), changed: Notify::new() }
    }

    /// Counts a connection until its guard is dropped. If there is no place for it, the guard says so; `None`
    /// if there is not even a place for an answer.
    pub(super) fn begin(self: &Arc<Self>, peer: SocketAddr) -> Option<Guard> {
        let address = counted_as(peer.ip());
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let is_served = count.take_place(address, &self.limits);
        if !is_served {
            if count.full_logged.is_none_or(|logged| logged.elapsed() >= FULL_LOGGED_EVERY) {
                count.full_logged = Some(Instant::now());
                tracing::warn!(%peer, open = count.open, "there is no room for more connections");
            }
            if count.turned_away >= TURNED_AWAY_MAX {
                return None;
            }
            count.turned_away += 1;
        }
        drop(count);
        if is_served {
            self.console.connected(peer);
        }
        Some(Guard { connections: Arc::clone(self), address, is_served })
    }

    /// Whether another connection is to be accepted now.
    pub(super) fn is_another_wanted(&self) -> bool {
        let begun = self.count.lock().unwrap_or_else(PoisonError::into_inner).begun;
        self.exit_after.is_none_or(|limit| begun < limit)
    }

    /// Whether another connection is to be accepted. Waits until all have ended before it returns `false`.
    pub(super) async fn another_wanted(&self) -> bool {
        let Some(limit) = self.exit_after else { return true };
        loop {
            let changed = self.changed.notified();
            {
                let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
                if count.begun < limit {
                    return true;
                }
                if count.open == 0 {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// If the number of connections is limited, waits a little for the end of the one before, so that the
    /// console shows that end first. The original served one connection at a time.
    pub(super) async fn settle(&self) {
        if self.exit_after.is_none() {
            return;
        }
        let ended = async {
            while self.count.lock().unwrap_or_else(PoisonError::into_inner).open > 0 {
                self.changed.notified().await;
            }
        };
        let _ = tokio::time::timeout(SETTLE_WAIT, ended).await;
    }

    fn change(&self, change: impl FnOnce(&mut Count)) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut count);
        let is_last = count.open == 0 && self.exit_after.is_some_and(|limit| count.begun >= limit);
        drop(count);
        self.changed.notify_one();
        is_last
    }
}

/// An open connection's place in the count.
pub(super) struct Guard {
    connections: Arc<Connections>,
    address: IpAddr,
    is_served: bool,
}

impl Guard {
    /// Whether there is a place for this connection. If not, the answer is that the server is full.
    pub(super) fn is_served(&self) -> bool {
        self.is_served
    }

    /// Excludes this connection from the count of `--exit-after`.
    pub(super) fn uncount(&self) {
        self.connections.change(|count| count.begun -= 1);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_served {
            self.connections.change(|count| count.turned_away -= 1);
        } else if !self.connections.change(|count| count.leave_place(self.address)) {
            self.connections.console.line("Aguardando conexão...");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(limits: Limits) -> Arc<Connections> {
        Arc::new(Connections::new(Console::quiet(), None, limits))
    }

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 1)
    }

    #[test]
    fn places_are_limited_in_all_and_for_each_address_and_given_back() {
        let all = connections(Limits { connections: 3, connections_per_address: Some(2), idle: None });
        let begin = |address: &str| all.begin(peer(address)).unwrap();
        let first = begin("192.0.2.1");
        let mapped = begin("::ffff:192.0.2.1");
        assert!(first.is_served() && mapped.is_served());
        assert!(!begin("192.0.2.1").is_served(), "two of that address are there");
        let other = begin("192.0.2.2");
        assert!(other.is_served());
        assert!(!begin("192.0.2.3").is_served(), "three are there");
        drop(first);
        assert!(begin("192.0.2.1").is_served());
        drop((mapped, other));
        let count = all.count.lock().unwrap();
        assert_eq!((count.open, count.by_address.len(), count.turned_away), (0, 0, 0));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let all = connections(Limits { connections: 9, connections_per_address: Some(1), idle: None });
        let first = all.begin(peer("2001:db8:0:1::1")).unwrap();
        assert!(first.is_served());
        assert!(!all.begin(peer("2001:db8:0:1:ffff::2")).unwrap().is_served());
        assert!(all.begin(peer("2001:db8:0:2::1")).unwrap().is_served());
    }

    #[test]
    fn loopback_is_limited_only_where_it_is_asked_for() {
        let default = Limits { connections: 5000, connections_per_address: None, idle: None };
        assert_eq!(default.of("127.0.0.1".parse().unwrap()), 5000);
        assert_eq!(default.of("::1".parse().unwrap()), 5000);
        assert_eq!(default.of("192.0.2.1".parse().unwrap()), PER_ADDRESS_DEFAULT);
        let asked = Limits { connections_per_address: Some(7), ..default };
        assert_eq!(asked.of("127.0.0.1".parse().unwrap()), 7);
    }

    #[test]
    fn only_so_many_are_refused_with_an_answer() {
        let all = connections(Limits { connections: 0, connections_per_address: None, idle: None });
        let answered: Vec<_> = (0..TURNED_AWAY_MAX).map(|_| all.begin(peer("127.0.0.1")).unwrap()).collect();
        assert!(all.begin(peer("127.0.0.1")).is_none());
        drop(answered);
        assert!(all.begin(peer("127.0.0.1")).is_some());
    }
}
