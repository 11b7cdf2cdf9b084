//! `serve`: the options of a server, and the server that is built from them.

mod reload;
mod scale_dir;
mod signals;

use std::io::{self, IsTerminal};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use socket2::{Domain, Socket, Type};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::reload::Reloadable;
use self::scale_dir::ScaleDir;
use super::Error;
use super::connection::PortFile;
use super::database::{self, DATA_DEFAULT, IN_MEMORY};
use super::output::note;
use crate::catalog::{LabelMasks, MaskError, original_products};
use crate::inventory::Inventory;
use crate::invoice;
use crate::io_error::describe;
use crate::local_time::unknown_zone;
use crate::platform::{log, service, sockets, stop};
use crate::port_file::{self, Place};
use crate::server::console::Console;
use crate::server::{self, Limits, Protocols};
use crate::store::{is_url, sqlite};
use crate::tls::ServerFiles;
use crate::tls::issue::is_self_signed;

/// The default port, which is the original's.
const PORT_DEFAULT: u16 = 8082;

/// The log filter if `RUST_LOG` is not set. h2 logs a warning for each attack on a limit, with which a
/// stranger could fill the disk.
const LOGGED: &str = "warn,h2=error";

/// Guarda o estoque e atende clientes: navegadores, texto e gRPC
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti serve\n  hortifruti serve --data loja.db --port 9000\n  hortifruti serve --host 0.0.0.0 --tls-cert loja.pem --tls-key loja.key --token-file tokens.txt\n\nAmbiente:\n  RUST_LOG               o que o registro mostra, como info ou debug; o padrão é warn"
)]
pub(super) struct Serve {
    /// Atende o protocolo de texto. O padrão é atender os três
    #[arg(long)]
    socket: bool,
    /// Atende gRPC. O padrão é atender os três
    #[arg(long)]
    grpc: bool,
    /// Atende HTTP: o painel no navegador e programas. O padrão é atender os três
    #[arg(long)]
    http: bool,
    /// Nome pelo qual navegadores acham este servidor, além dos da máquina; pode repetir
    #[arg(long, value_name = "NOME", value_parser = server::public_name)]
    public_name: Vec<String>,
    /// Porta; 0 escolhe uma livre. O padrão é 8082, ou uma livre com --grpc sozinho
    #[arg(long, value_name = "PORTA")]
    port: Option<u16>,
    /// Endereço em que escuta. O padrão é 127.0.0.1
    #[arg(long, value_name = "ENDERECO", default_value = "127.0.0.1", hide_default_value = true)]
    host: IpAddr,
    /// Aceita um endereço aberto à rede sem TLS ou sem tokens
    #[arg(long)]
    insecure: bool,
    /// Certificado do servidor, em PEM; com ele, atende só por TLS. Relido com SIGHUP
    #[arg(long, value_name = "ARQUIVO", requires = "tls_key", value_hint = clap::ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,
    /// Chave privada do certificado, em PEM e sem senha
    #[arg(long, value_name = "ARQUIVO", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
    /// Só atende clientes com um certificado desta autoridade
    #[arg(long, value_name = "ARQUIVO", requires = "tls_cert", value_hint = clap::ValueHint::FilePath)]
    tls_client_ca: Option<PathBuf>,
    /// Só atende clientes com um token deste arquivo (veja `hortifruti token`). Relido com SIGHUP
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// Banco de dados; `:memory:` não guarda nada. O padrão é hortifruti.db
    #[arg(
        long,
        value_name = "ARQUIVO",
        default_value = DATA_DEFAULT,
        hide_default_value = true,
        value_hint = clap::ValueHint::FilePath
    )]
    data: PathBuf,
    /// Lê etiquetas de balança por esta máscara, como 2CCCCCCPPPPPD (C código, P gramas, T centavos, D
    /// verificador); várias, se os dígitos fixos as distinguem
    #[arg(long, value_name = "MASCARA", env = "HORTIFRUTI_LABEL", hide_env = true, value_delimiter = ',')]
    label: Vec<String>,
    #[command(flatten)]
    scale_dir: ScaleDir,
    /// CNPJ da loja: o painel recusa a nota de outra
    #[arg(long, value_name = "CNPJ", env = "HORTIFRUTI_CNPJ", hide_env = true, value_parser = registration)]
    cnpj: Option<String>,
    /// Começa um banco de dados novo sem os quatro produtos de exemplo
    #[arg(long)]
    empty: bool,
    #[command(flatten)]
    port_file: PortFile,
    /// Threads que atendem as conexões. O padrão é um por núcleo do processador, menos um
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(server::WORKERS_MAX)))]
    workers: Option<u16>,
    /// Para depois de N conexões
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    exit_after: Option<u64>,
    /// Ao parar, espera no máximo estes segundos pelos clientes. O padrão é 10
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 10, hide_default_value = true, value_parser = clap::value_parser!(u64).range(..=3600))]
    drain_seconds: u64,
    /// Máximo de conexões ao mesmo tempo. O padrão é 16384
    #[arg(long, value_name = "N", default_value_t = 16_384, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Máximo de conexões de um só endereço. O padrão é 1024; desta máquina, sem limite
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections_per_address: Option<u32>,
    /// Encerra uma conexão parada há estes segundos; 0, nunca. O padrão é 43200 (12 horas)
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 43_200, hide_default_value = true, value_parser = clap::value_parser!(u64).range(..=31_536_000))]
    idle_seconds: u64,
    /// Não mostra conexões e comandos
    #[arg(short, long)]
    quiet: bool,
    /// Para o gerenciador de serviços do Windows; `service install` põe esta opção
    #[arg(long, value_name = "PASTA", hide = true)]
    service: Option<PathBuf>,
}

