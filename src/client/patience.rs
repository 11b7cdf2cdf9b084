//! The patience of a client: the limits of its waits, the reports to the person who waits, and the end of a
//! wait by Ctrl-C.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{ConnectionError, Traffic};

/// The limits of a wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest time for one attempt to reach a server: name lookup, connection, TLS and the server's
    /// first bytes together.
    pub(super) connect: Duration,
    /// The longest silence of a server after a request.
    pub(super) silence: Duration,
    /// The lowest rate of an answer, counted after `silence` has passed.
    pub(super) bytes_per_second_min: u64,
    /// The silence after which another server of the shop is asked. The next silences of the same request may last
    /// as long as the request has, because only a server that still writes is asked again.
    pub(super) silence_beside_others: Duration,
    /// The silence after which it is reported to the person.
    pub(super) reported_after: Duration,
}

/// The limits of every client. The lowest rate is below that of any network in use, so that only a server
/// that drips a list for ever is abandoned. Another server is asked when a frozen one has lost its lease of two
/// seconds. A silence is reported before the two seconds that DESIGN.md §7 promises, because checking and writing
/// take time.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    silence: Duration::from_secs(30),
    bytes_per_second_min: 8 * 1024,
    silence_beside_others: Duration::from_secs(3),
    reported_after: Duration::from_millis(1500),
};

/// The longest silence of a server during a watch: three times that before a heartbeat.
const EVENTLESS_MAX: Duration = Duration::from_secs(45);

/// The longest silence, during a watch, of a server beside which others serve the shop. Its heartbeats are frequent, the
/// first of them at the beginning.
const EVENTLESS_BESIDE_OTHERS: Duration = Duration::from_secs(3);

/// The longest time before a heartbeat by which it counts as frequent.
const FREQUENT: Duration = Duration::from_millis(2500);

/// The time between two checks of a wait.
const LOOK: Duration = Duration::from_millis(100);

/// The two flags belong to the process, because Ctrl-C does.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);
static IS_WAITING: AtomicBool = AtomicBool::new(false);

/// Ends the wait of the client in the foreground. Returns whether the client waits at all.
pub fn interrupt() -> bool {
    IS_INTERRUPTED.store(true, Ordering::Relaxed);
    IS_WAITING.load(Ordering::Relaxed)
}

/// News for the person who waits.
#[derive(Debug)]
pub enum News<'a> {
    /// The server at this address accepts connections and does not answer.
    Silent(&'a str),
    /// The connection broke, and the client looks for the server.
    Searching(&'a ConnectionError),
    /// Every server that answers stands by, and the client waits for one that writes.
    NobodyWrites,
}

/// The patience of one client.
pub struct Patience {
    limits: Limits,
    /// The function that receives the news. Without one, Ctrl-C does not end this client's waits.
    hearer: Option<fn(&News<'_>)>,
    has_reported_silence: bool,
    has_reported_search: bool,
    begun_at: Instant,
    /// The end of the wait for a connection.
    connect_end: Instant,
    /// The end of the wait for an answer, if it is before the usual limits.
    answer_end: Option<Instant>,
}

/// The pace of a server's heartbeats during a watch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse {
    heard_at: Instant,
    is_frequent: bool,
}

impl Pulse {
    /// Of a watch that begins now.
    pub(super) fn begin() -> Self {
        Self { heard_at: Instant::now(), is_frequent: false }
    }

    /// Notes an event.
    pub(super) fn hear(&mut self, is_heartbeat: bool) {
        let now = Instant::now();
        let silence = now - std::mem::replace(&mut self.heard_at, now);
        self.is_frequent |= is_heartbeat && silence < FREQUENT;
    }
}

/// The aim of a wait.
enum Awaited<'t> {
    Connection,
    /// An answer, on a connection with this traffic.
    Answer {
        traffic: &'t Traffic,
        has_others: bool,
    },
    /// An event of a watch, on a connection with this traffic.
    Event {
        traffic: &'t Traffic,
        silence_max: Duration,
    },
}

/// The progress of a wait.
struct Progress {
    begun_at: Instant,
    heard_at: Instant,
    /// The bytes received on the connection before the wait began, and until the last check.
    received_before: u64,
    received: u64,
    /// The bytes received and sent on the connection until the last check.
    moved: u64,
}

