//! The lease of a shop, as one server knows it: whether this server may write, and until when it may answer reads.
//!
//! A store of files has its shop for as long as it is open. A store that several servers share has a keeper, which
//! renews the lease and notes here what came of it. The epoch in each commit decides who may write; the times here
//! only decide who may answer reads, and when another server tries to write.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The length of a lease. A server that writes renews it four times in this time, and another one takes over if it
/// was not renewed for this time.
pub const LEASE: Duration = Duration::from_secs(2);

/// The part of a lease in which reads are refused already, because the clocks of two machines do not run equally
/// fast.
const MARGIN: Duration = Duration::from_millis(100);

/// The time since the keeper's last answer from the database for which a server counts as current: a lease and the
/// keeper's longest statement.
const CURRENT_FOR: Duration = Duration::from_secs(3);

/// The role of a server for its shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Another server writes, or none.
    StandsBy,
    /// The server has taken the lease, and does not know yet all that others have stored.
    Elected,
    /// The server writes.
    Writes,
    /// The server stops, and gives the lease back.
    Leaves,
}

/// The duty of the keeper of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Watch the server that writes.
    Watch,
    /// Renew the lease.
    Renew,
    /// Give the lease back.
    GiveBack,
    /// Do nothing: the lease is for others.
    Rest,
    /// End the thread.
    End,
}

/// The lease. Shared by the keeper, the writer and the readers of one server.
pub struct Lease {
    /// The time from which [`Lease::trusted_until`] counts.
    origin: Instant,
    /// The end of the time in which reads are answered, in nanoseconds; [`FOR_EVER`] without a keeper.
    trusted_until: AtomicU64,
    state: Mutex<State>,
    /// Wakes the keeper.
    changed: Condvar,
    /// Wakes the writer.
    waker: OnceLock<Waker>,
    /// How often the keeper has connected again.
    reconnections: AtomicU64,
}

type Waker = Box<dyn Fn() + Send + Sync>;

/// No time is after this one.
const FOR_EVER: u64 = u64::MAX;

#[derive(Debug)]
struct State {
    role: Role,
    epoch: i64,
    /// The end of the lease by the last renewal, and the time of that.
    renewed: Option<Instant>,
    /// The address of the server that writes, if another one does.
    holder: Option<String>,
    /// Whether the server stops, and whether the store is closed.
    is_leaving: bool,
    is_closed: bool,
    /// Whether the lease is given back.
    is_given_back: bool,
    replication: Option<Replication>,
    /// The time of the keeper's last answer from the database.
    looked_at: Instant,
    /// The reason why this server can write no more until it is started again.
    closed: Option<&'static str>,
}

/// The facts of a lease for readers of the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFacts {
    /// The role of the server.
    pub role: Role,
    /// The epoch of its commits; 0 if it has never written.
    pub epoch: i64,
    /// The time since the last renewal, if the server has the lease.
    pub age: Option<Duration>,
    /// The address of the server that writes, if another one does.
    pub holder: Option<String>,
    /// How often the keeper has connected again.
    pub reconnections: u64,
    /// The copies of the database, if the server may know them.
    pub replication: Option<Replication>,
}

/// The copies of a database that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replication {
    /// The copies that a commit waits for.
    pub synchronous: u64,
    /// The bytes of the log that the slowest copy lacks; 0 without copies.
    pub lag_bytes: u64,
}

impl Default for Lease {
    /// The lease of a server that has its shop for itself.
    fn default() -> Self {
        Self::new(Role::Writes, FOR_EVER)
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("state", &*self.state()).finish_non_exhaustive()
    }
}

impl Lease {
    /// The lease of a server that stands by, and has a keeper.
    pub(super) fn standing_by() -> Self {
        Self::new(Role::StandsBy, 0)
    }

    fn new(role: Role, trusted_until: u64) -> Self {
        let state = State {
            role,
            epoch: 0,
            renewed: None,
            holder: None,
            is_leaving: false,
            is_closed: false,
            is_given_back: false,
            replication: None,
            looked_at: Instant::now(),
            closed: None,
        };
        Self {
            origin: Instant::now(),
            trusted_until: AtomicU64::new(trusted_until),
            state: Mutex::new(state),
            changed: Condvar::new(),
            waker: OnceLock::new(),
            reconnections: AtomicU64::new(0),
        }
    }

    /// Whether the server has its shop for itself, so that there is nothing to keep.
    pub fn is_for_ever(&self) -> bool {
        self.trusted_until.load(Ordering::Relaxed) == FOR_EVER
    }

    /// Whether no other server can have written. A read is right if this is so after it.
    pub fn is_trusted(&self) -> bool {
        let until = self.trusted_until.load(Ordering::Acquire);
        until == FOR_EVER || (until > 0 && self.nanoseconds(Instant::now()) < until)
    }

    /// The role of the server now.
    pub fn role(&self) -> Role {
        self.state().role
    }

