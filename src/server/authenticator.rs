//! Tokens on connections: the identity of each connection, and the delay after a wrong token. `access`
//! decides who may do what.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::access::{self, Identity, Tokens};
use crate::refusal::Refusal;

/// The delay of the answer to a wrong token. Other connections are served during the delay.
const WRONG_WAIT: Duration = Duration::from_secs(1);

/// The wrong tokens after which a connection is ended: enough for typing errors.
const WRONG_MAX: u32 = 3;

/// The most wrong tokens that are logged in each [`LOGGED_EVERY`]; the others are counted, so that a stranger
/// cannot fill the disk.
const LOGGED_MAX: u32 = 20;
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// The tokens of a server, if it demands any.
#[derive(Clone)]
pub(super) struct Authenticator {
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
    logged: Arc<Mutex<Logged>>,
}

/// The wrong tokens of the current period of the log.
struct Logged {
    since: Instant,
    count: u32,
}

impl Authenticator {
    pub(super) fn new(tokens: Option<watch::Receiver<Arc<Tokens>>>) -> Self {
        Self { tokens, logged: Arc::new(Mutex::new(Logged { since: Instant::now(), count: 0 })) }
    }

    /// The identity of a connection that has shown no token.
    pub(super) fn anonymous(&self) -> Identity {
        if self.tokens.is_some() { Identity::Unknown } else { Identity::Open }
    }

    /// The identity of the client that knows this secret.
    pub(super) fn identify(&self, secret: &str) -> Identity {
        match &self.tokens {
            Some(tokens) => tokens.borrow().identify(secret),
            None => Identity::Open,
        }
    }

    /// Looks the identity up again if the tokens were read again since the last call, so that a revoked token
    /// permits nothing more. Returns whether it did.
    pub(super) fn renew(&mut self, identity: &mut Identity) -> bool {
        if let Some(tokens) = &mut self.tokens
            && tokens.has_changed().unwrap_or(false)
        {
            *identity = tokens.borrow_and_update().renewed(identity);
            return true;
        }
        false
    }

    /// Logs that a token was wrong, without the token.
    fn log_wrong(&self, peer: Option<SocketAddr>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.since.elapsed() >= LOGGED_EVERY {
            let unlogged = logged.count.saturating_sub(LOGGED_MAX);
            if unlogged > 0 {
                tracing::warn!(unlogged, "more wrong tokens");
            }
            *logged = Logged { since: Instant::now(), count: 0 };
        }
        logged.count = logged.count.saturating_add(1);
        if logged.count <= LOGGED_MAX {
            let peer = peer.map_or(String::new(), |peer| peer.to_string());
            tracing::warn!(%peer, "a wrong token");
        }
    }
}

/// The wrong tokens that one connection has shown, which are answered one after the other.
#[derive(Default)]
pub(super) struct WrongTokens {
    answered: tokio::sync::Mutex<u32>,
    too_many: Notify,
}

impl WrongTokens {
    /// Logs a wrong token and delays its answer, after the answers to earlier ones, until `stopping` is ready
    /// at the latest. Returns the answer, and whether to end the connection.
    pub(super) async fn answer(
        &self,
        authenticator: &Authenticator,
        peer: Option<SocketAddr>,
        stopping: impl Future<Output = ()>,
    ) -> (Refusal, bool) {
        authenticator.log_wrong(peer);
        let mut answered = self.answered.lock().await;
        tokio::select! {
            () = tokio::time::sleep(WRONG_WAIT) => {}
            () = stopping => {}
        }
        *answered += 1;
        let are_too_many = *answered >= WRONG_MAX;
        if are_too_many {
            self.too_many.notify_one();
        }
        (access::wrong_token(), are_too_many)
    }

    /// Waits until the connection has shown too many wrong tokens.
    pub(super) async fn are_too_many(&self) {
        self.too_many.notified().await;
    }
}
