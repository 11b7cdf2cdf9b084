//! `tls`: makes the certificates of a shop.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Error;
use super::output::{note, written_or};
use crate::catalog::Quoted;
use crate::io_error::describe;
use crate::private_file::{self, AtomicFile, NameState};
use crate::server;
use crate::tls::FileError;
use crate::tls::issue::{self, Authority, Issued};

/// The files of the authority and of the server, without their suffixes.
const AUTHORITY: &str = "ca";
const SERVER: &str = "servidor";

/// The error if the list of what was made could not be printed.
const MADE: &str = "os arquivos foram criados: só a lista deles não pôde ser escrita";

/// The names of every machine for itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The beginning of every PEM file: a file without it is not replaced, unless it is empty.
const PEM: &[u8] = b"-----BEGIN ";

/// The rules of names.
const HOST_NAME: &str = "indique só o nome ou o endereço do servidor, como loja.local ou 192.168.0.10";
const CLIENT_NAME: &str =
    "o nome de um cliente tem até 64 letras sem acento, algarismos, - ou _, como balcao-2";

/// The longest name of a client, in characters: the longest common name of a certificate (RFC 5280, A.1).
const CLIENT_CHARS_MAX: usize = 64;

/// Cria certificados de TLS: uma autoridade da loja, e os do servidor e de clientes
#[derive(Debug, Args)]
pub(super) struct Tls {
    #[command(subcommand)]
    command: TlsCommand,
}

#[derive(Debug, Subcommand)]
enum TlsCommand {
    /// Cria uma autoridade, e um certificado para o servidor assinado por ela
    New(TlsNew),
    /// Cria o certificado de um cliente, para um servidor com --tls-client-ca
    Client(TlsClient),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti tls new\n  hortifruti tls new loja.local 192.168.0.10 --folder tls\n  hortifruti tls new loja.local --renew"
)]
struct TlsNew {
    /// Nomes e endereços pelos quais clientes chamam o servidor, além dos desta máquina. Com --renew, o padrão é os do
    /// certificado de antes
    #[arg(value_name = "NOME")]
    names: Vec<String>,
    /// Pasta dos arquivos, criada se não existe. O padrão é a atual
    #[arg(long, value_name = "PASTA", default_value = ".", hide_default_value = true, value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Só faz outro certificado para o servidor, com a autoridade que já está na pasta
    #[arg(long)]
    renew: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti tls client balcao")]
struct TlsClient {
    /// Nome do cliente, que os arquivos dele também têm
    #[arg(value_name = "NOME")]
    name: String,
    /// Pasta da autoridade e dos arquivos. O padrão é a atual
    #[arg(long, value_name = "PASTA", default_value = ".", hide_default_value = true, value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Tls {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            TlsCommand::New(new) => {
                new.names.iter().try_for_each(|name| checked(name, issue::is_host_name(name), HOST_NAME))?;
                new.run()
            }
            TlsCommand::Client(client) => {
                checked(&client.name, is_client_name(&client.name), CLIENT_NAME)?;
                client.run()
            }
        }
    }
}

impl TlsNew {
    fn run(self) -> Result<(), Error> {
        let (ours, server) = (Pair::at(&self.folder, AUTHORITY), Pair::at(&self.folder, SERVER));
        let before = if self.renew { names_before(&server.certificate)? } else { Ok(Vec::new()) };
        let (before, unread) = before.map_or_else(|error| (Vec::new(), Some(error)), |names| (names, None));
        let names = server_names(if self.names.is_empty() { &before } else { &self.names });
        let mut text = String::new();
        let (authority, issued) = if self.renew {
            let authority = Authority::read(&ours.certificate, &ours.key).map_err(nothing_made)?;
            let issued = authority.server(&names).map_err(nothing_made)?;
            server.write_over(&issued)?;
            (authority, issued)
        } else {
            let (authority, own) = Authority::generate().map_err(nothing_made)?;
            let issued = authority.server(&names).map_err(nothing_made)?;
            fs::create_dir_all(&self.folder).map_err(|error| not_written(&self.folder, &error))?;
            let advice = "indique outra pasta com --folder, ou, para outro certificado do servidor da mesma autoridade, \
                          use `hortifruti tls new --renew`";
            write_new(&[(&ours, &own), (&server, &issued)], advice)?;
            text += &format!(
                "Autoridade: {}, até {}. A chave dela é {}: guarde-a fora do servidor.\n",
                ours.certificate.display(),
                own.last_day,
                ours.key.display()
            );
            (authority, issued)
        };
        let host = names.first().map_or("localhost", String::as_str);
        text += &format!(
            "Servidor: {}, até {}, para {}.\n\
             Impressão digital (SHA-256) da autoridade: {}\n\
             No servidor:\n  hortifruti serve --tls-cert {} --tls-key {}\n\
             Nos clientes, com uma cópia de {}:\n  hortifruti shell --server {}:8082 --tls-ca {}\n",
            server.certificate.display(),
            issued.last_day,
            names.join(", "),
            authority.fingerprint(),
            server.certificate.display(),
            server.key.display(),
            ours.certificate.display(),
            if host.contains(':') { format!("[{host}]") } else { host.to_owned() },
            ours.certificate.display(),
        );
        let gone: Vec<&str> =
            before.iter().filter(|name| !names.contains(name)).map(String::as_str).collect();
        if !gone.is_empty() {
            text += &format!(
                "Saíram do certificado: {}. Clientes que chamam o servidor assim não o aceitam mais.\n",
                gone.join(", ")
            );
        }
        if self.renew {
            text += "Um servidor que já roda relê o certificado com SIGHUP.\n";
        }
        if let Some(error) = unread {
            note(&format!(
                "Aviso: o certificado de antes foi trocado, mas não se sabe que nomes tinha: {error}. Se falta algum, \
                 repita com os nomes"
            ));
        }
        written_or(io::stdout().write_all(text.as_bytes()), MADE)
    }
}

