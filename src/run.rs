//! Composition: what each subcommand does, from its options to the parts that do it. The
//! only place that names concrete stores and transports.

mod export;
mod import;

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::access::token_file::{self, TokenFileError};
use crate::access::{self, Hash, Role, Secret, Token, TokenName, Tokens};
use crate::again;
use crate::bench;
use crate::catalog::{Kind, Price, Quantity, Quoted, RequestId, original_products};
use crate::cli::{self, Cli, Command};
use crate::client::{self, Broken, Client, Connector, Failure, Manner, Patience, Reconnecting};
use crate::inventory::Inventory;
use crate::operation::{AdjustRequest, ImportRequest, Reply, Request};
use crate::port_file::{self, Place};
use crate::price_list;
use crate::progress::Progress;
use crate::refusal::{Code, Refusal};
use crate::render::{Format, render};
use crate::server::console::Console;
use crate::server::{self, Limits, Protocols};
use crate::shell;
use crate::store::Store;
use crate::store::sqlite::{self, Restored, SqliteStore, Step, Verified};
use crate::system_error::told;
use crate::tls::{self, ClientFiles, ServerFiles};
use crate::usage;
use crate::wire::Protocol;

/// The original's port.
const PORT_DEFAULT: u16 = 8082;

/// What is logged where `RUST_LOG` says nothing. h2 warns of what its clients do, a line for
/// each attack on a limit, with which a stranger could fill the disk.
const LOGGED: &str = "warn,h2=error";

/// The file that stands for standard input or output.
const STANDARD: &str = "-";

/// The `--data` that keeps nothing.
const IN_MEMORY: &str = ":memory:";

/// How long the bench waits for its own server, and how often it looks.
const OWN_SERVER_WAIT: Duration = Duration::from_secs(10);
const OWN_SERVER_LOOK: Duration = Duration::from_millis(10);

/// Exit status of a process that a second signal ended at once (128 + SIGINT).
const EXIT_FORCED: i32 = 130;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line cannot be.
    #[error("{0}")]
    Usage(String),
    /// It was refused, or no server answered.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The same, and the person has been told already.
    #[error("{0}")]
    Told(Failure),
    /// The machine did not do what was needed.
    #[error("{0:#}")]
    Broken(#[from] anyhow::Error),
}

impl Error {
    /// Tells it on standard error, unless the person knows it already.
    pub fn tell(&self) {
        if !matches!(self, Error::Told(_)) {
            shell::tell(self);
        }
    }

    /// The exit code: DESIGN's table of errors, for shells.
    pub fn exit_code(&self) -> u8 {
        let failure = match self {
            Error::Usage(_) => return 2,
            Error::Broken(_) => return 1,
            Error::Failed(failure) | Error::Told(failure) => failure,
        };
        let refusal = match failure {
            Failure::Broken(Broken::Tls { problem, .. }) if problem.is_unauthenticated() => return 6,
            Failure::Broken(Broken::TokenInTheClear { .. }) => return 2,
            Failure::Broken(_) => return 5,
            Failure::Refused(refusal) => refusal,
        };
        match refusal.code {
            Code::Internal => 1,
            Code::InvalidArgument | Code::UnknownCommand => 2,
            Code::ProductNotFound => 3,
            Code::InsufficientStock | Code::RequestIdReused | Code::OutOfRange => 4,
            Code::DeadlineExceeded | Code::ResourceExhausted | Code::Unavailable | Code::OutcomeUnknown => 5,
            Code::Unauthenticated => 6,
        }
    }
}

impl From<clap::Error> for Error {
    fn from(error: clap::Error) -> Self {
        Error::Usage(usage::message(&error))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Failed(refusal.into())
    }
}

/// Runs a subcommand.
///
/// # Errors
/// Why it failed. A standard output that was closed is no failure.
pub fn run(cli: Cli) -> Result<(), Error> {
    survive_full_files();
    match cli.command {
        Command::Serve(options) => Ok(serve(&options)?),
        Command::Shell(options) => run_shell(options.connection),
        Command::Query(options) => query(options),
        Command::Update(options) => update(options),
        Command::Import(options) => import::import(options),
        Command::Export(options) => export::export(options),
        Command::Token(options) => match options.command {
            cli::TokenCommand::New(options) => new_token(&options),
        },
        Command::Backup(options) => back_up(&options),
        Command::Restore(options) => restore(&options),
        Command::Verify(options) => verify(&options),
        Command::Bench(options) => measure(options),
    }
}

