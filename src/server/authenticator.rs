//! The tokens that a server asks for: who a connection is, and what becomes of one that
//! shows a wrong token. Who may do what is decided in `access`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::access::{Identity, Tokens};

/// How long whoever shows a wrong token waits for the answer. Others are served meanwhile.
pub(super) const WRONG_WAIT: Duration = Duration::from_secs(1);

/// Wrong tokens after which a connection is ended: enough for a person's slips.
pub(super) const WRONG_MAX: u32 = 3;

/// Wrong tokens that are logged in each [`LOGGED_EVERY`]; the others are counted. A
/// stranger must not fill the disk.
const LOGGED_MAX: u32 = 20;
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// The tokens of a server, if it asks for any.
#[derive(Clone)]
pub(super) struct Authenticator {
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
    told: Arc<Mutex<Told>>,
}

/// What was logged of late.
struct Told {
    since: Instant,
    count: u32,
}

impl Authenticator {
    pub(super) fn new(tokens: Option<watch::Receiver<Arc<Tokens>>>) -> Self {
        Self { tokens, told: Arc::new(Mutex::new(Told { since: Instant::now(), count: 0 })) }
    }

    /// What whoever has shown nothing may do.
    pub(super) fn anonymous(&self) -> Identity {
        if self.tokens.is_some() { Identity::Unknown } else { Identity::Open }
    }

    /// What a secret opens.
    pub(super) fn identify(&self, secret: &str) -> Identity {
        match &self.tokens {
            Some(tokens) => tokens.borrow().identify(secret),
            None => Identity::Open,
        }
    }

    /// The same identity, or what is left of it where the tokens were read again since this was
    /// asked last: one that was taken away opens nothing any more.
    pub(super) fn renew(&mut self, identity: &mut Identity) {
        if let Some(tokens) = &mut self.tokens
            && tokens.has_changed().unwrap_or(false)
        {
            *identity = tokens.borrow_and_update().renewed(*identity);
        }
    }

    /// Logs a wrong token, which is not told.
    pub(super) fn tell_wrong(&self, peer: Option<SocketAddr>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.since.elapsed() >= LOGGED_EVERY {
            let unlogged = told.count.saturating_sub(LOGGED_MAX);
            if unlogged > 0 {
                tracing::warn!(unlogged, "more wrong tokens");
            }
            *told = Told { since: Instant::now(), count: 0 };
        }
        told.count = told.count.saturating_add(1);
        if told.count <= LOGGED_MAX {
            let peer = peer.map_or(String::new(), |peer| peer.to_string());
            tracing::warn!(%peer, "a wrong token");
        }
    }
}
