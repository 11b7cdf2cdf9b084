//! The address of a shop in PostgreSQL: `postgres://user@host1,host2/database?shop=NAME`.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::local::{self, Host};
use super::password::Passwords;
use crate::catalog::Name;
use crate::store::StoreError;
use crate::tls::{self, ClientFiles};

/// The port of an engine if the address names none.
const PORT_DEFAULT: u16 = 5432;

/// The longest name of a shop, in bytes: a key of an index.
const SHOP_BYTES_MAX: usize = 64;

/// The address of a shop, cheap to clone.
#[derive(Clone)]
pub(super) struct Address(Arc<Parts>);

struct Parts {
    shown: String,
    shop: Name,
    config: Config,
    /// The engine's hosts, each with its port.
    hosts: Vec<(Host, u16)>,
    passwords: Passwords,
    /// The configuration of TLS; `None` if the connection is not encrypted.
    tls: Option<Arc<ClientConfig>>,
}

/// The parameters of an address that the library does not know.
#[derive(Default)]
struct Parameters {
    shop: Option<String>,
    sslmode: Option<String>,
    passfile: Option<PathBuf>,
    files: ClientFiles,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// If the address is no valid one, holds a password, or would send data unencrypted over a network.
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        let shown = without_password(text);
        let unfit = |reason: String| StoreError::Unfit { database: shown.clone(), reason };
        let (url, parameters) = split(text).map_err(unfit)?;
        let mut config: Config = url.parse().map_err(|_| {
            unfit("endereço inválido; um certo é como postgres://USUÁRIO@HOST:5432/BANCO?shop=LOJA".into())
        })?;
        if config.get_password().is_some() {
            return Err(unfit(
                "o endereço tem uma senha, que todos os usuários da máquina veriam na lista de processos; \
                 tire-a do endereço e use a variável PGPASSWORD ou um arquivo (passfile=ARQUIVO ou ~/.pgpass)"
                    .into(),
            ));
        }
        let shop = parameters.shop.unwrap_or_default();
        // Names of shops follow the rules of names of products, so that no two look the same.
        let named = Name::parse(&shop).ok().filter(|name| name.as_str().len() <= SHOP_BYTES_MAX);
        let Some(shop) = named else {
            let fault = if shop.is_empty() { "falta o nome da loja" } else { "o nome da loja não serve" };
            return Err(unfit(format!(
                "{fault}, que tem de 1 a {SHOP_BYTES_MAX} bytes, como em ?shop=NOME no fim do endereço"
            )));
        };
        let hosts = hosts(&config).map_err(unfit)?;
        let Parameters { sslmode, passfile, mut files, certificate, key, .. } = parameters;
        let has_files = files.authority.is_some() || certificate.is_some() || key.is_some();
        files.identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(unfit("sslcert e sslkey só valem juntos".into())),
        };
        let tls = match sslmode.as_deref() {
            Some("disable") if has_files => {
                return Err(unfit(
                    "sslmode=disable não usa os arquivos de TLS do endereço; tire-os, ou use sslmode=verify-full"
                        .into(),
                ));
            }
            Some("disable") | None if !has_files && hosts.iter().all(|(host, _)| is_local(host)) => None,
            Some("disable") => {
                return Err(unfit(
                    "sslmode=disable mandaria os dados sem criptografia pela rede; use sslmode=verify-full"
                        .into(),
                ));
            }
            // `require` of other programs does not look at the certificate; here it does.
            Some("verify-full" | "require") | None => {
                Some(tls::client(&files).map_err(|error| unfit(error.to_string()))?)
            }
            Some(other) => {
                return Err(unfit(format!(
                    "sslmode={other} desconhecido; use verify-full, ou disable para um banco desta máquina"
                )));
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        config.application_name("hortifruti");
        let passwords = Passwords::find(passfile.as_deref()).map_err(unfit)?;
        Ok(Self(Arc::new(Parts { shown, shop, config, hosts, passwords, tls })))
    }

    /// The name of the shop.
    pub(super) fn shop(&self) -> &Name {
        &self.0.shop
    }

    /// The number of hosts.
    pub(super) fn host_count(&self) -> usize {
        self.0.hosts.len()
    }

    /// A host and its port.
    pub(super) fn host(&self, index: usize) -> (&Host, u16) {
        let (host, port) = &self.0.hosts[index];
        (host, *port)
    }

    /// A host as people read it.
    pub(super) fn host_shown(&self, index: usize) -> String {
        match self.host(index) {
            (Host::Tcp(host), port) => format!("{host}:{port}"),
            (Host::Folder(folder), port) => format!("{}:{port}", folder.display()),
        }
    }

    /// The settings of a connection to this host, with the password for it.
    pub(super) fn config(&self, index: usize) -> Config {
        let Parts { config, passwords, .. } = &*self.0;
        let mut config = config.clone();
        let (host, port) = self.host(index);
        let host = match host {
            Host::Tcp(host) => host.as_str(),
            Host::Folder(_) => "localhost",
        };
        let (user, database) = (config.get_user().unwrap_or_default(), config.get_dbname());
        if let Some(password) = passwords.of(host, port, database.unwrap_or(user), user) {
            config.password(password);
        }
        config
    }

    /// The configuration of TLS; `None` if the connection is not encrypted.
    pub(super) fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.0.tls.as_ref()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown)
    }
}