/// Holds back SIGXFSZ, which ends a process that writes beyond the file-size limit (`ulimit -f`): such
/// a write then fails as one to a full disk does. To be called before any thread is started, because
/// threads inherit what is held back.
fn survive_full_files() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let mut held_back = SigSet::empty();
        held_back.add(Signal::SIGXFSZ);
        // Fails only for an unknown way of masking, which this is not.
        let _ = held_back.thread_block();
    }
}

// --- serve ----------------------------------------------------------------------------

fn serve(options: &cli::Serve) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| LOGGED.into()),
        )
        .with_writer(io::stderr)
        // Where standard error is full or closed, this would say so on standard error, and panic.
        .log_internal_errors(false)
        .init();
    let protocols = if options.socket || options.grpc {
        Protocols { socket: options.socket, grpc: options.grpc }
    } else {
        Protocols { socket: true, grpc: true }
    };
    refuse_open_network(options)?;
    let renewable = Renewable::read(options)?;
    // Bind before anything is written: a second server on a taken port must change nothing.
    let listener = bind(options.host, options.port, protocols)?;
    let address = listener.local_addr().context("a porta não pôde ser lida")?;
    let port = address.port();
    refuse_one_name_for_two(options)?;
    let port_file = port_file::prepare(&options.port_file.port_file, address)?;
    let store = open_store(&options.data, port)?;
    let opening = if options.empty { Vec::new() } else { original_products() };
    let (inventory, committer) = Inventory::open(store, &opening)?;

    let console = if options.quiet { Console::quiet() } else { Console::stdout() };
    let tls = renewable.tls.as_ref().map(|(_, tls)| tls.subscribe());
    let tokens = renewable.tokens.as_ref().map(|(_, tokens)| tokens.subscribe());
    let stop =
        listen_for_signals(renewable, &console).context("os sinais do sistema não puderam ser ouvidos")?;
    let published = port_file.publish()?;
    // The line is in the original's words, unless `localhost` would not reach the server.
    let is_local = options.host.is_loopback() && matches!(Place::of(address), Place::Local(_));
    let host = if is_local { "localhost".to_owned() } else { options.host.to_string() };
    console.line(&format!("Iniciando comunicacao com {host} na porta {port}"));
    let server_options = server::Options {
        protocols,
        exit_after: options.exit_after,
        drain: Duration::from_secs(options.drain_seconds),
        limits: limits(options),
        tls,
        tokens,
    };
    let served = server::serve(listener, inventory, &console, &server_options, async {
        let _ = stop.await;
    });
    // Every connection has ended; what they submitted is still made durable.
    let closed = committer.join();
    published.remove();
    if served.context("o servidor não pôde atender")? {
        console.line("Numero max de conexoes atingidas.");
    }
    console.flush();
    closed.context("o servidor parou, mas as últimas mudanças não estão no banco de dados")
}

/// Refuses a port file whose name is one of the database's. Names are compared because neither file may
/// be there yet; if they were, each would be seen to be something else.
fn refuse_one_name_for_two(options: &cli::Serve) -> anyhow::Result<()> {
    for name in port_file::names(&options.port_file.port_file) {
        if options.data != Path::new(IN_MEMORY) && sqlite::has_file(&options.data, &name) {
            bail!(
                "{} é um nome dos arquivos do banco de dados, e não pode ser o do arquivo de porta. O servidor \
                 não foi iniciado e nada foi alterado; indique outro nome com --port-file ou --data",
                name.display()
            );
        }
    }
    Ok(())
}

