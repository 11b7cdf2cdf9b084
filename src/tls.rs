//! TLS for both sides: certificates and keys out of PEM files, what to trust, and what went
//! wrong, for people. rustls does the rest; 1.2 and 1.3 are all that it speaks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, InconsistentKeys, InvalidMessage, RootCertStore,
    ServerConfig,
};

use crate::catalog::Shown;
use crate::io_error::describe;
use crate::private_file;

/// Largest file of certificates read: a system's whole bundle of authorities is a quarter.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What gRPC over TLS is called (RFC 7301, RFC 9113 §3.2). A client that names nothing, as
/// one of the text protocol, is told by its first bytes.
const ALPN_HTTP2: &[u8] = b"h2";

/// The files of a server.
#[derive(Debug, Clone)]
pub struct ServerFiles {
    /// Its certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Who must have signed the certificates of its clients (mutual TLS).
    pub client_authority: Option<PathBuf>,
}

/// The files of a client.
#[derive(Debug, Clone, Default)]
pub struct ClientFiles {
    /// Who must have signed the server's certificate; without it, whom the system trusts.
    pub authority: Option<PathBuf>,
    /// The client's own certificate and its private key (mutual TLS).
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why files do not serve for TLS.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// One cannot be read.
    #[error("não foi possível ler {path}: {}", describe(.error))]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// One is no PEM, or is far too long for one.
    #[error("{path} não é um arquivo PEM que sirva")]
    NotPem {
        /// The file.
        path: String,
    },
    /// There is no certificate in it.
    #[error("não há certificado em {path}; um começa com -----BEGIN CERTIFICATE-----")]
    NoCertificate {
        /// The file.
        path: String,
    },
    /// There is no private key in it.
    #[error("não há chave privada em {path}; uma começa com -----BEGIN PRIVATE KEY-----")]
    NoKey {
        /// The file.
        path: String,
    },
    /// The key is of no use without a password, which nobody is there to type.
    #[error(
        "a chave {path} está cifrada com uma senha; decifre-a com: openssl pkey -in {path} -out nova.pem"
    )]
    EncryptedKey {
        /// The file.
        path: String,
    },
    /// They belong to two.
    #[error("a chave {key} não é a do certificado {certificate}")]
    Mismatch {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
    },
    /// Something in it is not usable.
    #[error("{path} não serve ({what})")]
    Unfit {
        /// The file.
        path: String,
        /// What the library said.
        what: String,
    },
    /// Nobody is trusted.
    #[error("este sistema não tem autoridades de certificados; indique uma com --tls-ca")]
    NoAuthorities,
}

/// How a server speaks TLS.
///
/// # Errors
/// Which file does not serve, and why.
pub fn server(files: &ServerFiles) -> Result<Arc<ServerConfig>, FileError> {
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unfit(&files.certificate, &error))?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let authorities = Arc::new(authorities(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| unfit(path, &error))?)
        }
    };
    let mut config = builder
        .with_single_cert(certificates(&files.certificate)?, key(&files.key)?)
        .map_err(|error| pair_error(&files.certificate, &files.key, &error))?;
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    // Clients stay for long, so nothing is kept for those that might come again.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// How a client speaks TLS.
///
/// # Errors
/// Which file does not serve, and why.
pub fn client(files: &ClientFiles) -> Result<Arc<ClientConfig>, FileError> {
    let provider = provider();
    let roots = match &files.authority {
        Some(path) => authorities(path)?,
        None => system_authorities()?,
    };
    let named = files.authority.as_deref().unwrap_or(Path::new(""));
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| unfit(named, &error))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unfit(named, &error))?
        .with_webpki_verifier(verifier);
    let mut config = match &files.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key_file)) => builder
            .with_client_auth_cert(certificates(certificate)?, key(key_file)?)
            .map_err(|error| pair_error(certificate, key_file, &error))?,
    };
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// The same, for a client of gRPC.
pub fn for_grpc(config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    Arc::new(config)
}

/// The name that a server's certificate must be for, out of `HOST:PORT`.
pub fn server_name(address: &str) -> Option<ServerName<'static>> {
    let (host, _) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned()).ok()
}

/// ring, and no choice by features that a dependency might change.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let bytes = private_file::open_file_or_pipe(path)
        .and_then(|mut file| private_file::read_file_or_pipe(&mut file, FILE_BYTES_MAX + 1))
        .map_err(|error| FileError::Unreadable { path: shown(path), error })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(FileError::NotPem { path: shown(path) });
    }
    Ok(bytes)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let bytes = read(path)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| FileError::NotPem { path: shown(path) })?;
    if certificates.is_empty() {
        return Err(FileError::NoCertificate { path: shown(path) });
    }
    Ok(certificates)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    let bytes = read(path)?;
    let says = |words: &[u8]| memchr::memmem::find(&bytes, words).is_some();
    // As PKCS #8 (RFC 7468 §11) and as the older OpenSSL say it.
    if says(b"BEGIN ENCRYPTED PRIVATE KEY") || says(b"Proc-Type: 4,ENCRYPTED") {
        return Err(FileError::EncryptedKey { path: shown(path) });
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| FileError::NoKey { path: shown(path) })
}