/// The address without a password, for messages. A password that is not encoded may have a slash.
fn without_password(text: &str) -> String {
    let (url, query) = text.split_once('?').unwrap_or((text, ""));
    let mut shown = match url.rsplit_once('@') {
        Some((before, hosts)) => {
            let scheme_end = before.find("://").map_or(0, |at| at + "://".len());
            let password = before[scheme_end..].find(':').map_or(before.len(), |at| scheme_end + at);
            format!("{}@{hosts}", &before[..password])
        }
        None => url.to_owned(),
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("password="));
    for (index, pair) in pairs.enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        shown.push_str(pair);
    }
    shown
}

/// Takes the parameters that the library does not know out of an address.
fn split(text: &str) -> Result<(String, Parameters), String> {
    let (url, query) = text.split_once('?').unwrap_or((text, ""));
    let mut found = Parameters::default();
    let mut others = Vec::new();
    let mut names = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| format!("endereço inválido: {pair} não tem ="))?;
        // The library takes a list of hosts, each with its port.
        if !names.insert(name) && !matches!(name, "host" | "port") {
            return Err(format!("endereço inválido: {name}= está nele duas vezes"));
        }
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| format!("endereço inválido: {name} não é UTF-8"))?.into_owned();
        match name {
            "shop" => found.shop = Some(value),
            "sslmode" => found.sslmode = Some(value),
            "sslrootcert" => found.files.authority = Some(value.into()),
            "sslcert" => found.certificate = Some(value.into()),
            "sslkey" => found.key = Some(value.into()),
            "passfile" => found.passfile = Some(value.into()),
            // The library reads these.
            "host" | "port" | "user" | "dbname" | "password" => others.push(pair),
            other => return Err(format!("endereço inválido: não há o parâmetro {other}")),
        }
    }
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((format!("{url}{query}"), found))
}

/// Each host with its port.
fn hosts(config: &Config) -> Result<Vec<(Host, u16)>, String> {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    if hosts.is_empty() {
        let port = ports.first().copied().unwrap_or(PORT_DEFAULT);
        return Ok(vec![(Host::Tcp("localhost".into()), port)]);
    }
    let port = |index: usize| match ports {
        [] => Some(PORT_DEFAULT),
        [port] => Some(*port),
        ports => ports.get(index).copied(),
    };
    let with_port = |(index, host)| Some((local::host(host), port(index)?));
    let hosts: Option<Vec<_>> = hosts.iter().enumerate().map(with_port).collect();
    hosts.ok_or_else(|| "endereço inválido: há mais hosts do que portas".to_owned())
}

