//! The service: everything that a connection of any transport needs.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::watch;

use super::authenticator::Authenticator;
use super::console::Console;
use super::hosts::Hosts;
use super::long_work::LongWork;
use super::side_thread::SideTasks;
use super::turns::Turns;
use crate::access::Identity;
use crate::inventory::Session;
use crate::metrics::Transport;
use crate::operation::StoreState;

/// The time of the last look at a connection when the server stops, because a busy worker learns late that
/// the system has received something.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(10);

/// The protocols that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// The text protocol.
    pub socket: bool,
    /// The gRPC protocol.
    pub grpc: bool,
    /// HTTP/1.1, and requests of HTTP/2 that are no gRPC.
    pub http: bool,
}

impl Protocols {
    /// The names of the transports that are served.
    pub(super) fn names(self) -> Vec<&'static str> {
        let served =
            [(self.socket, Transport::Text), (self.grpc, Transport::Grpc), (self.http, Transport::Http)];
        served
            .into_iter()
            .filter(|(is_served, _)| *is_served)
            .map(|(_, transport)| transport.name())
            .collect()
    }
}

/// The current TLS configuration, if the server speaks TLS. The configuration changes when the files are read
/// again.
pub(super) type Tls = Option<watch::Receiver<Arc<ServerConfig>>>;

/// Everything that a connection needs. `inventory` is first the handle of the process, then of a worker, and
/// then of the connection.
#[derive(Clone)]
pub(super) struct Service<I = Session> {
    pub(super) inventory: I,
    pub(super) console: Console,
    pub(super) protocols: Protocols,
    /// The time that a connection may be silent.
    pub(super) idle: Option<Duration>,
    pub(super) tls: Tls,
    /// The names of this server.
    pub(super) hosts: Arc<Hosts>,
    /// The registration (CNPJ) of the shop, if only its invoices are read.
    pub(super) registration: Option<Arc<str>>,
    pub(super) authenticator: Authenticator,
    /// Turns of large gRPC messages.
    pub(super) turns: Turns,
    /// Turns of the long requests of a worker.
    pub(super) long_work: LongWork,
    /// The handle on the side thread, for work that cannot be cut into turns.
    pub(super) side_tasks: SideTasks,
    /// Whether the server stops.
    pub(super) draining: watch::Receiver<bool>,
}

impl<I: Clone> Service<I> {
    /// This service with another handle on the inventory.
    pub(super) fn with<J>(&self, inventory: J) -> Service<J> {
        let Self {
            inventory: _,
            console,
            protocols,
            idle,
            tls,
            hosts,
            registration,
            authenticator,
            turns,
            long_work,
            side_tasks,
            draining,
        } = self.clone();
        Service {
            inventory,
            console,
            protocols,
            idle,
            tls,
            hosts,
            registration,
            authenticator,
            turns,
            long_work,
            side_tasks,
            draining,
        }
    }

    /// Whether the server stops.
    pub(super) fn is_stopping(&self) -> bool {
        // The value changes once, and is never marked as seen. An error means that the sender is gone.
        self.draining.has_changed().unwrap_or(true)
    }

    /// Waits until the server stops.
    pub(super) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut draining = self.draining.clone();
        async move {
            // An error means that the sender is gone, and then the server stops too.
            let _ = draining.wait_for(|draining| *draining).await;
        }
    }

    /// Waits until the server stops and the time of the last look is over.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let stopping = self.stopping();
        async {
            stopping.await;
            tokio::time::sleep(LAST_LOOK).await;
        }
    }
}

impl Service {
    /// Why the server takes no changes, in words that need no other; `None` if it takes them.
    pub(super) fn why_not_ready(&self) -> Option<&'static str> {
        if self.is_stopping() {
            return Some("o servidor está parando");
        }
        match self.inventory.metrics().store.state() {
            StoreState::Open => None,
            StoreState::Refusing => Some("o banco de dados recusa mudanças; a causa está no log do servidor"),
            StoreState::InDoubt => Some("não se sabe se a última gravação foi feita"),
            StoreState::StandsBy => Some("este servidor está de reserva"),
            StoreState::Stopped => Some("um defeito parou as gravações; a causa está no log do servidor"),
        }
    }

    /// The session of a client: that of the connection, which signs changes with the name of the client's
    /// token.
    pub(super) fn session(&self, identity: &Identity) -> Cow<'_, Session> {
        let Some(author) = identity.author() else { return Cow::Borrowed(&self.inventory) };
        let mut session = self.inventory.clone();
        session.set_author(Some(author.clone()));
        Cow::Owned(session)
    }
}
