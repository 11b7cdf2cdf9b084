//! What every connection has, whatever it speaks: its place in the count, a clock for its
//! silence, the bytes that told its protocol, and an end that loses no reply.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use super::console::Console;
use super::stream::Stream;

/// How long a connection that the server ends is still read, and thrown away: closing one
/// with unread bytes would reset it, and the client would lose the last reply.
const LINGER: Duration = Duration::from_secs(1);

/// How long a new connection waits for the end of the one before, where they are counted.
const SETTLE_WAIT: Duration = Duration::from_millis(20);

/// Connections of one address where the operator says nothing: a shop whose tills share
/// one has some tens. The clients of this machine share loopback, and are not strangers.
const PER_ADDRESS_DEFAULT: usize = 1024;

/// Newcomers that are being told that there is no room; more are closed without a word, so
/// that a flood of them costs no more than this many.
pub(super) const TURNED_AWAY_MAX: usize = 64;

/// How often it is logged that there is no room: a flood must not fill the disk.
const FULL_TOLD_EVERY: Duration = Duration::from_secs(10);

/// When a silent peer is asked for a sign of life, how often, and how many times: one whose
/// machine or network is gone holds its place for two minutes.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES_MAX: u32 = 4;

/// How many connections there may be, and how long one may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address. `None`: 1024, and for loopback no other limit than that for all.
    pub connections_per_address: Option<usize>,
    /// Without a byte from either side. `None`: for ever.
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

/// Counts connections, and tells the console.
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
    full_told: Option<Instant>,
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

/// Whom an address counts as. Whoever has an IPv6 address has a whole network of them (/64).
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
        address => address,
    }
}

/// Sets what the system does for a new connection.
pub(super) fn prepare(stream: &std::net::TcpStream) -> io::Result<()> {
    // A small reply must not wait for an acknowledgement; hyper does not set it.
    stream.set_nodelay(true)?;
    let probes =
        TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES_MAX);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&probes)?;
    // The probes find who is gone; this, who is there and takes nothing of what waits for
    // it. Not HTTP/2's ping: a client that is not asked anything need not look at its
    // connection, and our own shell does not.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(PROBE_AFTER + PROBES_MAX * PROBE_EVERY))?;
    Ok(())
}

impl Connections {
    pub(super) fn new(console: Console, exit_after: Option<u64>, limits: Limits) -> Self {
        Self { console, exit_after, limits, count: Mutex::default(), changed: Notify::new() }
    }

