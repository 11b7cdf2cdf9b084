//! The options by which a subcommand finds its server and speaks to it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::Error;
use super::output::note;
use crate::access::token_file;
use crate::access::{SECRET_VARIABLE, Secret};
use crate::client::{Client, ConnectOptions, Discovery, Patience};
use crate::platform::advice;
use crate::port_file;
use crate::shell;
use crate::tls::{self, ClientFiles};
use crate::wire::Protocol;

/// The environment variable that names the file with a client's secret.
pub(super) const SECRET_FILE_VARIABLE: &str = "HORTIFRUTI_TOKEN_FILE";

/// The name of the port file if no other is given.
const PORT_FILE_DEFAULT: &str = "server_port.txt";

#[derive(Debug, Clone, Args)]
pub(super) struct PortFile {
    /// Arquivo com a porta do servidor. O padrão é server_port.txt
    #[arg(
        long,
        value_name = "ARQUIVO",
        env = "HORTIFRUTI_PORT_FILE",
        hide_env = true,
        default_value = PORT_FILE_DEFAULT,
        hide_default_value = true,
        value_hint = clap::ValueHint::FilePath
    )]
    pub(super) port_file: PathBuf,
}

impl PortFile {
    /// The port file by which a client finds its server. If none is given, the one of the current folder comes before
    /// the one of the machine's service.
    pub(super) fn of_client(&self) -> PathBuf {
        match self.port_file == Path::new(PORT_FILE_DEFAULT) {
            true => port_file::found_or(&self.port_file, &port_file::of_service()),
            false => self.port_file.clone(),
        }
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Conexão")]
pub(super) struct Connection {
    /// Servidor; com vírgulas, os vários de uma loja. O padrão é o do arquivo de porta
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

// The options by which a client and a server authenticate each other. A doc comment would become a help text
// of clap.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Conexão")]
pub(super) struct Credentials {
    /// Conecta por TLS; --tls-ca e --tls-cert também o pedem
    #[arg(long, env = "HORTIFRUTI_TLS", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub(super) tls: bool,
    /// Autoridade do certificado do servidor, ou ele mesmo, em PEM. O padrão são as autoridades deste sistema
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CA", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_ca: Option<PathBuf>,
    /// Certificado deste cliente, em PEM, se o servidor pede um
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_CERT", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_cert: Option<PathBuf>,
    /// Chave privada do certificado deste cliente
    #[arg(long, value_name = "ARQUIVO", env = "HORTIFRUTI_TLS_KEY", hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) tls_key: Option<PathBuf>,
    /// Arquivo com o token deste cliente
    #[arg(long, value_name = "ARQUIVO", env = SECRET_FILE_VARIABLE, hide_env = true, value_hint = clap::ValueHint::FilePath)]
    pub(super) token_file: Option<PathBuf>,
    /// Envia o token a outra máquina também sem TLS
    #[arg(long)]
    pub(super) insecure: bool,
}

/// The options of the connection: protocol, TLS and token.
pub(super) fn connect_options(
    protocol: Option<Protocol>,
    credentials: &Credentials,
) -> Result<ConnectOptions, Error> {
    let Credentials { tls, tls_ca, tls_cert, tls_key, token_file, insecure } = credentials;
    let files = ClientFiles {
        identity: match (tls_cert.clone(), tls_key.clone()) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (certificate, _) => {
                let missing = if certificate.is_some() { "--tls-key" } else { "--tls-cert" };
                return Err(Error::Usage(format!(
                    "falta {missing}: o certificado e a chave só valem juntos. Nada foi enviado"
                )));
            }
        },
        authority: tls_ca.clone(),
    };
    let is_wanted = *tls || files.authority.is_some() || files.identity.is_some();
    let tls = is_wanted.then(|| tls::client(&files)).transpose();
    let tls = tls.map_err(|error| anyhow::anyhow!("{error}. Nada foi enviado"))?;
    let token = match token_file {
        Some(file) => Some(read_secret(file)?),
        None => secret_of_environment()?,
    };
    Ok(ConnectOptions { protocol, tls, token, is_insecure: *insecure })
}

/// Reads the secret of a token file. If others can read the file, a note says so, but the secret is used,
/// because the mode of a file that is mounted into a container is not the user's choice.
fn read_secret(file: &Path) -> anyhow::Result<Secret> {
    let (secret, is_private) =
        token_file::read_secret(file).map_err(|error| anyhow::anyhow!("{error}. Nada foi enviado"))?;
    if !is_private {
        note(&format!(
            "Aviso: outros usuários desta máquina têm acesso ao token em {}. Ele foi usado assim mesmo; {}",
            file.display(),
            advice::make_private(file)
        ));
    }
    Ok(secret)
}

/// Reads the secret from its environment variable. An empty variable means no secret.
fn secret_of_environment() -> anyhow::Result<Option<Secret>> {
    let Some(text) = env::var_os(SECRET_VARIABLE).filter(|text| !text.is_empty()) else { return Ok(None) };
    let secret = text.to_str().and_then(|text| Secret::parse(text.trim()));
    // The error does not show the text, which may be a mistyped secret.
    secret.map(Some).with_context(|| {
        format!(
            "{SECRET_VARIABLE} não contém um segredo, como `hortifruti token new` o mostra. Nada foi enviado"
        )
    })
}

/// A client in the foreground, which reports to the person who waits.
pub(super) fn connect(connection: &Connection) -> Result<Client, Error> {
    let (discovery, options) = target(connection)?;
    Ok(Client::connect(discovery, options, Patience::of_person(shell::report_news))?)
}

/// The server that the options name, and the options of the connection.
pub(super) fn target(connection: &Connection) -> Result<(Discovery, ConnectOptions), Error> {
    let port_file = connection.port_file.of_client();
    let discovery = Discovery::new(connection.server.clone(), port_file);
    let discovery = discovery.map_err(|error| Error::Usage(error.to_string()))?;
    let protocol = match (connection.socket, connection.grpc) {
        (true, _) => Some(Protocol::Text),
        (false, true) => Some(Protocol::Http2),
        (false, false) => None,
    };
    Ok((discovery, connect_options(protocol, &connection.credentials)?))
}