/// Whether a connection to this host does not leave the machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Folder(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Address::parse(text).err().unwrap_or_else(|| panic!("{text} is taken")).to_string()
    }

    #[test]
    fn an_address_names_hosts_a_database_and_a_shop() {
        let address =
            Address::parse("postgres://loja@127.0.0.1:5433,localhost/frutas?shop=S%C3%A3o%20Jos%C3%A9")
                .unwrap();
        assert_eq!(address.shop().as_str(), "São José");
        let hosts: Vec<String> = (0..address.host_count()).map(|index| address.host_shown(index)).collect();
        assert_eq!(hosts, ["127.0.0.1:5433", "localhost:5432"]);
        assert_eq!(address.config(0).get_user(), Some("loja"));
        assert!(address.tls().is_none());
        let socket = Address::parse("postgresql:///frutas?host=/run/pg&port=5433&shop=centro").unwrap();
        assert_eq!(socket.host_shown(0), "/run/pg:5433");
    }

    #[test]
    fn a_password_is_neither_taken_nor_shown() {
        for text in [
            "postgres://loja:segredo@localhost/frutas?shop=centro",
            "postgres://loja@localhost/frutas?shop=centro&password=segredo",
        ] {
            let said = refused(text);
            assert!(said.contains("PGPASSWORD"), "{said}");
        }
        for text in [
            "postgres://loja:segredo@localhost/frutas?shop=centro",
            "postgres://loja:a/segredo@localhost/frutas?shop=centro",
            "postgres://loja@localhost/frutas?password=segredo&shop=centro",
        ] {
            let said = refused(text);
            assert!(said.contains(" postgres://loja@localhost/frutas?shop=centro "), "{said}");
            assert!(!said.contains("segredo"), "{said}");
        }
    }

    #[test]
    fn names_of_shops_that_look_the_same_are_the_same() {
        for text in ["S%C3%A3o%20Jos%C3%A9", "Sa%CC%83o%20Jos%C3%A9", " S%C3%A3o%20%20Jos%C3%A9%E2%80%8B"] {
            let address = Address::parse(&format!("postgres://localhost/frutas?shop={text}")).unwrap();
            assert_eq!(address.shop().as_str(), "São José", "{text}");
        }
        for text in ["%E2%80%AEx", "%C2%A0", "a%0A", &"x".repeat(65)] {
            let said = refused(&format!("postgres://localhost/frutas?shop={text}"));
            assert!(said.contains("o nome da loja não serve"), "{text}: {said}");
        }
    }

    #[test]
    fn no_parameter_is_ignored() {
        for (parameters, words) in [
            ("shop=a&shop=b", "shop= está nele duas vezes"),
            ("shop=a&sslcert=/none/loja.pem", "sslcert e sslkey só valem juntos"),
            ("shop=a&sslkey=/none/loja.key", "sslcert e sslkey só valem juntos"),
            ("shop=a&sslrootcert=/none/ca.pem", "/none/ca.pem"),
            ("shop=a&sslmode=disable&sslrootcert=/none/ca.pem", "sslmode=disable não usa"),
        ] {
            let said = refused(&format!("postgres://loja@localhost/frutas?{parameters}"));
            assert!(said.contains(words), "{parameters}: {said}");
        }
    }

    #[test]
    fn an_open_network_needs_a_verified_certificate() {
        for (text, words) in [
            ("postgres://loja@db.example/frutas?shop=centro&sslmode=disable", "verify-full"),
            ("postgres://loja@db.example/frutas?shop=centro&sslmode=prefer", "verify-full"),
            ("postgres://loja@db.example/frutas?shop=centro&sslrootcert=/none/ca.pem", "/none/ca.pem"),
            ("postgres://loja@localhost/frutas", "?shop="),
            ("postgres://loja@localhost/frutas?shop=", "?shop="),
            ("postgres://loja@localhost/frutas?shop=a&shopp=b", "shopp"),
            ("postgres://loja@localhost/frutas?shop", "não tem ="),
            ("postgres://loja@localhost:99999/frutas?shop=centro", "endereço inválido; um certo é como"),
        ] {
            let said = refused(text);
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
