//! One connection to the engine, which blocks its thread.
//!
//! Only the thread that waits for an answer drives the connection. Notices are therefore seen before the answer that
//! follows them: a warning during a commit means that the engine did not keep its promise, as if the wait for a
//! standby was cancelled.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout_at;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{AsyncMessage, Connection, SimpleQueryMessage, SimpleQueryRow};

use super::address::Address;
use super::current::Place;
use super::error::{Failure, explanation, shown};
use super::local::{self, Host};
use super::session::Session;
use super::socket::Socket;
use super::tls::{Encrypted, Encryption};
use crate::io_error::describe;
use crate::platform::sockets;
use crate::store::StoreError;

/// How long one host may take to become usable. A host that recovers answers sooner, with a refusal.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);

/// The pause after which a host that is of no use yet is asked again, while others do not answer: it may be promoted.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long other hosts are waited for after the first usable one: one of them may have been promoted later.
const OTHERS_TIME: Duration = Duration::from_millis(250);

/// The silence after which the system asks whether the other side is still there, and how long unanswered data may
/// wait before the connection is given up: the length of a lease.
const SILENCE: Duration = Duration::from_secs(2);

/// How long a look at some rows may take.
pub(super) const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// Ids or movements for each second that a look at many may take beyond that: for each of them the engine reads a page
/// or two, perhaps from its disk.
const LOOKED_AT_PER_SECOND: usize = 2_000;

/// The longest read of a reader: as long as its client waits.
pub(super) const READ_TIME_MAX: Duration = Duration::from_secs(30);

/// How often the engine looks whether the client of a statement that waits is still there. A server closes the
/// connection of a statement that it gives up, and cancels nothing; without these looks each would take one of the
/// engine's connections until its wait ends, as for a lock of a commit that waits for a standby.
const CLIENT_LOOKED_FOR_EVERY: Duration = Duration::from_secs(2);

/// The oldest engine that this program is tested with.
const VERSION_MIN: u32 = 150_000;

/// The settings of each session. A plan that was made for an empty table must not become a scan of a large one;
/// standbys must have flushed a commit before it is answered, whatever the database's default is.
const SETTINGS: &str = "SET search_path = hortifruti; SET synchronous_commit = on; SET client_min_messages = warning;
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;
    SET lock_timeout = 0; SET idle_session_timeout = 0; SET idle_in_transaction_session_timeout = 0;
    SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;";

/// The facts of a host that decide whether it is used.
const FACTS: &str = "SELECT pg_is_in_recovery() AS recovers,
    current_setting('default_transaction_read_only') AS read_only,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END AS wal_file,
    current_setting('server_version_num') AS version, current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_standby_names') AS standbys";

/// The use of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Changes: only a host that takes changes, and no timeline below this one. Of several, that of the highest
    /// timeline, because the others were replaced.
    Write { timeline_min: u32 },
    /// Reads: this place, or the host of the highest timeline; one that recovers only if no other answers.
    Read { at: Option<Place> },
}

/// A connection to one host.
pub(super) struct Link {
    line: Line,
    place: Place,
    standbys: String,
}

/// The two halves of a connection.
struct Line {
    session: Session,
    /// `None` after the connection has ended.
    wire: Option<Wire>,
    /// The messages that no statement asked for.
    heard: Heard,
}

/// The messages of an engine that no statement asked for, since they were last taken.
#[derive(Default)]
struct Heard {
    /// The first warning.
    warning: Option<String>,
    has_notification: bool,
}

/// The half of a connection that sends and receives.
struct Wire {
    connection: Connection<Socket, Encrypted>,
    socket: Socket,
}

/// A host that has answered.
struct Found {
    line: Line,
    host: usize,
    facts: Facts,
}

#[derive(Debug)]
struct Facts {
    is_writable: bool,
    timeline: u32,
    version: u32,
    is_durable: bool,
    standbys: String,
}