/// The note at the start of a shop that has nothing but its examples, for a person at a terminal. The note goes to
/// standard error, so that the console on standard output stays the original's, and a log has no such lines.
const EXAMPLES_NOTE: &str = "A loja tem só os produtos de exemplo. Para tirá-los: hortifruti product clear-examples\n\
                             (para começar sem eles: hortifruti serve --empty, numa pasta nova)";

/// Reads the registration of the shop, whose invoices are booked.
fn registration(text: &str) -> Result<String, &'static str> {
    match invoice::is_registration(text) {
        true => Ok(text.to_owned()),
        false => Err("um CNPJ tem 14 letras e algarismos, como 12.345.678/0001-95"),
    }
}

impl Serve {
    /// The protocols that are served: those of the options, or else all that this build has.
    fn protocols(&self) -> anyhow::Result<Protocols> {
        if self.http && !cfg!(feature = "http") {
            bail!(
                "este programa foi compilado sem HTTP e sem o painel. O servidor não foi iniciado; use um que os \
                 tenha, ou inicie sem --http"
            );
        }
        Ok(match (self.socket, self.grpc, self.http) {
            (false, false, false) => Protocols { socket: true, grpc: true, http: cfg!(feature = "http") },
            (socket, grpc, http) => Protocols { socket, grpc, http },
        })
    }

    /// The files of TLS, if the server speaks TLS. The command line accepts a certificate only with its key.
    fn tls_files(&self) -> Option<ServerFiles> {
        Some(ServerFiles {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
            client_authority: self.tls_client_ca.clone(),
        })
    }

    /// The address at which clients on other machines find this server: its first public name, or the address that it
    /// listens on.
    fn own_address(&self, address: SocketAddr) -> String {
        match self.public_name.first() {
            Some(name) => format!("{name}:{}", address.port()),
            None => address.to_string(),
        }
    }

    /// Says if clients will accept the certificate only as it is. A file that cannot be read has been reported before.
    fn note_self_signed(&self) {
        if let Some(file) = self.tls_cert.as_deref().filter(|file| matches!(is_self_signed(file), Ok(true))) {
            note(&format!(
                "O certificado {0} não é assinado por uma autoridade, e sim por ele mesmo: um cliente o aceita com \
                 uma cópia exata dele (--tls-ca {0}), e um navegador avisa.\n\
                 Para uma autoridade e um certificado assinado por ela: hortifruti tls new",
                file.display()
            ));
        }
    }