/// An address that others reach is served by TLS, and to whoever shows a token.
fn refuse_open_network(options: &cli::Serve) -> anyhow::Result<()> {
    let missing: Vec<&str> = [
        (options.tls_cert.is_none(), "--tls-cert e --tls-key (o que se envia iria à vista de todos)"),
        (options.token_file.is_none(), "--token-file (qualquer um poderia mudar o estoque)"),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect();
    if options.host.to_canonical().is_loopback() || options.insecure || missing.is_empty() {
        return Ok(());
    }
    bail!(
        "o endereço {} é aberto à rede, e falta {}. O servidor não foi iniciado; indique o que falta, \
         use --host 127.0.0.1, ou --insecure se a rede é só sua",
        options.host,
        missing.join(", e ")
    );
}

fn bind(host: IpAddr, port: Option<u16>, protocols: Protocols) -> anyhow::Result<TcpListener> {
    let default = if protocols.socket { PORT_DEFAULT } else { 0 };
    let address = SocketAddr::new(host, port.unwrap_or(default));
    listen(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "a porta {} já está em uso. O servidor não foi iniciado; \
             use --port 0 para uma porta livre, ou pare quem a usa",
            address.port()
        ),
        _ => anyhow::anyhow!(
            "não foi possível escutar em {address}: {}. O servidor não foi iniciado; confira --host e --port",
            told(&error)
        ),
    })
}

/// As std does it, with room for more that have not been accepted yet.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A server that restarts takes the port from its own last connections.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(server::BACKLOG.into())?;
    Ok(socket.into())
}

/// How many clients there may be, and how long they may be silent.
fn limits(options: &cli::Serve) -> Limits {
    Limits {
        connections: options.max_connections as usize,
        connections_per_address: options.max_connections_per_address.map(|count| count as usize),
        idle: Some(Duration::from_secs(options.idle_seconds)).filter(|idle| !idle.is_zero()),
    }
}

fn open_store(data: &Path, port: u16) -> anyhow::Result<Box<dyn Store>> {
    if data == Path::new(IN_MEMORY) {
        return Ok(Box::new(SqliteStore::in_memory()?));
    }
    Ok(Box::new(SqliteStore::open(data, port)?))
}

/// What is read again at a SIGHUP, and where it is then told.
struct Renewable {
    tls: Option<(ServerFiles, watch::Sender<Arc<ServerConfig>>)>,
    tokens: Option<(PathBuf, watch::Sender<Arc<Tokens>>)>,
}

impl Renewable {
    fn read(options: &cli::Serve) -> anyhow::Result<Self> {
        let tls = match (&options.tls_cert, &options.tls_key) {
            (Some(certificate), Some(key)) => {
                let files = ServerFiles {
                    certificate: certificate.clone(),
                    key: key.clone(),
                    client_authority: options.tls_client_ca.clone(),
                };
                let config = tls::server(&files).map_err(not_started)?;
                Some((files, watch::Sender::new(config)))
            }
            // The command line takes none of them without the others.
            _ => None,
        };
        let tokens = match &options.token_file {
            Some(file) => Some((file.clone(), watch::Sender::new(read_tokens(file).map_err(not_started)?))),
            None => None,
        };
        Ok(Self { tls, tokens })
    }

    fn is_empty(&self) -> bool {
        self.tls.is_none() && self.tokens.is_none()
    }

    /// Reads everything again. What does not serve is told, and what was read before holds.
    fn renew(&self, console: &Console) {
        if let Some((files, tls)) = &self.tls {
            match tls::server(files) {
                Ok(config) => {
                    tls.send_replace(config);
                    console.line("Certificado relido.");
                }
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
            }
        }
        if let Some((file, tokens)) = &self.tokens {
            match read_tokens(file) {
                Ok(read) => {
                    tokens.send_replace(read);
                    console.line("Tokens relidos.");
                }
                Err(error) => tracing::error!(%error, "the tokens stay as they were"),
            }
        }
    }
}

fn read_tokens(file: &Path) -> Result<Arc<Tokens>, TokenFileError> {
    let tokens = token_file::read(file)?;
    if tokens.is_empty() {
        tracing::warn!(file = %file.display(), "there is no token in the file: nobody is let in");
    }
    Ok(Arc::new(tokens))
}

fn not_started(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{error}. O servidor não foi iniciado")
}

