//! The server: accepts connections on one port, recognises the protocol of each by its first bytes, hands the
//! connection to its transport, and stops cleanly.
//!
//! One thread accepts; worker threads, each with a runtime of its own, serve. A connection stays on its
//! worker, so that no core waits for another core.

mod admission;
mod answer_room;
mod authenticator;
pub mod console;
mod descriptors;
mod detect;
mod grpc;
mod hosts;
mod http;
mod idle;
mod io;
mod long_work;
mod maybe_tls;
mod service;
mod service_manager;
mod side_thread;
mod text;
mod turns;

use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::access::Tokens;
use crate::inventory::{self, Inventory};
use crate::metrics::{Served, Transport};
use crate::wire::{self, Protocol};
pub use admission::Limits;
use admission::{Connections, Guard, TURNED_AWAY_MAX};
use authenticator::Authenticator;
use console::Console;
use hosts::Hosts;
pub use hosts::{machine_names, public_name};
use idle::IdleTimer;
use io::answer_and_close;
use long_work::LongWork;
pub use service::Protocols;
use service::Service;
use side_thread::SideThread;
use turns::Turns;

/// The connections that the system queues until they are accepted. With std's 128, ten thousand clients that
/// connect together wait half a minute, because a client that finds the queue full tries again only after a
/// second. The system lowers the number to its own limit, usually this one.
pub const BACKLOG: u16 = 4096;

/// The pause after accepting has failed. The usual reason is that no file descriptor is left, and the only
/// cure is to wait.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The cores without a worker by default, for the committer and, on a small machine, for the clients. On two
/// cores, two workers are slower than one (row `read-1`), because each is woken more often.
const CORES_LEFT: usize = 1;

/// The most worker threads. More threads than cores only compete for the cores.
pub const WORKERS_MAX: u16 = 256;

/// The time that clients of a stopping server have before another server may write for the shop. What has been
/// received is answered in a fraction of it; only clients that do not take their answers need longer.
const HAND_OVER_AFTER: Duration = Duration::from_millis(50);

/// The settings of a server.
pub struct Options {
    /// The protocols that are served.
    pub protocols: Protocols,
    /// The threads that serve connections, at least 1.
    pub workers: usize,
    /// The number of connections after which the server stops.
    pub exit_after: Option<u64>,
    /// The time that clients have to finish when the server stops.
    pub drain: Duration,
    /// The limits of connections.
    pub limits: Limits,
    /// The current TLS configuration. `None` to serve without TLS.
    pub tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// The names, other than this machine's, by which clients of HTTP reach the server.
    pub public_names: Vec<String>,
    /// The registration (CNPJ) of the shop, for which invoices must be. `None` to take those for any.
    pub registration: Option<String>,
    /// The current tokens. `None` to demand no token.
    pub tokens: Option<watch::Receiver<Arc<Tokens>>>,
}

/// The number of workers for this machine.
pub fn workers_default() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    cores.saturating_sub(CORES_LEFT).clamp(1, WORKERS_MAX.into())
}

