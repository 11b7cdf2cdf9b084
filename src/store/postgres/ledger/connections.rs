//! The pool of the readers' connections.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::StoreError;
use crate::store::postgres::address::Address;
use crate::store::postgres::connect::{Link, Purpose, READ_TIME_MAX};
use crate::store::postgres::current::Current;
use crate::store::postgres::error::Failure;
use crate::store::postgres::session::Session;

/// Most connections that read at the same time. Further readers wait, for milliseconds.
const CONNECTIONS_MAX: usize = 4;

/// How long the commit of a read may take: as long as its client waits if it knows another server.
const CONFIRM_TIME_MAX: Duration = Duration::from_secs(3);

/// How long a reader waits for a free connection before it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The readers' connections to the database of one shop, at the host that the writer is connected to.
pub(in crate::store::postgres) struct PostgresLedger {
    address: Address,
    current: Arc<Current>,
    state: Mutex<State>,
    /// Notified when a connection is returned to the pool.
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    in_use: usize,
    is_closed: bool,
}

impl PostgresLedger {
    pub(in crate::store::postgres) fn new(address: Address, current: Arc<Current>) -> Self {
        Self { address, current, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Reads, and again on another connection if the first one was lost: the engine may have been started again, or
    /// replaced, since the last read.
    pub(super) fn read<T>(
        &self,
        act: impl AsyncFn(&Session, i32) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.ask(|link, shop| link.run(READ_TIME_MAX, async |session| act(session, shop).await))
    }

    /// Reads with a commit, which an engine that was replaced does not make.
    pub(super) fn confirm<T>(
        &self,
        act: impl AsyncFn(&Session, i32) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.ask(|link, shop| link.change(CONFIRM_TIME_MAX, async |session| act(session, shop).await))
    }

    fn ask<T>(&self, act: impl Fn(&mut Link, i32) -> Result<T, Failure>) -> Result<T, StoreError> {
        let shop = self.current.shop();
        let mut lease = self.lease()?;
        let mut link = match lease.link.take() {
            Some(link) => link,
            None => self.connect()?,
        };
        let mut done = act(&mut link, shop);
        if let Err(Failure::Lost(reason)) = &done {
            tracing::info!(%reason, "a connection for reads was lost; another one is opened");
            link = self.connect()?;
            done = act(&mut link, shop);
        }
        if !link.is_closed() {
            lease.link = Some(link);
        }
        done.map_err(|failure| self.failed(failure))
    }

    /// The error of a failed read.
    pub(super) fn failed(&self, failure: Failure) -> StoreError {
        failure.into_error("consultar", &self.address)
    }

    /// Refuses new readers, waits for those that read, and closes all connections.
    pub(in crate::store::postgres) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        while state.in_use > 0 {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle.clear();
    }

    fn connect(&self) -> Result<Link, StoreError> {
        Link::open(&self.address, Purpose::Read { at: self.current.place() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leases an idle connection, or the right to open a new one. Waits if all are in use.
    fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let is_full = |state: &mut State| state.in_use >= CONNECTIONS_MAX && !state.is_closed;
        let waited = self.returned.wait_timeout_while(self.lock(), PATIENCE, is_full);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let failed = |reason: &str| {
            let (path, reason) = (self.address.to_string(), reason.to_owned());
            Err(StoreError::Failed { action: "consultar", path, reason })
        };
        if waited.timed_out() {
            return failed("há leituras demais. Tente de novo daqui a pouco");
        }
        if state.is_closed {
            return failed("o servidor está parando");
        }
        // A host that was replaced would not have the last movements.
        let place = self.current.place();
        state.idle.retain(|link| !link.is_closed() && place.is_none_or(|place| place == link.place()));
        state.in_use += 1;
        Ok(Lease { link: state.idle.pop(), ledger: self })
    }
}

/// A leased connection, or the right to open one, which returns to the pool when it is dropped.
struct Lease<'l> {
    link: Option<Link>,
    ledger: &'l PostgresLedger,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.ledger.lock();
        state.in_use -= 1;
        state.idle.extend(self.link.take());
        self.ledger.returned.notify_all();
    }
}