/// Ready at the first SIGTERM or Ctrl-C; the second ends the process at once. A SIGHUP
/// renews what is renewable; where nothing is, it ends the process, as it does by itself.
fn listen_for_signals(renewable: Renewable, console: &Console) -> anyhow::Result<oneshot::Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before the thread runs: from here on no signal is missed.
    let (mut signals, mut hangups) = {
        let _inside = runtime.enter();
        let hangups = if renewable.is_empty() { Hangups::ignored() } else { Hangups::new()? };
        (Signals::new()?, hangups)
    };
    let console = console.clone();
    let (stop, stopped) = oneshot::channel();
    // Renewals have a thread of their own: reading a file may take a while, and a stop does not wait for it.
    let (renew, renewals) = std::sync::mpsc::channel();
    std::thread::Builder::new().name("hortifruti-renewal".to_owned()).spawn(move || {
        while renewals.recv().is_ok() {
            renewable.renew(&console);
        }
    })?;
    std::thread::Builder::new().name("hortifruti-signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    () = signals.next() => break,
                    () = hangups.next() => {
                        let _ = renew.send(());
                    }
                }
            }
            let _ = stop.send(());
            signals.next().await;
            std::process::exit(EXIT_FORCED);
        });
    })?;
    Ok(stopped)
}

/// SIGTERM and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// SIGHUP, where there is something to renew.
struct Hangups {
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { hangup: Some(signal(SignalKind::hangup())?) })
    }

    #[cfg(unix)]
    fn ignored() -> Self {
        Self { hangup: None }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        match &mut self.hangup {
            Some(hangup) => {
                hangup.recv().await;
            }
            None => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    fn ignored() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending().await
    }
}

// --- clients ----------------------------------------------------------------------------

/// Where the server is: as told, or as the port file says.
fn find_server(connection: &cli::Connection) -> Result<String, Broken> {
    // An empty variable is as good as none.
    if let Some(server) = connection.server.as_deref().filter(|server| !server.is_empty()) {
        return Ok(server.to_owned());
    }
    let path = &connection.port_file.port_file;
    match port_file::read(path) {
        Ok(place) => Ok(place.to_string()),
        Err(error) => Err(Broken::NoServer(format!(
            "{error}. Nada foi enviado; inicie um servidor com `hortifruti serve` nesta pasta, \
             ou diga onde ele está com --server HOST:PORTA ou --port-file"
        ))),
    }
}

/// Finds the server anew each time, because a server that comes back may have another port.
fn connector(connection: cli::Connection, manner: Manner) -> Connector {
    Arc::new(move |patience| {
        let address = find_server(&connection)?;
        client::connect(&address, &manner, patience).map_err(|broken| match broken {
            Broken::Connect { error, .. } if connection.server.is_none() => Broken::NoServer(format!(
                "o arquivo de porta {} está obsoleto: nada responde em {address} ({}). \
                 Nada foi enviado; inicie um servidor com `hortifruti serve`",
                connection.port_file.port_file.display(),
                told(&error)
            )),
            broken => broken,
        })
    })
}

/// How the server is to be spoken to.
fn manner(protocol: Option<Protocol>, credentials: &cli::Credentials) -> Result<Manner, Error> {
    let cli::Credentials { tls, tls_ca, tls_cert, tls_key, token_file, insecure } = credentials;
    let (authority, certificate, key) = (given(tls_ca), given(tls_cert), given(tls_key));
    let files = ClientFiles {
        identity: match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (certificate, _) => {
                let missing = if certificate.is_some() { "--tls-key" } else { "--tls-cert" };
                return Err(Error::Usage(format!(
                    "falta {missing}: um certificado e a chave dele vão juntos. Nada foi enviado"
                )));
            }
        },
        authority,
    };
    let is_wanted = *tls || files.authority.is_some() || files.identity.is_some();
    let tls = is_wanted.then(|| tls::client(&files)).transpose();
    let tls = tls.map_err(|error| anyhow::anyhow!("{error}. Nada foi enviado"))?;
    let token = given(token_file).map(|file| read_secret(&file)).transpose()?;
    Ok(Manner { protocol, tls, token, is_insecure: *insecure })
}

/// The secret of a file. One that others can read is told and used all the same: where secrets
/// are mounted for a container, their mode is not the user's to choose.
fn read_secret(file: &Path) -> anyhow::Result<Secret> {
    let (secret, is_private) =
        token_file::read_secret(file).map_err(|error| anyhow::anyhow!("{error}. Nada foi enviado"))?;
    if !is_private {
        let file = file.display();
        note(&format!(
            "Aviso: outros usuários desta máquina têm acesso ao token em {file}. Ele foi usado assim mesmo; \
             feche o arquivo com: chmod 600 {file}"
        ));
    }
    Ok(secret)
}