impl Link {
    /// Connects to a host of the address.
    ///
    /// # Errors
    /// If no host can be reached that fits the purpose, or its engine does not keep what it confirms.
    pub(super) fn open(address: &Address, purpose: Purpose) -> Result<Self, StoreError> {
        let unreachable = |reason: String| StoreError::Unreachable { database: address.to_string(), reason };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unreachable(describe(&error)))?;
        let found = runtime.block_on(async {
            let found = find(address, purpose).await?;
            found.line.leave_runtime().map_err(|error| vec![describe(&error)])?;
            Ok::<Found, Vec<String>>(found)
        });
        // The name of another host may still be looked up.
        runtime.shutdown_background();
        let Found { line, host, facts } = found.map_err(|reasons| unreachable(reasons.join("; ")))?;
        let unfit = |reason: &str| {
            Err(StoreError::Unfit { database: address.to_string(), reason: reason.to_owned() })
        };
        if facts.version < VERSION_MIN {
            return unfit("é de uma versão antes da 15; atualize o PostgreSQL");
        }
        if matches!(purpose, Purpose::Write { .. }) && !facts.is_durable {
            return unfit(
                "está com fsync ou full_page_writes desligado, e perderia mudanças confirmadas numa queda; \
                 ligue-os em postgresql.conf",
            );
        }
        let place = Place { host, timeline: facts.timeline };
        Ok(Self { line, place, standbys: facts.standbys })
    }

    /// Runs statements and waits for their results.
    ///
    /// # Errors
    /// If the engine refuses one, the connection fails, or the time is over. After that the connection is closed,
    /// unless the engine refused.
    pub(super) fn run<T>(
        &mut self,
        time_max: Duration,
        act: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.wait(time_max, false, act)
    }

    /// Runs statements. `commits` says that the engine may wait for its standbys.
    fn wait<T>(
        &mut self,
        time_max: Duration,
        commits: bool,
        act: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self { line, standbys, .. } = self;
        let Some(socket) = line.wire.as_ref().map(|wire| wire.socket.clone()) else {
            return Err(Failure::Lost("a conexão foi encerrada".to_owned()));
        };
        line.heard.warning = None;
        let done = socket.run(Instant::now() + time_max, line.run(act)).unwrap_or_else(|| {
            let awaited = match commits && !standbys.is_empty() {
                true => format!("; talvez espere por uma cópia síncrona ({standbys})"),
                false => String::new(),
            };
            Err(Failure::Lost(format!("o banco não respondeu em {} ms{awaited}", time_max.as_millis())))
        });
        if matches!(done, Err(Failure::Lost(_))) {
            // Closes the socket. The engine is never asked to cancel: it might confirm what it did not do.
            line.wire = None;
        }
        done
    }

    /// Runs statements that change something.
    ///
    /// # Errors
    /// If [`Link::run`] fails, or the engine warned, as if it gave up waiting for a standby.
    pub(super) fn change<T>(
        &mut self,
        time_max: Duration,
        act: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let done = self.wait(time_max, true, act)?;
        match self.line.heard.warning.take() {
            None => Ok(done),
            Some(warning) => {
                self.line.wire = None;
                Err(Failure::Lost(warning))
            }
        }
    }

    /// Waits for a notification that the session listens for, for this time at most.
    pub(super) fn wait_for_notification(&mut self, time: Duration) {
        let Line { wire, heard, .. } = &mut self.line;
        let socket = wire.as_ref().map(|wire| wire.socket.clone());
        // Elsewhere a notification comes with the answer to the next statement.
        let Some(socket) = socket.filter(|_| sockets::MAY_READ_IN_VAIN) else {
            return std::thread::sleep(time);
        };
        let notified = poll_fn(|context| {
            drive(wire, heard, context);
            match std::mem::take(&mut heard.has_notification) || wire.is_none() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        socket.run(Instant::now() + time, notified);
    }

    /// The host that the connection leads to.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.line.wire.is_none() || self.line.session.client().is_closed()
    }

    /// The engine's setting of the standbys that it waits for; empty if it waits for none.
    pub(super) fn standbys(&self) -> &str {
        &self.standbys
    }
}

impl Line {
    /// Takes the socket from the runtime in which the connection was made.
    fn leave_runtime(&self) -> io::Result<()> {
        self.wire.as_ref().map_or(Ok(()), |wire| wire.socket.leave_runtime())
    }