    pub(super) fn run(self) -> Result<(), Error> {
        let masks = label_masks(&self.label)
            .map_err(|error| Error::Usage(format!("{error}. O servidor não foi iniciado")))?;
        let Some(folder) = self.service.clone() else { return Ok(self.serve(masks)?) };
        let served = service::run(&folder, move || self.serve(masks));
        Ok(served
            .context("quem usa esta opção é o gerenciador de serviços. O servidor não foi iniciado")??)
    }

    fn serve(&self, masks: LabelMasks) -> anyhow::Result<()> {
        let (levels, unread) = logged();
        tracing_subscriber::fmt()
            // The targets below decide.
            .with_max_level(LevelFilter::TRACE)
            .with_writer(log::writer(self.service.is_some()))
            // If standard error is full or closed, the subscriber would report that on standard error, and
            // panic.
            .log_internal_errors(false)
            .finish()
            .with(levels)
            .init();
        if let Some(text) = unread {
            tracing::warn!(
                "RUST_LOG={text:?} não diz níveis, como info ou warn,hortifruti::store=debug. O registro mostra o que \
                 mostra sem ele"
            );
        }
        if let Some(error) = unknown_zone() {
            tracing::warn!("{error}. O servidor conta os dias em UTC");
        }
        let protocols = self.protocols()?;
        refuse_open_network(self)?;
        let reloadable = Reloadable::read(self.tls_files(), self.token_file.clone())?;
        // The port is bound before anything is written, because a second server on the same port must change
        // nothing.
        let listener = bind(self.host, self.port, protocols)?;
        let address = listener.local_addr().context("a porta não pôde ser lida")?;
        let port = address.port();
        refuse_one_name_for_two(self)?;
        refuse_no_address(self)?;
        self.scale_dir.check()?;
        let port_file = port_file::prepare(&self.port_file.port_file, address)?;
        let store = database::open(&self.data, port, &self.own_address(address))?;
        let opening = if self.empty { Vec::new() } else { original_products() };
        let (inventory, committer) = Inventory::open(store, &opening)?;
        let inventory = inventory.reading_labels(masks);
        let is_read = !self.quiet && io::stderr().is_terminal() && self.data != Path::new(IN_MEMORY);
        if is_read && inventory.has_only_examples() {
            note(EXAMPLES_NOTE);
        }

        self.note_self_signed();
        let console = if self.quiet || self.service.is_some() { Console::quiet() } else { Console::stdout() };
        let (tls, tokens) = (reloadable.tls(), reloadable.tokens());
        let stop =
            signals::listen(reloadable, &console).context("não foi possível receber os sinais do sistema")?;
        if let Err(error) = stop::accept(port) {
            tracing::warn!(%error, "hortifruti stop does not reach this server");
        }
        let scales = self.scale_dir.keep(&inventory)?;
        let published = port_file.publish().context("o servidor não foi iniciado")?;
        // The line is the original's, unless `localhost` would not reach the server.
        let is_local = self.host.is_loopback() && matches!(Place::of(address), Place::Local(_));
        let host = if is_local { "localhost".to_owned() } else { self.host.to_string() };
        console.line(&format!("Iniciando comunicacao com {host} na porta {port}"));
        log::note(&format!(
            "O servidor atende em {host}, porta {port}. Banco de dados: {}",
            self.data.display()
        ));
        let server_options = server::Options {
            protocols,
            workers: self.workers.map_or_else(server::workers_default, usize::from),
            exit_after: self.exit_after,
            drain: Duration::from_secs(self.drain_seconds),
            limits: limits(self),
            tls,
            public_names: self.public_name.clone(),
            registration: self.cnpj.clone(),
            tokens,
        };
        let served = server::serve(listener, inventory, &console, &server_options, async {
            stop.await.unwrap_or_default()
        });
        if let Some(scales) = scales {
            scales.stop();
        }
        // Every connection has ended; their last changes are still made durable.
        let closed = committer.join();
        published.remove();
        if served.context("o servidor não pôde atender")? {
            console.line("Numero max de conexoes atingidas.");
        }
        console.flush();
        log::note("O servidor parou.");
        closed.context("o servidor parou, mas as últimas mudanças não estão no banco de dados")
    }
}