/// A file that was named: an empty variable names none.
fn given(file: &Option<PathBuf>) -> Option<PathBuf> {
    file.clone().filter(|file| !file.as_os_str().is_empty())
}

fn reconnecting(connection: cli::Connection) -> Result<Reconnecting, Error> {
    foreground(given_connector(connection)?)
}

/// A client for the person who waits.
fn foreground(connector: Connector) -> Result<Reconnecting, Error> {
    Ok(Reconnecting::connect(connector, Patience::of_person(shell::tell_news))?)
}

/// The connector that the options ask for.
fn given_connector(connection: cli::Connection) -> Result<Connector, Error> {
    let server = connection.server.as_deref().unwrap_or_default();
    let port = server.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
    if !server.is_empty() && !matches!(port, Some((host, Ok(1..))) if !host.is_empty()) {
        return Err(Error::Usage(format!(
            "{} não é um endereço de servidor. Nada foi enviado; escreva --server HOST:PORTA, como localhost:8082",
            Quoted(server)
        )));
    }
    let protocol = match (connection.socket, connection.grpc) {
        (true, _) => Some(Protocol::Text),
        (false, true) => Some(Protocol::Grpc),
        (false, false) => None,
    };
    let manner = manner(protocol, &connection.credentials)?;
    Ok(connector(connection, manner))
}

fn run_shell(connection: cli::Connection) -> Result<(), Error> {
    let address = find_server(&connection).map_err(Failure::from)?;
    let shop = shop(&connection);
    let connector = given_connector(connection)?;
    let client = foreground(Arc::clone(&connector))?;
    // While a line is typed, the line editor takes Ctrl-C; while an answer is awaited, this does.
    watch_interrupts(shell::edits_lines()).context("os sinais do sistema não puderam ser ouvidos")?;
    let asker = Reconnecting::unconnected(connector, Patience::of_program());
    match shell::run(client, shell::Options { address, shop, state: state_folder(), asker }) {
        Ok(None) => Ok(()),
        Ok(Some(failure)) => Err(Error::Told(failure)),
        Err(error) => written(Err(error)),
    }
}

/// Lets Ctrl-C end a wait for an answer, and not the process before it has said whether a change is in
/// doubt. Outside a dialogue SIGTERM does the same, because scripts use it to end what takes too long.
/// Both signals end a process that waits for no answer.
fn watch_interrupts(is_dialogue: bool) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupts, mut terminations) = {
        let _inside = runtime.enter();
        let terminations = (!is_dialogue).then(|| signal(SignalKind::terminate())).transpose()?;
        (signal(SignalKind::interrupt())?, terminations)
    };
    std::thread::Builder::new().name("hortifruti-interrupts".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    Some(()) = async { terminations.as_mut()?.recv().await } => {}
                }
                if !client::interrupt() && !is_dialogue {
                    std::process::exit(EXIT_FORCED);
                }
            }
        });
    })?;
    Ok(())
}

/// The shop whose stock a shell changes, named by how the shell finds the server. A change that one
/// shell leaves in doubt is for the shells that find the server in the same way.
fn shop(connection: &cli::Connection) -> String {
    if let Some(server) = connection.server.as_deref().filter(|server| !server.is_empty()) {
        return server.to_owned();
    }
    let path = &connection.port_file.port_file;
    let path = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.clone());
    path.display().to_string()
}

/// The folder of the shell's state between its runs, as the XDG base directory specification says.
fn state_folder() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/state"));
    Some(state.or_else(home)?.join("hortifruti"))
}

fn query(options: cli::Query) -> Result<(), Error> {
    let name = options.name.join(" ");
    let max_price = options
        .max_price
        .map(|text| text.parse::<Price>())
        .transpose()
        .map_err(|error| Refusal::price("max_price_centavos", &error))?;
    let request = match options.name.is_empty() {
        true => Request::List { max_price },
        false => Request::Find { name: &name },
    };
    let reply = reconnecting(options.connection)?.call(&request)?;
    print(&reply, options.output.format)
}