    async fn run<T>(&mut self, act: impl AsyncFnOnce(&Session) -> Result<T, Failure>) -> Result<T, Failure> {
        let Self { session, wire, heard } = self;
        let mut act = pin!(act(session));
        poll_fn(|context| {
            if let Poll::Ready(done) = act.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            drive(wire, heard, context);
            act.as_mut().poll(context)
        })
        .await
    }
}

/// How long a look at so many ids or movements may take, if one at a few may take `time_max`.
pub(super) fn look_time(time_max: Duration, count: usize) -> Duration {
    time_max + Duration::from_secs(count as u64) / LOOKED_AT_PER_SECOND as u32
}

/// Sends and receives what can be, and notes what no statement asked for.
fn drive(wire: &mut Option<Wire>, heard: &mut Heard, context: &mut Context<'_>) {
    while let Some(open) = wire {
        match open.connection.poll_message(context) {
            Poll::Pending => return,
            Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => note(&mut heard.warning, &notice),
            Poll::Ready(Some(Ok(_))) => heard.has_notification = true,
            Poll::Ready(Some(Err(_)) | None) => *wire = None,
        }
    }
}

fn note(warning: &mut Option<String>, notice: &DbError) {
    let is_harmless = matches!(
        notice.parsed_severity(),
        Some(Severity::Notice | Severity::Debug | Severity::Info | Severity::Log)
    );
    if !is_harmless && warning.is_none() {
        *warning = Some(explanation(notice));
    }
}

/// Asks the hosts, all at the same time, and chooses one. The error has the reason against each.
async fn find(address: &Address, purpose: Purpose) -> Result<Found, Vec<String>> {
    let is_asked =
        |host: &usize| !matches!(purpose, Purpose::Read { at: Some(place) } if place.host != *host);
    let attempt = |host, pause: Duration| async move {
        // A timer takes a millisecond at least.
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        (host, open(address, host, purpose).await)
    };
    // The hosts that have not answered once.
    let mut silent: Vec<usize> = (0..address.host_count()).filter(is_asked).collect();
    let mut attempts: Vec<_> = silent.iter().map(|host| Box::pin(attempt(*host, Duration::ZERO))).collect();
    let mut until = tokio::time::Instant::now() + CONNECT_TIME_MAX;
    let mut best: Option<Found> = None;
    let mut reasons = BTreeMap::new();
    while !silent.is_empty() {
        let Ok((host, found)) = timeout_at(until, first_done(&mut attempts)).await else { break };
        silent.retain(|other| *other != host);
        match found.and_then(|found| fit(found, purpose)) {
            Err(reason) => {
                reasons.insert(host, format!("{}: {reason}", address.host_shown(host)));
                attempts.push(Box::pin(attempt(host, ASK_AGAIN_AFTER)));
            }
            Ok(found) => {
                if best.as_ref().is_none_or(|best| best.facts.timeline < found.facts.timeline) {
                    best = Some(found);
                }
                if matches!(purpose, Purpose::Read { at: Some(_) }) {
                    break;
                }
                until = until.min(tokio::time::Instant::now() + OTHERS_TIME);
            }
        }
    }
    best.ok_or_else(|| match reasons.is_empty() {
        true => vec!["nenhum host respondeu".to_owned()],
        false => reasons.into_values().collect(),
    })
}