/// The levels of the log, from `RUST_LOG`, for all modules or for some, as in `info,hortifruti::store=debug`. If it has
/// no levels that can be read, those without it, and its text.
fn logged() -> (Targets, Option<String>) {
    let given = std::env::var_os("RUST_LOG").unwrap_or_default().to_string_lossy().into_owned();
    let wanted = match given.trim() {
        "" => LOGGED,
        given => given,
    };
    // `Targets` takes any word for a module: a misspelt level would show nothing.
    let is_known = |word: &str| {
        word.contains('=') || word.starts_with(env!("CARGO_PKG_NAME")) || word.parse::<LevelFilter>().is_ok()
    };
    match wanted.parse() {
        Ok(levels) if wanted.split(',').all(is_known) => (levels, None),
        _ => (LOGGED.parse().unwrap_or_default(), Some(given)),
    }
}

/// The masks of labels. An empty text, as of an empty variable, is none.
fn label_masks(texts: &[String]) -> Result<LabelMasks, MaskError> {
    let masks = texts.iter().filter(|text| !text.is_empty()).map(|text| text.parse());
    LabelMasks::new(masks.collect::<Result<_, _>>()?)
}

/// Refuses a port file with the name of one of the database's files. Names are compared because neither file
/// need exist yet.
fn refuse_one_name_for_two(options: &Serve) -> anyhow::Result<()> {
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

/// Refuses a server of several that others could not name: clients are sent to the one that writes.
fn refuse_no_address(options: &Serve) -> anyhow::Result<()> {
    let is_shared = options.data.to_str().is_some_and(is_url);
    if is_shared && options.host.is_unspecified() && options.public_name.is_empty() {
        bail!(
            "os outros servidores da loja precisam saber onde este atende, e {} não é um endereço que clientes achem. \
             O servidor não foi iniciado; diga o nome desta máquina com --public-name, ou o endereço com --host",
            options.host
        );
    }
    Ok(())
}

/// Refuses an address that other machines reach without TLS or without tokens, unless `--insecure` is
/// given.
fn refuse_open_network(options: &Serve) -> anyhow::Result<()> {
    let missing: Vec<&str> = [
        (options.tls_cert.is_none(), "--tls-cert e --tls-key (os dados iriam sem criptografia)"),
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
    let default = if protocols.socket || protocols.http { PORT_DEFAULT } else { 0 };
    let address = SocketAddr::new(host, port.unwrap_or(default));
    listen(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "a porta {} já está em uso. O servidor não foi iniciado; \
             use --port 0 para uma porta livre, ou pare quem a usa",
            address.port()
        ),
        _ => anyhow::anyhow!(
            "não foi possível escutar em {address}: {}. O servidor não foi iniciado; confira --host e --port",
            describe(&error)
        ),
    })
}

/// Listens like `TcpListener::bind`, but with a longer queue of connections that are not accepted yet.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // Serves IPv4 too, whatever the system's default is. A machine without IPv4 refuses that.
        let _ = socket.set_only_v6(false);
    }
    sockets::bind(&socket, address)?;
    socket.listen(server::BACKLOG.into())?;
    Ok(socket.into())
}

/// The limits on the number and the silence of clients.
fn limits(options: &Serve) -> Limits {
    Limits {
        connections: options.max_connections as usize,
        connections_per_address: options.max_connections_per_address.map(|count| count as usize),
        idle: Some(Duration::from_secs(options.idle_seconds)).filter(|idle| !idle.is_zero()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::commands::{Cli, Command};

    /// The message if a server with these options is refused because of its address.
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
