//! How a subcommand finds its server and speaks to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Error;
use super::output::note;
use crate::access::Secret;
use crate::access::token_file;
use crate::catalog::Quoted;
use crate::client::{self, Broken, Connector, Manner, Patience, Reconnecting};
use crate::io_error::describe;
use crate::port_file;
use crate::shell;
use crate::tls::{self, ClientFiles};
use crate::wire::Protocol;

#[derive(Debug, Args)]
pub(super) struct PortFile {
    /// Arquivo com a porta do servidor. O padrão é server_port.txt
    #[arg(
        long,
        value_name = "ARQUIVO",
        env = "HORTIFRUTI_PORT_FILE",
        hide_env = true,
        default_value = "server_port.txt",
        hide_default_value = true,
        value_hint = clap::ValueHint::FilePath
    )]
    pub(super) port_file: PathBuf,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Conexão")]
pub(super) struct Connection {
    /// Servidor. O padrão é o do arquivo de porta
    #[arg(long, value_name = "HOST:PORTA", env = "HORTIFRUTI_SERVER", hide_env = true)]
    pub(super) server: Option<String>,
    #[command(flatten)]
    pub(super) port_file: PortFile,
    /// Usa o protocolo de texto; sem --socket nem --grpc, usa o que o servidor fala
    #[arg(long, conflicts_with = "grpc")]
    pub(super) socket: bool,
    /// Usa gRPC; sem --socket nem --grpc, usa o que o servidor fala
    #[arg(long)]
    pub(super) grpc: bool,
    #[command(flatten)]
    pub(super) credentials: Credentials,
}

// How a client and a server know each other. No doc comment: clap would take it for a help text.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conexão")]
pub(super) struct Credentials {
    /// Conecta por TLS; --tls-ca e --tls-cert também o pedem
    #[arg(long, env = "HORTIFRUTI_TLS", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) tls: bool,
    /// Autoridade do certificado do servidor, em PEM. O padrão são as deste sistema
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CA", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_ca: Option<PathBuf>,
    /// Certificado deste cliente, em PEM, se o servidor pede um
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CERT", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_cert: Option<PathBuf>,
    /// Chave privada do certificado deste cliente
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_KEY", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_key: Option<PathBuf>,
    /// Arquivo com o token deste cliente
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TOKEN_FILE", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) token_file: Option<PathBuf>,
    /// Envia o token a outra máquina também sem TLS
    #[arg(long)]
    pub(super) insecure: bool,
}

/// Where the server is: as told, or as the port file says.
pub(super) fn find_server(connection: &Connection) -> Result<String, Broken> {
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
fn connector(connection: Connection, manner: Manner) -> Connector {
    Arc::new(move |patience| {
        let address = find_server(&connection)?;
        client::connect(&address, &manner, patience).map_err(|broken| match broken {
            Broken::Connect { error, .. } if connection.server.is_none() => Broken::NoServer(format!(
                "o arquivo de porta {} está obsoleto: nada responde em {address} ({}). \
                 Nada foi enviado; inicie um servidor com `hortifruti serve`",
                connection.port_file.port_file.display(),
                describe(&error)
            )),
            broken => broken,
        })
    })
}

/// How the server is to be spoken to.
pub(super) fn manner(protocol: Option<Protocol>, credentials: &Credentials) -> Result<Manner, Error> {
    let Credentials { tls, tls_ca, tls_cert, tls_key, token_file, insecure } = credentials;
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

pub(super) fn reconnecting(connection: Connection) -> Result<Reconnecting, Error> {
    foreground(given_connector(connection)?)
}

/// A client for the person who waits.
pub(super) fn foreground(connector: Connector) -> Result<Reconnecting, Error> {
    Ok(Reconnecting::connect(connector, Patience::of_person(shell::tell_news))?)
}

/// The connector that the options ask for.
pub(super) fn given_connector(connection: Connection) -> Result<Connector, Error> {
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