impl TlsClient {
    fn run(self) -> Result<(), Error> {
        let (ours, client) = (Pair::at(&self.folder, AUTHORITY), Pair::at(&self.folder, &self.name));
        let authority = Authority::read(&ours.certificate, &ours.key).map_err(nothing_made)?;
        let issued = authority.client(&self.name).map_err(nothing_made)?;
        write_new(
            &[(&client, &issued)],
            "dê outro nome ao cliente, ou tire antes os arquivos deste da pasta",
        )?;
        let (ca, server) = (ours.certificate.display(), Pair::at(&self.folder, SERVER));
        let text = format!(
            "Cliente: {}, até {}. A chave dele é {}: só ele deve tê-la.\n\
             No servidor:\n  hortifruti serve --tls-cert {} --tls-key {} --tls-client-ca {ca}\n\
             No cliente:\n  hortifruti shell --server HOST:8082 --tls-ca {ca} --tls-cert {} --tls-key {}\n",
            client.certificate.display(),
            issued.last_day,
            client.key.display(),
            server.certificate.display(),
            server.key.display(),
            client.certificate.display(),
            client.key.display(),
        );
        written_or(io::stdout().write_all(text.as_bytes()), MADE)
    }
}

/// The files of a certificate and its key.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn at(folder: &Path, name: &str) -> Self {
        // A name in the current folder is shown without `./`.
        let folder = if folder == Path::new(".") { Path::new("") } else { folder };
        Self { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) }
    }

    /// The files and their contents, the key first: a server that is started in between finds the older pair, or none.
    fn contents<'a>(&'a self, issued: &'a Issued) -> [(&'a Path, &'a str); 2] {
        [(&self.key, &issued.key), (&self.certificate, &issued.certificate)]
    }

    /// Puts a certificate and its key in the place of others.
    fn write_over(&self, issued: &Issued) -> anyhow::Result<()> {
        let contents = self.contents(issued);
        // Both names are looked at first, because a certificate without its key serves nobody.
        for (path, _) in contents {
            NameState::replaces(path, is_replaced).map_err(|error| not_written(path, &error))?;
        }
        for (path, file) in begun(&contents)? {
            file.finish_over(is_replaced).map_err(|error| not_written(path, &error))?;
        }
        Ok(())
    }
}

/// Writes certificates and keys of names that are free: all of them, or none. If one is taken, the error has this
/// advice.
fn write_new(pairs: &[(&Pair, &Issued)], advice: &str) -> anyhow::Result<()> {
    let contents: Vec<_> = pairs.iter().flat_map(|(pair, issued)| pair.contents(issued)).collect();
    if let Some((path, _)) = contents.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(taken(path, advice));
    }
    let mut named = Vec::new();
    for (path, file) in begun(&contents)? {
        if let Err(error) = file.finish(false) {
            for path in named {
                // A file that stays is named by the next try.
                let _ = private_file::remove(path);
            }
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => taken(path, advice),
                _ => not_written(path, &error),
            });
        }
        named.push(path);
    }
    Ok(())
}

/// Complete files that have no name yet.
fn begun<'a>(contents: &[(&'a Path, &str)]) -> anyhow::Result<Vec<(&'a Path, AtomicFile)>> {
    let begin = |(path, content): &(&'a Path, &str)| {
        let made = AtomicFile::begin(path).and_then(|made| {
            made.file().write_all(content.as_bytes())?;
            Ok(made)
        });
        made.map(|made| (*path, made)).map_err(|error| not_written(path, &error))
    };
    contents.iter().map(begin).collect()
}

/// The names of the certificate that a renewal replaces; none if there is no such file. The inner error is of a spoilt
/// certificate, which a renewal mends.
fn names_before(certificate: &Path) -> anyhow::Result<Result<Vec<String>, FileError>> {
    if certificate.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(Ok(Vec::new()));
    }
    match issue::server_names(certificate) {
        Err(error) if !matches!(NameState::at(certificate, is_replaced), Ok(NameState::Ours)) => {
            Err(nothing_made(error))
        }
        names => Ok(names),
    }
}

/// Whether a renewal replaces a file that begins so.
fn is_replaced(head: &[u8]) -> bool {
    head.is_empty() || head.starts_with(PEM)
}

/// The names in a server's certificate: those that are given, and those of this machine.
fn server_names(given: &[String]) -> Vec<String> {
    let own = server::machine_names().into_iter().filter(|name| issue::is_host_name(name));
    let mut names = Vec::new();
    for name in given.iter().cloned().chain(own).chain(LOCAL.map(str::to_owned)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether a text is the name of a client, which is a file's name too.
fn is_client_name(text: &str) -> bool {
    let is_fit = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let is_of_length = (1..=CLIENT_CHARS_MAX).contains(&text.len());
    is_of_length && text.chars().all(is_fit) && !text.starts_with(['.', '-'])
}

fn checked(name: &str, is_fit: bool, rule: &str) -> Result<(), Error> {
    match is_fit {
        true => Ok(()),
        false => Err(Error::Usage(format!("{} não serve: {rule}. Nada foi criado", Quoted(name)))),
    }
}

fn taken(path: &Path, advice: &str) -> anyhow::Error {
    anyhow::anyhow!("{} já existe. Nada foi criado; {advice}", path.display())
}

fn not_written(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("não foi possível escrever {}: {}. Nada foi criado", path.display(), describe(error))
}

fn nothing_made(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{error}. Nada foi criado")
}