impl Patience {
    /// The patience of a client in the foreground: Ctrl-C ends its waits.
    pub fn of_person(hearer: fn(&News<'_>)) -> Self {
        Self::new(Some(hearer), LIMITS)
    }

    /// The patience of a client that no person waits for.
    pub fn of_program() -> Self {
        Self::new(None, LIMITS)
    }

    pub(super) fn new(hearer: Option<fn(&News<'_>)>, limits: Limits) -> Self {
        Self {
            limits,
            hearer,
            has_reported_silence: false,
            has_reported_search: false,
            begun_at: Instant::now(),
            connect_end: Instant::now() + limits.connect,
            answer_end: None,
        }
    }

    /// Begins a request, with the end of its wait for connections and of its wait for answers.
    pub(super) fn begin(&mut self, connect_end: Instant, answer_end: Option<Instant>) {
        (self.begun_at, self.connect_end, self.answer_end) = (Instant::now(), connect_end, answer_end);
        (self.has_reported_silence, self.has_reported_search) = (false, false);
        // A Ctrl-C of an earlier wait does not count.
        self.take_interrupt();
        self.set_waiting(true);
    }

    /// Sets the end of the wait for connections.
    pub(super) fn connect_until(&mut self, end: Instant) {
        self.connect_end = end;
    }

    /// Notes that the server was found, so that its next silence is reported again and is as short as the first.
    pub(super) fn found(&mut self) {
        self.begun_at = Instant::now();
        (self.has_reported_silence, self.has_reported_search) = (false, false);
    }

    /// Ends a request.
    pub(super) fn end(&self) {
        self.set_waiting(false);
    }

    /// Waits for an attempt to connect to this address.
    ///
    /// # Errors
    /// If the attempt fails, or the wait ends by Ctrl-C or because the server does not answer.
    pub(crate) async fn wait_for_connection<T>(
        &mut self,
        address: &str,
        attempt: impl Future<Output = Result<T, ConnectionError>>,
    ) -> Result<T, ConnectionError> {
        self.wait(address, Awaited::Connection, attempt).await?
    }

    /// Waits for an answer from this address, on a connection with this traffic. `has_others` says that another
    /// server may answer instead.
    ///
    /// # Errors
    /// If the wait ends by Ctrl-C, or because the server does not answer or answers too slowly.
    pub(super) async fn wait_for_answer<T>(
        &mut self,
        address: &str,
        traffic: &Traffic,
        has_others: bool,
        answer: impl Future<Output = T>,
    ) -> Result<T, ConnectionError> {
        self.wait(address, Awaited::Answer { traffic, has_others }, answer).await
    }

    /// Waits for an event from this address, on a connection with this traffic. A server sends heartbeats if
    /// there are no events.
    ///
    /// # Errors
    /// If the wait ends by Ctrl-C, or because the server sends nothing for too long.
    pub(super) async fn wait_for_event<T>(
        &mut self,
        address: &str,
        traffic: &Traffic,
        pulse: Pulse,
        event: impl Future<Output = T>,
    ) -> Result<T, ConnectionError> {
        let silence_max = if pulse.is_frequent { EVENTLESS_BESIDE_OTHERS } else { EVENTLESS_MAX };
        self.wait(address, Awaited::Event { traffic, silence_max }, event).await
    }

    async fn wait<T>(
        &mut self,
        address: &str,
        awaited: Awaited<'_>,
        future: impl Future<Output = T>,
    ) -> Result<T, ConnectionError> {
        let mut progress = Progress::begin(&awaited);
        let mut future = pin!(future);
        loop {
            if let Ok(done) = tokio::time::timeout(LOOK, &mut future).await {
                return Ok(done);
            }
            self.look(address, &awaited, &mut progress)?;
        }
    }

    /// Checks whether a wait is over, and reports a silence.
    fn look(
        &mut self,
        address: &str,
        awaited: &Awaited<'_>,
        progress: &mut Progress,
    ) -> Result<(), ConnectionError> {
        if self.take_interrupt() {
            return Err(ConnectionError::Interrupted);
        }
        let now = Instant::now();
        progress.look(awaited, now);
        let (silence, time) = (now - progress.heard_at, now - progress.begun_at);
        let is_unanswered = match awaited {
            Awaited::Connection => time >= self.limits.connect || now >= self.connect_end,
            Awaited::Answer { has_others, .. } => {
                let silence_max = self.limits.silence_max(*has_others, progress.begun_at - self.begun_at);
                silence >= silence_max || self.answer_end.is_some_and(|end| now >= end)
            }
            Awaited::Event { silence_max, .. } => silence >= *silence_max,
        };
        if is_unanswered {
            return Err(ConnectionError::NotAnswering { address: address.to_owned() });
        }
        let bytes = progress.received - progress.received_before;
        if bytes > 0
            && matches!(awaited, Awaited::Answer { .. })
            && time >= self.limits.answer_time_max(bytes)
        {
            return Err(ConnectionError::TooSlow { address: address.to_owned() });
        }
        if silence >= self.limits.reported_after && !matches!(awaited, Awaited::Event { .. }) {
            self.report(&News::Silent(address));
        }
        Ok(())
    }

    /// Reports to the person, once for each request, that the server is silent or that the client looks
    /// for it.
    pub(super) fn report_search(&mut self, search: &News<'_>) {
        match search {
            News::Searching(ConnectionError::NotAnswering { address }) => self.report(&News::Silent(address)),
            search => self.report(search),
        }
    }

    fn report(&mut self, news: &News<'_>) {
        let has_reported = match news {
            News::Silent(_) => &mut self.has_reported_silence,
            News::Searching(_) | News::NobodyWrites => &mut self.has_reported_search,
        };
        if !std::mem::replace(has_reported, true)
            && let Some(hearer) = self.hearer
        {
            hearer(news);
        }
    }

    /// Whether a Ctrl-C came for this client since the last check.
    pub(super) fn take_interrupt(&self) -> bool {
        self.hearer.is_some() && IS_INTERRUPTED.swap(false, Ordering::Relaxed)
    }

    fn set_waiting(&self, is_waiting: bool) {
        if self.hearer.is_some() {
            IS_WAITING.store(is_waiting, Ordering::Relaxed);
        }
    }
}

impl Progress {
    fn begin(awaited: &Awaited<'_>) -> Self {
        let (now, received, moved) = (Instant::now(), awaited.received(), awaited.moved());
        Self { begun_at: now, heard_at: now, received_before: received, received, moved }
    }

    /// Notes whether bytes have moved since the last check. A server that takes the bytes of a long request is
    /// alive.
    fn look(&mut self, awaited: &Awaited<'_>, now: Instant) {
        self.received = awaited.received();
        let moved = awaited.moved();
        if std::mem::replace(&mut self.moved, moved) != moved {
            self.heard_at = now;
        }
    }
}

impl<'t> Awaited<'t> {
    fn traffic(&self) -> Option<&'t Traffic> {
        match *self {
            Awaited::Connection => None,
            Awaited::Answer { traffic, .. } | Awaited::Event { traffic, .. } => Some(traffic),
        }
    }

    fn received(&self) -> u64 {
        self.traffic().map_or(0, Traffic::received)
    }

    fn moved(&self) -> u64 {
        self.traffic().map_or(0, Traffic::total)
    }
}

impl Limits {
    /// The longest silence of a server that is asked this long after the request began.
    fn silence_max(&self, has_others: bool, after: Duration) -> Duration {
        match has_others {
            true => after.clamp(self.silence_beside_others, self.silence),
            false => self.silence,
        }
    }

    /// The longest time for an answer of which this many bytes have come.
    fn answer_time_max(&self, bytes: u64) -> Duration {
        self.silence + Duration::from_secs(bytes / self.bytes_per_second_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_ends_and_a_slow_network_does_not() {
        // The list drips, a line a second.
        assert!(LIMITS.answer_time_max(31 * 40) < Duration::from_secs(31));
        // The list has a hundred thousand products and comes at 64 kbit/s.
        let seconds = 4_000_000 / 8_000;
        assert!(LIMITS.answer_time_max(4_000_000) > Duration::from_secs(seconds));
    }
    #[test]
    fn a_frozen_server_holds_nobody_and_a_slow_one_gets_more_time_each_time() {
        assert_eq!(LIMITS.silence_max(false, Duration::ZERO), LIMITS.silence);
        let (mut time, mut silences) = (Duration::ZERO, Vec::new());
        for _ in 0..5 {
            let silence = LIMITS.silence_max(true, time);
            silences.push(silence.as_secs());
            time += silence;
        }
        assert_eq!(silences, [3, 3, 6, 12, 24]);
        assert_eq!(LIMITS.silence_max(true, Duration::from_secs(60)), LIMITS.silence);
    }
}