fn update(options: cli::Update) -> Result<(), Error> {
    if let Some((thousands, units)) = Quantity::two_readings(&options.delta) {
        return Err(Refusal::two_readings(&options.delta, thousands, units).into());
    }
    let delta: Quantity =
        options.delta.parse().map_err(|error| Refusal::quantity("delta_thousandths", &error))?;
    let kind: Kind = options.reason.word().parse().map_err(|error| Refusal::kind(&error))?;
    let request_id = request_id(options.request_id)?;
    let request = Request::Adjust(AdjustRequest { name: &options.name, delta, kind, request_id });
    let reply = change(options.connection, &request)?;
    print_made(&reply, options.output.format)
}

fn request_id(option: Option<String>) -> Result<Option<RequestId>, Refusal> {
    option.map(|text| text.parse()).transpose().map_err(|error| Refusal::request_id(&error))
}

/// Asks for a change. If its answer is lost, also by a Ctrl-C, the person gets the command that
/// finishes the change.
fn change(connection: cli::Connection, request: &Request<'_>) -> Result<Reply, Error> {
    watch_interrupts(false).context("os sinais do sistema não puderam ser ouvidos")?;
    let answer = reconnecting(connection)?.call(request);
    Ok(answer.map_err(|failure| failure.with_again(finished_by))?)
}