    /// Counts a connection until its guard is dropped. Where there is no place for it, its
    /// guard says so; `None` where there is none even for telling it.
    pub(super) fn begin(self: &Arc<Self>, peer: SocketAddr) -> Option<Guard> {
        let address = counted_as(peer.ip());
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let is_served = count.take_place(address, &self.limits);
        if !is_served {
            if count.full_told.is_none_or(|told| told.elapsed() >= FULL_TOLD_EVERY) {
                count.full_told = Some(Instant::now());
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

    /// Whether another connection is to be accepted: at once if so, and once all have
    /// ended if not.
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

    /// Where only so many connections are wanted, lets the one before be told as ended
    /// before the next is told as begun, as the original did, which served one at a time.
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
    /// Whether there is a place for this connection; if not, it is to be told so.
    pub(super) fn is_served(&self) -> bool {
        self.is_served
    }

    /// Does not count this connection for `--exit-after`.
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

/// Tells when a connection has been silent for too long. The timer is set anew only when
/// it rings, so what comes costs no more than a look at the clock.
pub(super) struct Silence {
    limit: Option<Duration>,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        let timer = Box::pin(tokio::time::sleep(limit.unwrap_or_default()));
        Self { limit, since: Instant::now(), timer }
    }

    /// It begins anew.
    pub(super) fn broken(&mut self) {
        self.since = Instant::now();
    }

    /// Is ready when it has lasted too long.
    pub(super) async fn too_long(&mut self) {
        let Some(limit) = self.limit else { return std::future::pending().await };
        loop {
            self.timer.as_mut().await;
            let due = self.since + limit;
            if due <= Instant::now() {
                return;
            }
            self.timer.as_mut().reset(due);
        }
    }
}

/// A connection whose first bytes have been read already, for hyper.
pub(super) struct Prefixed {
    first_bytes: Vec<u8>,
    stream: Stream,
    bytes_read: BytesRead,
}

/// How many bytes have been read from a connection.
#[derive(Clone, Default)]
pub(super) struct BytesRead(Arc<AtomicUsize>);

impl BytesRead {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Prefixed {
    pub(super) fn new(first_bytes: Vec<u8>, stream: Stream, bytes_read: BytesRead) -> Self {
        Self { first_bytes, stream, bytes_read }
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first_bytes.is_empty() {
            let before = buffer.filled().len();
            let read = Pin::new(&mut self.stream).poll_read(context, buffer);
            self.bytes_read.0.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
            return read;
        }
        let length = self.first_bytes.len().min(buffer.remaining());
        buffer.put_slice(&self.first_bytes[..length]);
        self.first_bytes.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Answers a connection of a protocol that is not served, and ends it.
pub(super) async fn refuse(mut stream: Stream, answer: &[u8]) {
    // The end also flushes.
    if tokio::time::timeout(LINGER, stream.write_all(answer)).await.is_ok_and(|sent| sent.is_ok()) {
        end(stream).await;
    }
}

/// How long a client may take nothing of what it is sent before it is given up: what waits
/// for it takes memory, and a client that reads at all takes something in a minute.
pub(super) const STALLED_MAX: Duration = Duration::from_secs(60);

/// Writes to a client, and gives it up when it takes nothing for a while.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let some = async {
            let length = stream.write(bytes).await?;
            // TLS has taken the last of it, and perhaps not sent it.
            if length == bytes.len() {
                stream.flush().await?;
            }
            Ok::<usize, io::Error>(length)
        };
        let length = tokio::select! {
            // Nearly all is taken at once, and no timer is made.
            biased;
            length = some => length?,
            () = async { tokio::time::sleep(STALLED_MAX).await } => {
                return Err(io::ErrorKind::TimedOut.into());
            }
        };
        if length == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[length..];
    }
    Ok(())
}

/// Ends a connection so that its last reply arrives.
pub(super) async fn end(mut stream: Stream) {
    if !tokio::time::timeout(LINGER, stream.shutdown()).await.is_ok_and(|shut| shut.is_ok()) {
        return;
    }
    let transport = stream.transport();
    let _ = tokio::time::timeout(LINGER, async {
        while transport.readable().await.is_ok() {
            // These two never wait while there is something: whoever sends on and on would
            // keep the thread from everybody else.
            tokio::task::coop::consume_budget().await;
            match transport.try_read(&mut [0; 1024]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::super::testing;
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
    fn only_so_many_are_told_that_there_is_no_room() {
        let all = connections(Limits { connections: 0, connections_per_address: None, idle: None });
        let told: Vec<_> = (0..TURNED_AWAY_MAX).map(|_| all.begin(peer("127.0.0.1")).unwrap()).collect();
        assert!(all.begin(peer("127.0.0.1")).is_none());
        drop(told);
        assert!(all.begin(peer("127.0.0.1")).is_some());
    }

    #[test]
    fn the_system_looks_for_peers_that_are_gone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        prepare(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(120)));
    }

    #[tokio::test]
    async fn others_come_first_while_the_rest_of_a_connection_is_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().await.unwrap();
        client.set_nonblocking(true).unwrap();
        let mut kib = 0;
        while let Ok(length) = io::Write::write(&mut &client, &[0; 64 * 1024]) {
            kib += length / 1024;
        }
        drop(client);
        let turns = testing::turns();
        end(Stream::Plain(server)).await;
        let turns = turns.load(std::sync::atomic::Ordering::Relaxed);
        assert!(kib >= 256 && turns > kib / 256, "{turns} turns in {kib} KiB");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_byte() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut silence = Silence::new(Some(10 * second));
        tokio::time::sleep(6 * second).await;
        silence.broken();
        silence.too_long().await;
        assert_eq!(start.elapsed().as_secs(), 16);
        let never = tokio::time::timeout(100_000 * second, async { Silence::new(None).too_long().await });
        assert!(never.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (mut server, client) = tokio::io::duplex(16);
        let given_up = write(&mut server, &[0; 64]).await.unwrap_err();
        assert_eq!(given_up.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