/// Serves until `stop` is ready or `exit_after` connections have ended, and then drains: accepts no more
/// connections, answers the requests that have been received, and returns when every connection has ended or
/// the drain time is over. `stop` may shorten the drain time. Returns whether `exit_after` was the reason.
///
/// # Errors
/// If the system refuses a runtime or a thread.
pub fn serve(
    listener: TcpListener,
    inventory: Inventory,
    console: &Console,
    options: &Options,
    stop: impl Future<Output = Option<Duration>>,
) -> std::io::Result<bool> {
    let (drain, draining) = watch::channel(false);
    let (drain_max, drain_time) = watch::channel(options.drain);
    let served = Served { address: listener.local_addr()?, transports: options.protocols.names() };
    // The process serves once.
    let _ = inventory.metrics().served.set(served);
    let side_thread = SideThread::start()?;
    let watched = inventory.clone();
    let service = Service {
        inventory,
        console: console.clone(),
        protocols: options.protocols,
        idle: options.limits.idle,
        tls: options.tls.clone(),
        hosts: Arc::new(Hosts::new(options.public_names.clone())),
        registration: options.registration.as_deref().map(Arc::from),
        authenticator: Authenticator::new(options.tokens.clone()),
        turns: Turns::default(),
        long_work: LongWork::new(),
        side_tasks: side_thread.tasks(),
        draining,
    };
    let mut workers = Vec::with_capacity(options.workers);
    for _ in 0..options.workers {
        workers.push(Worker::start(&service, &drain_time, options.workers == 1)?);
    }
    drop(service);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut limits = options.limits;
    limits.connections = descriptors::allow(limits.connections, TURNED_AWAY_MAX);
    let connections = Arc::new(Connections::new(console.clone(), options.exit_after, limits));
    let has_reached_limit = runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        console.line("Aguardando conexão...");
        service_manager::report_ready();
        // This thread accepts.
        let all_answer = async || {
            for worker in &workers {
                worker.answers().await;
            }
            watched.committer_answers().await;
        };
        let has_reached_limit = tokio::select! {
            () = accept(&listener, &workers, &connections) => true,
            limit = stop => {
                drain_max.send_modify(|time| *time = limit.map_or(*time, |limit| limit.min(*time)));
                false
            }
            () = service_manager::satisfy_watchdog(all_answer) => false,
        };
        service_manager::report_stopping();
        accept_last(&listener.into_std()?, &workers, &connections);
        Ok::<_, std::io::Error>(has_reached_limit)
    })?;
    let _ = drain.send(true);
    let (all_ended, have_ended) = std::sync::mpsc::channel::<()>();
    let handing_over = std::thread::spawn(move || hand_over(&watched, &have_ended));
    for worker in workers {
        worker.join();
    }
    drop(all_ended);
    if handing_over.join().is_err() {
        tracing::error!("the lease could not be handed over");
    }
    side_thread.join();
    Ok(has_reached_limit)
}

/// Lets another server write for the shop: when every connection has ended, or soon if a client is slow.
fn hand_over(inventory: &Inventory, have_ended: &std::sync::mpsc::Receiver<()>) {
    let _ = have_ended.recv_timeout(HAND_OVER_AFTER);
    inventory.hand_over();
}

/// Accepts connections until the wanted number of them has ended.
async fn accept(listener: &tokio::net::TcpListener, workers: &[Worker], connections: &Arc<Connections>) {
    let mut next_worker = workers.iter().cycle();
    let mut has_failed = false;
    while connections.another_wanted().await {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // The failure is logged once, because its cause may last.
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::warn!(%error, "connections cannot be accepted now");
                }
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        connections.settle().await;
        if let (Ok(stream), Some(worker)) = (stream.into_std(), next_worker.next()) {
            worker.take(stream, peer, connections);
        }
    }
}

/// Accepts the connections that are queued when the server stops, because their first command may have been
/// received. The length of the queue is the limit, however many clients still connect.
fn accept_last(listener: &TcpListener, workers: &[Worker], connections: &Arc<Connections>) {
    for worker in workers.iter().cycle().take(BACKLOG.into()) {
        if !connections.is_another_wanted() {
            return;
        }
        // An error means that there are no more connections, or that they cannot be accepted.
        let Ok((stream, peer)) = listener.accept() else { return };
        if stream.set_nonblocking(true).is_ok() {
            worker.take(stream, peer, connections);
        }
    }
}

/// A worker thread, and the sender of its connections.
struct Worker {
    accepted: mpsc::UnboundedSender<(std::net::TcpStream, Guard)>,
    thread: JoinHandle<()>,
    runtime: Handle,
}