fn authorities(path: &Path) -> Result<RootCertStore, FileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unfit(path, &error))?;
    }
    Ok(roots)
}

/// Whom the system trusts. Some of what it has may be of no use, as with every other client.
fn system_authorities() -> Result<RootCertStore, FileError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(FileError::NoAuthorities) } else { Ok(roots) }
}

fn pair_error(certificate: &Path, key: &Path, error: &rustls::Error) -> FileError {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            FileError::Mismatch { certificate: shown(certificate), key: shown(key) }
        }
        rustls::Error::InvalidCertificate(_) => unfit(certificate, error),
        _ => unfit(key, error),
    }
}

fn unfit(path: &Path, error: &impl ToString) -> FileError {
    FileError::Unfit { path: shown(path), what: error.to_string() }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Why a client and a server did not come to speak TLS, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nobody who is trusted signed the certificate.
    #[error("quem assinou o certificado do servidor é desconhecido; indique a autoridade dele com --tls-ca")]
    UnknownAuthority,
    /// The certificate is somebody else's.
    #[error("o certificado do servidor não é de {expected}, e sim de {presented}; confira --server")]
    WrongName {
        /// Who was asked for.
        expected: String,
        /// Whose it is.
        presented: String,
    },
    /// The certificate was good once.
    #[error("o certificado do servidor venceu; peça a quem cuida dele que o renove, ou acerte o relógio")]
    Expired,
    /// The certificate will be good.
    #[error("o certificado do servidor ainda não vale; acerte o relógio desta máquina")]
    NotYetValid,
    /// The certificate may sign others, and serve nobody.
    #[error(
        "o certificado do servidor é de uma autoridade, e não de um servidor; assine com ela um para o servidor"
    )]
    Authority,
    /// The certificate is wrong in some other way.
    #[error("o certificado do servidor não serve ({0}); peça outro a quem cuida dele")]
    BadCertificate(String),
    /// The server wants to know who the client is.
    #[error("o servidor pede um certificado do cliente; indique-o com --tls-cert e --tls-key")]
    ClientCertificateMissing,
    /// The server does not accept the client's certificate.
    #[error(
        "o servidor não aceita o certificado deste cliente ({0}); confira --tls-cert, ou peça outro a quem cuida do servidor"
    )]
    ClientCertificateRefused(String),
    /// Something answers, and in another language.
    #[error("o que responde lá não fala TLS; tire --tls, --tls-ca e --tls-cert, ou confira --server")]
    NotTls,
    /// No certificate can be for this.
    #[error("não é um nome que um certificado possa ter; confira --server")]
    NoName,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// The problem that an error of a connection carries; `None` where it is no matter of TLS.
    pub fn of(error: &io::Error) -> Option<Self> {
        let error: &rustls::Error = error.get_ref()?.downcast_ref()?;
        Some(match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            other => Self::Other(other.to_string()),
        })
    }

    /// Whether the server does not know who asks.
    pub fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::ClientCertificateMissing | Self::ClientCertificateRefused(_))
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForNameContext { expected, presented } => {
                Self::WrongName { expected: expected.to_str().into_owned(), presented: names(presented) }
            }
            // webpki's own words for what has no variant here: a self-signed certificate
            // that says of itself that it is an authority.
            other if other.to_string().contains("CaUsedAsEndEntity") => Self::Authority,
            other => Self::BadCertificate(other.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::ClientCertificateMissing,
            // The second where somebody else of the same name is known.
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                Self::ClientCertificateRefused("quem o assinou é desconhecido lá".to_owned())
            }
            AlertDescription::CertificateExpired => Self::ClientCertificateRefused("venceu".to_owned()),
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied => Self::ClientCertificateRefused(format!("{alert:?}")),
            other => Self::Other(format!("o servidor recusou: {other:?}")),
        }
    }
}

/// The names of a certificate, which a stranger may have written.
fn names(presented: &[String]) -> String {
    // webpki writes `DnsName("x")` and `IpAddress(127.0.0.1)`.
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner.trim_end_matches(')'));
        Shown(inner.trim_matches('"')).to_string()
    };
    match presented {
        [] => "ninguém".to_owned(),
        names => names.iter().map(bare).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_out_of_an_address() {
        for (address, expected) in [
            ("localhost:8082", Some("localhost")),
            ("loja.example:1", Some("loja.example")),
            ("192.0.2.1:8082", Some("192.0.2.1")),
            ("[::1]:8082", Some("::1")),
            ("loja um:8082", None),
            (":8082", None),
        ] {
            let name = server_name(address);
            assert_eq!(name.as_ref().map(ServerName::to_str).as_deref(), expected, "{address}");
        }
    }
}
