//! A client's patience: how long it waits for a server, who hears meanwhile that the server does not
//! answer, and whose Ctrl-C ends the wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::Broken;

/// The limits of a wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Longest time for one attempt to reach a server: its name, the connection, TLS, and the server's
    /// first bytes together.
    pub(super) connect: Duration,
    /// Longest silence of a server that has been asked.
    pub(super) silence: Duration,
    /// Lowest rate of an answer, counted once `silence` has passed.
    pub(super) bytes_per_second_min: u64,
    /// Silence after which the person hears of it.
    pub(super) told_after: Duration,
}

/// The limits of every client. The slowest answer is slower than any network that people use,
/// so that only a server that drips a list for ever is given up. A person hears of a silence
/// before the two seconds that DESIGN.md §7 promises, because to look and to write takes time.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    silence: Duration::from_secs(30),
    bytes_per_second_min: 8 * 1024,
    told_after: Duration::from_millis(1500),
};

/// Time between two looks at a wait.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Ctrl-C belongs to the process, and so do these two flags.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);
static IS_WAITING: AtomicBool = AtomicBool::new(false);

/// Ends the wait of the client in the foreground. Returns whether it waits at all.
pub fn interrupt() -> bool {
    IS_INTERRUPTED.store(true, Ordering::Relaxed);
    IS_WAITING.load(Ordering::Relaxed)
}

/// News for the person who waits.
#[derive(Debug)]
pub enum News<'a> {
    /// The server at this address accepts connections and does not answer.
    Silent(&'a str),
    /// The conversation broke, and the server is looked for.
    Searching(&'a Broken),
}

/// The patience of one client. Clones share it.
#[derive(Clone)]
pub struct Patience(Arc<Mutex<State>>);

struct State {
    limits: Limits,
    /// The function that hears the news; without one, Ctrl-C is not for this client either.
    hearer: Option<fn(&News<'_>)>,
    has_told_silence: bool,
    has_told_search: bool,
    /// When the wait for a connection ends.
    connect_end: Instant,
    /// When the wait for an answer ends, if that is before the usual limits.
    answer_end: Option<Instant>,
    step: Step,
    step_began: Instant,
    heard_at: Instant,
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Connect,
    Answer,
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
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State {
            limits,
            hearer,
            has_told_silence: false,
            has_told_search: false,
            connect_end: now + limits.connect,
            answer_end: None,
            step: Step::Connect,
            step_began: now,
            heard_at: now,
            bytes: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Begins a request, with the latest end of its wait for connections and of its wait for answers.
    pub(super) fn begin(&self, connect_end: Instant, answer_end: Option<Instant>) {
        let mut state = self.state();
        (state.connect_end, state.answer_end) = (connect_end, answer_end);
        (state.has_told_silence, state.has_told_search) = (false, false);
        // A Ctrl-C of an earlier wait does not count.
        state.take_interrupt();
        state.set_waiting(true);
    }

    /// Ends a request.
    pub(super) fn end(&self) {
        self.state().set_waiting(false);
    }

    /// Begins an attempt to connect.
    pub(super) fn begin_connecting(&self) {
        self.state().begin_step(Step::Connect);
    }

    /// Begins to wait for an answer.
    pub(super) fn begin_answer(&self) {
        self.state().begin_step(Step::Answer);
    }

    /// Notes that so many bytes of the answer have come.
    pub(super) fn heard(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let mut state = self.state();
        state.heard_at = Instant::now();
        state.bytes += bytes as u64;
    }

    /// Checks the wait for this address. To be called at least every [`LOOK`].
    ///
    /// # Errors
    /// If the wait is over: by Ctrl-C, or because the server does not answer, or too slowly.
    pub(super) fn look(&self, address: &str) -> Result<(), Broken> {
        let mut state = self.state();
        if state.take_interrupt() {
            return Err(Broken::Interrupted);
        }
        let now = Instant::now();
        let (silence, step_time) = (now - state.heard_at, now - state.step_began);
        let is_unanswered = match state.step {
            Step::Connect => step_time >= state.limits.connect || now >= state.connect_end,
            Step::Answer => silence >= state.limits.silence || state.answer_end.is_some_and(|end| now >= end),
        };
        if is_unanswered {
            return Err(Broken::NotAnswering { address: address.to_owned() });
        }
        if state.step == Step::Answer && step_time >= state.limits.answer_time_max(state.bytes) {
            return Err(Broken::TooSlow { address: address.to_owned() });
        }
        if silence >= state.limits.told_after {
            state.tell(&News::Silent(address));
        }
        Ok(())
    }

    /// Reports to the person, once for each request, that the server is silent or that the client looks
    /// for it.
    pub(super) fn tell_search(&self, broken: &Broken) {
        match broken {
            Broken::NotAnswering { address } => self.state().tell(&News::Silent(address)),
            broken => self.state().tell(&News::Searching(broken)),
        }
    }

    /// Whether a Ctrl-C came for this client since the last look.
    pub(super) fn take_interrupt(&self) -> bool {
        self.state().take_interrupt()
    }
}

impl State {
    fn begin_step(&mut self, step: Step) {
        let now = Instant::now();
        (self.step, self.step_began, self.heard_at, self.bytes) = (step, now, now, 0);
    }

    fn take_interrupt(&self) -> bool {
        self.hearer.is_some() && IS_INTERRUPTED.swap(false, Ordering::Relaxed)
    }

    fn set_waiting(&self, is_waiting: bool) {
        if self.hearer.is_some() {
            IS_WAITING.store(is_waiting, Ordering::Relaxed);
        }
    }

    fn tell(&mut self, news: &News<'_>) {
        let has_told = match news {
            News::Silent(_) => &mut self.has_told_silence,
            News::Searching(_) => &mut self.has_told_search,
        };
        if !std::mem::replace(has_told, true)
            && let Some(hearer) = self.hearer
        {
            hearer(news);
        }
    }
}

impl Limits {
    /// Longest time for an answer of which this many bytes have come.
    fn answer_time_max(&self, bytes: u64) -> Duration {
        self.silence + Duration::from_secs(bytes / self.bytes_per_second_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_ends_and_a_slow_network_does_not() {
        // A list that drips, a line a second.
        assert!(LIMITS.answer_time_max(31 * 40) < Duration::from_secs(31));
        // A list of a hundred thousand products at 64 kbit/s.
        let seconds = 4_000_000 / 8_000;
        assert!(LIMITS.answer_time_max(4_000_000) > Duration::from_secs(seconds));
    }
}