impl Worker {
    fn start(
        service: &Service<Inventory>,
        drain_time: &watch::Receiver<Duration>,
        is_only: bool,
    ) -> std::io::Result<Self> {
        let (inventory, driver) = service.inventory.worker(is_only);
        let service = Service { long_work: LongWork::new(), ..service.with(inventory) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(driver.before_sleep())
            .build()?;
        let drain_time = drain_time.clone();
        let (accepted, incoming) = mpsc::unbounded_channel();
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new().name("hortifruti-worker".to_owned()).spawn(move || {
            let stopping = service.stopping();
            runtime.block_on(async {
                tokio::spawn(driver.run());
                let deadline = async {
                    stopping.await;
                    let drain = *drain_time.borrow();
                    tokio::time::sleep(drain).await;
                };
                tokio::select! {
                    () = serve_all(service, incoming) => {}
                    () = deadline => tracing::warn!("some clients did not finish in time"),
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { accepted, thread, runtime: handle })
    }

    /// Waits for a turn of the worker.
    async fn answers(&self) {
        if self.runtime.spawn(async {}).await.is_err() {
            // The worker has ended.
            std::future::pending().await
        }
    }

    /// Sends a connection to the worker, if there is room for it.
    fn take(&self, stream: std::net::TcpStream, peer: SocketAddr, connections: &Arc<Connections>) {
        if let Some(guard) = connections.begin(peer)
            && io::prepare(&stream).is_ok()
        {
            let _ = self.accepted.send((stream, guard));
        }
    }

    fn join(self) {
        drop(self.accepted);
        if self.thread.join().is_err() {
            tracing::error!("a worker panicked");
        }
    }
}

/// Serves every incoming connection, until no more come and all have ended.
async fn serve_all(
    service: Service<inventory::Worker>,
    mut incoming: mpsc::UnboundedReceiver<(std::net::TcpStream, Guard)>,
) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = incoming.recv() => match accepted {
                Some((stream, guard)) => match TcpStream::from_std(stream) {
                    Ok(stream) => {
                        tasks.spawn(serve_one(service.with(service.inventory.session()), stream, guard));
                        // Open connections have their turn before the next new one.
                        tokio::task::yield_now().await;
                    }
                    Err(error) => tracing::warn!(%error, "a connection could not be served"),
                },
                None => break,
            },
            Some(ended) = tasks.join_next() => report(ended),
        }
    }
    while let Some(ended) = tasks.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}

/// Recognises the protocol of a connection, and serves it.
async fn serve_one(service: Service, stream: TcpStream, guard: Guard) {
    if !guard.is_served() {
        service.inventory.metrics().connections.turn_away();
        return detect::turn_away(service, stream).await;
    }
    let mut stream = tokio::select! {
        biased;
        entered = detect::enter(&service.tls, stream) => match entered {
            Some(stream) => stream,
            // The connection was refused or ended before a request.
            None => return guard.uncount(),
        },
        () = service.stopped() => return,
    };
    let mut silence = IdleTimer::new(service.idle);
    let (first_bytes, protocol) = tokio::select! {
        // A command that came before the stop is answered.
        biased;
        first = detect::read_first_bytes(&mut stream) => match first {
            Ok(first) => first,
            Err(error) => {
                // A connection without a byte, such as a port check, does not count as a client.
                guard.uncount();
                return tracing::debug!(%error, "a connection ended before it said anything");
            }
        },
        () = service.stopped() => return,
        () = silence.too_long() => return tracing::debug!("a connection never said anything"),
    };
    drop(silence);
    match (protocol, service.protocols) {
        (Protocol::Text, _) if wire::is_tls(&first_bytes) => {
            guard.uncount();
            answer_and_close(stream, wire::text::message(wire::text::NO_TLS).as_bytes()).await;
        }
        (Protocol::Text, Protocols { socket: true, .. }) => {
            let _open = service.inventory.metrics().connections.open(Transport::Text);
            text::serve(service, stream, first_bytes).await;
        }
        #[cfg(feature = "http")]
        (Protocol::Http1, Protocols { http: true, .. }) => {
            let _open = service.inventory.metrics().connections.open(Transport::Http);
            http::serve_http1(service, stream, first_bytes).await;
        }
        // The text protocol guards itself against HTTP.
        (Protocol::Http1, Protocols { socket: true, .. }) => {
            let _open = service.inventory.metrics().connections.open(Transport::Text);
            text::serve(service, stream, first_bytes).await;
        }
        (Protocol::Http2, Protocols { grpc: true, .. } | Protocols { http: true, .. }) => {
            let _open = service.inventory.metrics().connections.open(Transport::Grpc);
            http::serve_http2(service, stream, first_bytes).await;
        }
        (Protocol::Text, Protocols { grpc, .. }) => {
            let served = if grpc { wire::text::GRPC_ONLY } else { wire::text::HTTP_ONLY };
            answer_and_close(stream, wire::text::message(served).as_bytes()).await
        }
        (Protocol::Http1, _) => answer_and_close(stream, &http::not_served()).await,
        (Protocol::Http2, _) => {
            // A client of ours that finds out which protocol the server speaks does not count yet.
            guard.uncount();
            answer_and_close(stream, &wire::goaway(wire::text::TEXT_ONLY)).await;
        }
    }
    drop(guard);
}

#[cfg(test)]
mod testing;