/// How to finish the change with this request id, if it is in doubt.
fn finished_by(request_id: &RequestId) -> String {
    let command = again::command(request_id.as_str());
    format!("para terminá-la sem fazê-la duas vezes, repita assim: {command}")
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = price_list::FILE_BYTES_MAX as u64 + 1;
    let read = if path == Path::new(STANDARD) {
        io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    let shown = path.display();
    if let Err(error) = read {
        let told = told(&error);
        bail!("não foi possível ler {shown}: {told}. Nada foi importado; confira o nome do arquivo");
    }
    if bytes.len() > price_list::FILE_BYTES_MAX {
        bail!("{shown} tem mais de {} bytes. Nada foi importado; divida a lista", price_list::FILE_BYTES_MAX);
    }
    Ok(bytes)
}

/// Makes a token. The secret alone goes to standard output, for a file or a person.
fn new_token(options: &cli::TokenNew) -> Result<(), Error> {
    let name: TokenName = options
        .name
        .parse()
        .map_err(|error: access::NameError| Error::Usage(format!("{error}. Nada foi criado")))?;
    let secret = Secret::generate().context("o sistema não deu números ao acaso. Nada foi criado")?;
    let role = match options.role {
        cli::Role::Leitura => Role::Read,
        cli::Role::Escrita => Role::Write,
    };
    let token = Token { name, role, hash: Hash::of(secret.reveal()) };
    if let Some(file) = &options.token_file {
        token_file::append(file, &token).map_err(|error| anyhow::anyhow!("{error}. Nada foi criado"))?;
    }
    let mut out = io::stdout();
    // A closed output is a failure here: the secret is shown this once.
    writeln!(out, "{}", secret.reveal()).and_then(|()| out.flush()).map_err(|error| {
        let next = options.token_file.as_ref().map_or("crie outro token".to_owned(), |file| {
            format!("apague a linha de {} em {} e crie outro token", token.name, file.display())
        });
        anyhow::anyhow!("o segredo não pôde ser escrito: {}. Ninguém o tem; {next}", told(&error))
    })?;
    match &options.token_file {
        Some(file) => note(&format!(
            "Token {} ({}) acrescentado a {}. O segredo só aparece agora; um servidor que já roda relê o arquivo com SIGHUP.",
            token.name,
            role.word(),
            file.display()
        )),
        None => note(&format!("Linha para o arquivo de --token-file do servidor:\n{token}")),
    }
    Ok(())
}

// --- the database -----------------------------------------------------------------------

fn back_up(options: &cli::Backup) -> Result<(), Error> {
    let mut progress = Progress::new();
    let copied = sqlite::back_up(&options.data, &options.file, options.force, &mut tell_step(&mut progress));
    drop(progress);
    let copied = copied.context("a cópia não foi feita")?;
    tell_verified(&format!("Cópia feita e conferida em {}.", options.file.display()), &copied)
}

fn restore(options: &cli::Restore) -> Result<(), Error> {
    let mut progress = Progress::new();
    let restored = sqlite::restore(&options.file, &options.data, &mut tell_step(&mut progress));
    drop(progress);
    let Restored { verified, earlier_schema, kept } = restored.context("a cópia não foi restaurada")?;
    let (copy, data) = (options.file.display(), options.data.display());
    let mut what = format!("Cópia {copy} conferida e posta no lugar de {data}.");
    if let Some(version) = earlier_schema {
        what += &format!(" Era de uma versão anterior (esquema {version}), e foi atualizada.");
    }
    // The paths are shown with the folder as the person named it.
    let kept: Vec<String> = kept
        .iter()
        .filter_map(|kept| Some(options.data.with_file_name(kept.file_name()?).display().to_string()))
        .collect();
    if !kept.is_empty() {
        what += &format!("\nO que havia antes está guardado em {}.", kept.join(", "));
    }
    tell_verified(&what, &verified)
}

fn verify(options: &cli::Verify) -> Result<(), Error> {
    let mut progress = Progress::new();
    let verified = sqlite::verify(&options.file, &mut tell_step(&mut progress));
    drop(progress);
    let verified = verified.context("a conferência falhou")?;
    tell_verified(&format!("{} está íntegro.", options.file.display()), &verified)
}

fn tell_step(progress: &mut Progress) -> impl FnMut(Step, u64, u64) {
    |step, done, total| {
        let what = match step {
            Step::Copy => "Copiando",
            Step::Pages => "Conferindo as páginas",
            Step::Ledger => "Conferindo os movimentos",
        };
        progress.show(what, done, total);
    }
}

fn tell_verified(what: &str, verified: &Verified) -> Result<(), Error> {
    let Verified { products, movements, request_ids, earlier_movements, look_alikes } = verified;
    let mut told = format!(
        "{what}\nProdutos: {products}\nMovimentos: {movements}\nIdentificadores de pedido: {request_ids}\n"
    );
    if !look_alikes.is_empty() {
        told.push_str("Produtos que se confundem, porque os nomes parecem iguais:\n");
        look_alikes.iter().for_each(|pair| told.push_str(&format!("  {pair}\n")));
        told.push_str(
            "Cada um atende pelo nome exato; escrito de outro jeito, o nome é o do produto criado primeiro.\n",
        );
    }
    if *earlier_movements > 0 {
        told.push_str(&format!(
            "Movimentos com hora anterior à do movimento que vem antes: {earlier_movements}. O relógio foi \
             atrasado enquanto uma versão antiga servia; não falta nada.\n"
        ));
    }
    written(io::stdout().write_all(told.as_bytes()))
}

// --- bench ------------------------------------------------------------------------------

/// The real price list that the bench runs on.
const BENCH_LIST: &[u8] = include_bytes!("../tests/data/ceagesp-2023-11-24.csv");

fn measure(options: cli::Bench) -> Result<(), Error> {
    let mix = options.mix.parse().map_err(Error::Usage)?;
    let protocol = Some(Protocol::Grpc);
    // A person waits for this connection, and ends the wait by Ctrl-C as usual.
    let given = match options.server {
        Some(address) => {
            let manner = manner(protocol, &options.credentials)?;
            let client = client::connect(&address, &manner, &Patience::of_person(shell::tell_news));
            Some((client.map_err(Failure::from)?, address, manner))
        }
        None => None,
    };
    // From here on no signal ends the process and leaves a server behind.
    let runtime = bench::Runtime::new().context("os sinais do sistema não puderam ser ouvidos")?;
    let (mut client, address, manner, own) = match given {
        Some((client, address, manner)) => (client, address, manner, None),
        None => {
            let own = OwnServer::start()?;
            let manner = Manner { protocol, ..Manner::default() };
            let client = client::connect(&own.address, &manner, &Patience::of_program());
            let mut client = client.map_err(Failure::from)?;
            let rows = price_list::read(BENCH_LIST).context("a lista da medida não foi lida")?.rows;
            let list = ImportRequest { rows, bad_rows: Vec::new(), is_dry_run: false, request_id: None };
            client.call(&Request::Import(list))?;
            (client, own.address.clone(), manner, Some(own))
        }
    };
    let options = bench::Options {
        address,
        manner,
        process: own.as_ref().map(|own| own.process.id()),
        connections: options.connections as usize,
        pipeline: options.pipeline as usize,
        duration: Duration::from_secs(options.duration),
        rate: options.rate.map(f64::from),
        mix,
        json: options.json,
        html: options.html,
    };
    bench::run(&mut *client, &options, runtime).map_err(|error| match error.downcast::<Failure>() {
        Ok(failure) => failure.into(),
        Err(error) => error.into(),
    })
}

/// A server of the bench's own, in a process of its own and on a database that goes with it.
struct OwnServer {
    process: Child,
    address: String,
    folder: PathBuf,
}

impl OwnServer {
    fn start() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("hortifruti-bench-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder)
            .with_context(|| format!("não foi possível criar {}", folder.display()))?;
        let port_file = folder.join("server_port.txt");
        let process = std::process::Command::new(std::env::current_exe()?)
            .args(["serve", "--quiet", "--empty", "--port", "0", "--data"])
            .arg(folder.join("hortifruti.db"))
            .arg("--port-file")
            .arg(&port_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // A Ctrl-C ends the bench, and the bench its server.
            .process_group(0)
            .spawn()
            .context("o servidor da medida não começou")?;
        let mut own = Self { process, address: String::new(), folder };
        let give_up = Instant::now() + OWN_SERVER_WAIT;
        while own.address.is_empty() {
            if let Ok(place) = port_file::read(&port_file) {
                own.address = place.to_string();
            } else if Instant::now() > give_up || own.process.try_wait()?.is_some() {
                bail!("o servidor da medida não começou");
            } else {
                std::thread::sleep(OWN_SERVER_LOOK);
            }
        }
        Ok(own)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Its data is thrown away, so it need not stop cleanly.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn print(reply: &Reply, format: cli::Format) -> Result<(), Error> {
    written(rendered(reply, format))
}

/// Prints the answer to a change. Who cannot read it must know that the change was made.
fn print_made(reply: &Reply, format: cli::Format) -> Result<(), Error> {
    written_or(
        rendered(reply, format),
        "a mudança foi feita, não a repita: só a resposta não pôde ser escrita",
    )
}

fn rendered(reply: &Reply, format: cli::Format) -> io::Result<()> {
    let format = match format {
        cli::Format::Text => Format::Text,
        cli::Format::Table => Format::Table,
        cli::Format::Json => Format::Json,
        cli::Format::Csv => Format::Csv,
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    render(&mut out, reply, format).and_then(|()| out.flush())
}

fn written(result: io::Result<()>) -> Result<(), Error> {
    written_or(result, "a saída não pôde ser escrita")
}

/// Who closed our output, as `head` does, wants no more: no failure.
fn written_or(result: io::Result<()>, failure: &'static str) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.context(failure)?),
    }
}

/// Tells something beside the data. Standard error may be closed; then nobody wants it.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// What starting a server with these options says, if it is refused for the network.
    fn refused(options: &str) -> Option<String> {
        let line = format!("hortifruti serve {options}");
        let Command::Serve(options) = Cli::try_parse_from(line.split_whitespace()).unwrap().command else {
            panic!("{line}");
        };
        refuse_open_network(&options).err().map(|error| error.to_string())
    }

    #[test]
    fn an_open_address_needs_tls_and_tokens() {
        let tls = "--tls-cert a --tls-key b";
        for options in [
            "".to_owned(),
            "--host ::1".to_owned(),
            "--host ::ffff:127.0.0.1".to_owned(),
            "--host 0.0.0.0 --insecure".to_owned(),
            format!("--host 0.0.0.0 --token-file c {tls}"),
        ] {
            assert_eq!(refused(&options), None, "{options}");
        }
        for (options, tls_missing, tokens_missing) in [
            ("--host 0.0.0.0".to_owned(), true, true),
            ("--host ::".to_owned(), true, true),
            ("--host 192.0.2.1 --token-file c".to_owned(), true, false),
            (format!("--host 0.0.0.0 {tls}"), false, true),
            (format!("--host 0.0.0.0 --tls-client-ca d {tls}"), false, true),
        ] {
            let said = refused(&options).unwrap();
            assert_eq!(said.contains("--tls-cert e --tls-key"), tls_missing, "{options}: {said}");
            assert_eq!(said.contains("--token-file"), tokens_missing, "{options}: {said}");
            assert!(said.contains("O servidor não foi iniciado") && said.contains("--insecure"));
        }
    }
}
