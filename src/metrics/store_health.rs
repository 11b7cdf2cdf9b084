//! The state of the store, as the writer last found it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::watch;

use crate::operation::StoreState;

/// The last failure of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastError {
    /// The kind of failure, a word for programs.
    pub kind: &'static str,
    /// The time of the failure.
    pub at: SystemTime,
}

/// The state of the store and its failures. Only the writer changes them, and seldom.
#[derive(Debug)]
pub struct StoreHealth {
    state: watch::Sender<StoreState>,
    failures: Mutex<Failures>,
}

impl Default for StoreHealth {
    fn default() -> Self {
        Self { state: watch::Sender::new(StoreState::Open), failures: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Failures {
    last: Option<LastError>,
    counts: BTreeMap<&'static str, u64>,
}

impl StoreHealth {
    /// Sets the state.
    pub fn set(&self, state: StoreState) {
        // Nothing is written and nobody is woken without a change.
        if self.state() != state {
            self.state.send_replace(state);
        }
    }

    /// Notes a failure of this kind, and the state after it.
    pub fn fail(&self, kind: &'static str, state: StoreState) {
        self.set(state);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.last = Some(LastError { kind, at: SystemTime::now() });
        *failures.counts.entry(kind).or_default() += 1;
    }

    /// The state now.
    pub fn state(&self) -> StoreState {
        *self.state.borrow()
    }

    /// The changes of the state from now on.
    pub fn changes(&self) -> watch::Receiver<StoreState> {
        self.state.subscribe()
    }

    /// The last failure, if there was one.
    pub fn last_error(&self) -> Option<LastError> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    /// The failures of each kind.
    pub(super) fn errors(&self) -> BTreeMap<&'static str, u64> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).counts.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_is_kept_and_all_are_counted() {
        let health = StoreHealth::default();
        assert_eq!((health.state(), health.last_error()), (StoreState::Open, None));
        health.fail("io", StoreState::InDoubt);
        health.fail("busy", StoreState::Refusing);
        health.fail("busy", StoreState::Refusing);
        assert_eq!(health.last_error().unwrap().kind, "busy");
        assert_eq!(health.errors(), BTreeMap::from([("busy", 2), ("io", 1)]));
        for state in StoreState::ALL {
            health.set(state);
            assert_eq!(health.state(), state);
        }
    }
}