    /// The address of the server that writes, if another one does.
    pub fn holder(&self) -> Option<String> {
        self.state().holder.clone()
    }

    /// Whether this server hears of every change that is made: it writes itself, or follows the one that does.
    pub fn is_current(&self) -> bool {
        if self.is_for_ever() {
            return true;
        }
        let state = self.state();
        state.closed.is_none() && state.looked_at.elapsed() < CURRENT_FOR
    }

    /// The reason why this server can write no more until it is started again.
    pub fn closed(&self) -> Option<&'static str> {
        self.state().closed
    }

    /// Notes that this server can write no more, and no longer follows another one.
    pub fn note_closed(&self, why: &'static str) {
        self.state().closed = Some(why);
    }

    /// Whether the server stops, and the writer has not stopped yet.
    pub fn wants_to_leave(&self) -> bool {
        let state = self.state();
        state.is_leaving && state.role == Role::Writes
    }

    /// The facts for readers of the metrics; `None` if the server has its shop for itself.
    pub fn facts(&self) -> Option<LeaseFacts> {
        if self.is_for_ever() {
            return None;
        }
        let state = self.state();
        let age = state.renewed.filter(|_| matches!(state.role, Role::Elected | Role::Writes));
        Some(LeaseFacts {
            role: state.role,
            epoch: state.epoch,
            age: age.map(|renewed| renewed.elapsed()),
            holder: state.holder.clone(),
            reconnections: self.reconnections.load(Ordering::Relaxed),
            replication: state.replication,
        })
    }

    /// Sets the function that wakes the writer. Only the first one counts.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        let _ = self.waker.set(Box::new(waker));
    }

    /// Wakes the writer, which then follows the lease.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker();
        }
    }

    /// Begins to write: the writer knows all that others have stored.
    pub fn begin(&self) {
        let mut state = self.state();
        if state.role == Role::Elected {
            state.role = Role::Writes;
            self.publish(&state);
            tracing::info!(epoch = state.epoch, "this server writes for the shop now");
        }
    }

    /// Asks the writer to stop, so that another server can begin. Returns when the lease is given back, or after
    /// this time.
    pub fn hand_over(&self, time_max: Duration) {
        if self.is_for_ever() {
            return;
        }
        self.state().is_leaving = true;
        self.changed.notify_all();
        self.wake();
        let is_waiting = |state: &mut State| !state.is_given_back && state.role != Role::StandsBy;
        let waited = self.changed.wait_timeout_while(self.state(), time_max, is_waiting);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes that the writer writes nothing any more. No read is answered from now on.
    pub fn leave(&self) {
        let mut state = self.state();
        if matches!(state.role, Role::Elected | Role::Writes) {
            state.role = Role::Leaves;
            self.publish(&state);
            self.changed.notify_all();
        }
    }

    /// Notes that another server writes, or may do so.
    pub(super) fn depose(&self, holder: &str) {
        let mut state = self.state();
        if matches!(state.role, Role::Elected | Role::Writes) {
            tracing::info!(
                epoch = state.epoch,
                holder,
                "another server writes for the shop; this one stands by"
            );
            state.role = Role::StandsBy;
            (state.renewed, state.replication) = (None, None);
            self.publish(&state);
            self.changed.notify_all();
        }
        state.holder = Some(holder.to_owned()).filter(|holder| !holder.is_empty());
    }

    /// The epoch of the server's commits.
    pub(super) fn epoch(&self) -> i64 {
        self.state().epoch
    }

    /// Notes another epoch of this server.
    pub(super) fn set_epoch(&self, epoch: i64) {
        self.state().epoch = epoch;
    }

    /// Notes the address of the server that writes, as the keeper found it.
    pub(super) fn note_holder(&self, holder: &str) {
        let mut state = self.state();
        if state.holder.as_deref().unwrap_or_default() != holder {
            state.holder = Some(holder.to_owned()).filter(|holder| !holder.is_empty());
        }
    }

    /// Notes that this server has taken the lease. The statement was sent at this time, if it was one that others
    /// saw.
    pub(super) fn elect(&self, epoch: i64, sent_at: Option<Instant>) {
        {
            let mut state = self.state();
            if state.role != Role::StandsBy || state.is_leaving {
                return;
            }
            tracing::info!(epoch, "this server has the lease of the shop");
            (state.role, state.epoch, state.renewed, state.holder) = (Role::Elected, epoch, sent_at, None);
        }
        self.wake();
    }

    /// Notes that the lease was renewed by a statement that was sent at this time.
    pub(super) fn renew(&self, sent_at: Instant) {
        let mut state = self.state();
        if matches!(state.role, Role::Elected | Role::Writes) {
            state.renewed = Some(sent_at);
            self.publish(&state);
        }
    }

    /// Notes that the lease is given back.
    pub(super) fn given_back(&self) {
        self.state().is_given_back = true;
        self.changed.notify_all();
    }

    /// Notes the copies of the database, or that the server may not know them.
    pub(super) fn note_replication(&self, replication: Option<Replication>) {
        self.state().replication = replication;
    }

    /// Notes an answer of the database to the keeper.
    pub(super) fn note_look(&self) {
        self.state().looked_at = Instant::now();
    }

    pub(super) fn note_reconnection(&self) {
        self.reconnections.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the keeper, which first gives the lease back if this server has it.
    pub(super) fn close(&self) {
        self.leave();
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// The duty of the keeper now.
    pub(super) fn duty(&self) -> Duty {
        let state = self.state();
        match state.role {
            Role::Leaves if !state.is_given_back => Duty::GiveBack,
            _ if state.is_closed => Duty::End,
            Role::Elected | Role::Writes => Duty::Renew,
            Role::StandsBy if !state.is_leaving => Duty::Watch,
            Role::StandsBy | Role::Leaves => Duty::Rest,
        }
    }

    /// Waits for this time, or until the keeper has another duty.
    pub(super) fn pause(&self, time: Duration, duty: Duty) {
        let end = Instant::now() + time;
        while self.duty() == duty {
            let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return;
            };
            let waited = self.changed.wait_timeout(self.state(), left);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Shows readers the end of the lease.
    fn publish(&self, state: &State) {
        let until = match (state.role, state.renewed) {
            (Role::Writes, Some(renewed)) => self.nanoseconds(renewed + LEASE - MARGIN),
            _ => 0,
        };
        self.trusted_until.store(until, Ordering::Release);
    }

    fn nanoseconds(&self, time: Instant) -> u64 {
        // 64 bits of nanoseconds are more than five hundred years.
        time.saturating_duration_since(self.origin).as_nanos() as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn who_has_the_shop_for_itself_is_always_trusted() {
        let lease = Lease::default();
        assert!(lease.is_for_ever() && lease.is_trusted() && lease.facts().is_none());
        assert_eq!(lease.role(), Role::Writes);
        // Nothing is handed over, and nobody is waited for.
        lease.hand_over(Duration::from_secs(3600));
    }

    #[test]
    fn reads_are_answered_only_while_the_lease_was_renewed() {
        let lease = Lease::standing_by();
        assert!(!lease.is_trusted());
        let now = Instant::now();
        lease.elect(7, Some(now));
        // The catalog may lack what others have stored.
        assert_eq!((lease.role(), lease.is_trusted(), lease.epoch()), (Role::Elected, false, 7));
        lease.begin();
        assert_eq!((lease.role(), lease.is_trusted()), (Role::Writes, true));
        let renewed_long_ago = Instant::now().checked_sub(LEASE).unwrap();
        lease.renew(renewed_long_ago);
        assert!(!lease.is_trusted(), "a late answer to a renewal is of no use");
        lease.renew(Instant::now());
        assert!(lease.is_trusted());
        lease.depose("b:1");
        assert_eq!((lease.role(), lease.is_trusted()), (Role::StandsBy, false));
        assert_eq!(lease.holder().as_deref(), Some("b:1"));
        // An answer that comes after the deposition renews nothing, and nothing begins.
        lease.renew(Instant::now());
        lease.begin();
        assert_eq!((lease.role(), lease.is_trusted()), (Role::StandsBy, false));
    }

    #[test]
    fn a_lease_that_was_not_renewed_since_it_was_taken_is_not_trusted() {
        let lease = Lease::standing_by();
        lease.elect(1, None);
        lease.begin();
        assert!(!lease.is_trusted());
        lease.renew(Instant::now());
        assert!(lease.is_trusted());
    }

    #[test]
    fn the_keeper_has_one_duty_after_the_other() {
        let lease = Arc::new(Lease::standing_by());
        let wakes = Arc::new(AtomicUsize::new(0));
        let woken = Arc::clone(&wakes);
        lease.set_waker(move || {
            woken.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(lease.duty(), Duty::Watch);
        lease.elect(1, Some(Instant::now()));
        assert_eq!((lease.duty(), wakes.load(Ordering::Relaxed)), (Duty::Renew, 1));
        lease.begin();
        assert!(!lease.wants_to_leave());
        std::thread::scope(|scope| {
            scope.spawn(|| lease.hand_over(Duration::from_secs(3600)));
            // The keeper hears of its other duty without a poll.
            let writer = scope.spawn(|| {
                while !lease.wants_to_leave() {
                    std::thread::yield_now();
                }
                lease.leave();
            });
            lease.pause(Duration::from_secs(3600), Duty::Renew);
            writer.join().unwrap();
            assert_eq!((lease.duty(), lease.is_trusted()), (Duty::GiveBack, false));
            lease.given_back();
        });
        // A server that stops takes no lease again.
        assert_eq!(lease.duty(), Duty::Rest);
        lease.elect(2, Some(Instant::now()));
        assert_eq!(lease.role(), Role::Leaves);
        lease.close();
        assert_eq!(lease.duty(), Duty::End);
    }
}