/// Waits for the first of some futures, and removes it.
async fn first_done<F: Future + Unpin>(futures: &mut Vec<F>) -> F::Output {
    poll_fn(|context| {
        for index in 0..futures.len() {
            if let Poll::Ready(done) = pin!(&mut futures[index]).poll(context) {
                drop(futures.swap_remove(index));
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether a host fits the purpose.
fn fit(found: Found, purpose: Purpose) -> Result<Found, String> {
    let Facts { is_writable, timeline, .. } = found.facts;
    match purpose {
        Purpose::Write { .. } if !is_writable => Err("só aceita leituras".to_owned()),
        Purpose::Write { timeline_min } if timeline < timeline_min => {
            Err(format!("foi substituído: está na linha de tempo {timeline}, e a atual é a {timeline_min}"))
        }
        Purpose::Read { at: Some(place) } if timeline != place.timeline => {
            Err("não é mais o banco em que o servidor grava".to_owned())
        }
        _ => Ok(found),
    }
}

/// Opens a connection to one host, and reads its facts.
async fn open(address: &Address, host: usize, purpose: Purpose) -> Result<Found, String> {
    let socket = socket(address, host).await.map_err(|error| describe(&error))?;
    let encryption = match (address.tls(), address.host(host)) {
        (Some(config), (Host::Tcp(name), _)) => {
            let name = ServerName::try_from(name.clone())
                .map_err(|_| format!("{name} não é um nome de servidor"))?;
            Some((Arc::clone(config), name))
        }
        _ => None,
    };
    let opened = address.config(host).connect_raw(socket.clone(), Encryption(encryption)).await;
    let (client, connection) = opened.map_err(|error| match error.as_db_error() {
        Some(refusal) => explanation(refusal),
        None => unexplained(&shown(&error)),
    })?;
    let mut line = Line {
        session: Session::new(client),
        wire: Some(Wire { connection, socket }),
        heard: Heard::default(),
    };
    let own = match purpose {
        Purpose::Write { .. } => "SET statement_timeout = 0".to_owned(),
        Purpose::Read { .. } => {
            let read_millis = READ_TIME_MAX.as_millis();
            format!("SET default_transaction_read_only = on; SET statement_timeout = {read_millis}")
        }
    };
    // Engines on other systems refuse the first setting, and those before version 17 do not have the second one.
    let look_millis = CLIENT_LOOKED_FOR_EVERY.as_millis();
    let others = format!(
        "SELECT set_config('client_connection_check_interval', '{look_millis}', false)
         WHERE version() ~ 'linux|darwin|bsd';
         SELECT set_config('transaction_timeout', '0', false)
         WHERE current_setting('transaction_timeout', true) IS NOT NULL"
    );
    let statements = format!("{FACTS}; {SETTINGS} {own}; {others}");
    let answer = line.run(async |session| Ok(session.client().simple_query(&statements).await?)).await;
    let answer = answer.map_err(|failure| match failure {
        Failure::Refused(refusal) => explanation(&refusal),
        Failure::Lost(reason) | Failure::BadValue(reason) => reason,
    })?;
    let row = answer.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let facts = row.as_ref().and_then(Facts::read).ok_or("deu uma resposta que não é de um PostgreSQL")?;
    Ok(Found { line, host, facts })
}

/// An error of the library before the engine took the connection. The library has no kinds for these.
fn unexplained(error: &str) -> String {
    if error.ends_with("password missing") {
        "o banco pede uma senha; use a variável PGPASSWORD, ou um arquivo (passfile=ARQUIVO ou ~/.pgpass) com uma \
         linha deste host, porta, banco e usuário"
            .to_owned()
    } else if error.ends_with("server does not support TLS") {
        "o banco não usa TLS; ligue ssl em postgresql.conf, ou use sslmode=disable se ele é desta máquina"
            .to_owned()
    } else {
        // The handshake's own error needs no introduction.
        error.strip_prefix("error performing TLS handshake: ").unwrap_or(error).to_owned()
    }
}

/// Opens a socket to one host.
async fn socket(address: &Address, host: usize) -> io::Result<Socket> {
    match address.host(host) {
        (Host::Folder(folder), port) => Ok(Socket::of_folder(local::connect(folder, port).await?)),
        (Host::Tcp(name), port) => {
            let stream = TcpStream::connect((name.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            let socket = SockRef::from(&stream);
            sockets::keep_alive(&socket, SILENCE, SILENCE, None)?;
            sockets::limit_unsent(&socket, SILENCE)?;
            Ok(Socket::tcp(stream))
        }
    }
}

impl Facts {
    fn read(row: &SimpleQueryRow) -> Option<Self> {
        let is_on = |column| row.get(column).map(|value| value == "on");
        // The name of a file of the log begins with the timeline, eight hexadecimal digits.
        let timeline = row.get("wal_file").and_then(|name| u32::from_str_radix(name.get(..8)?, 16).ok());
        Some(Self {
            is_writable: row.get("recovers")? == "f" && !is_on("read_only")?,
            timeline: timeline.unwrap_or(0),
            version: row.get("version")?.parse().ok()?,
            is_durable: is_on("fsync")? && is_on("full_page_writes")?,
            standbys: row.get("standbys")?.to_owned(),
        })
    }
}
