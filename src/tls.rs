//! TLS for server and client: reads certificates and keys from PEM files, and chooses the trusted
//! authorities. rustls does the rest, with TLS 1.2 and 1.3. [`issue`] makes certificates.

mod exact;
pub mod issue;
mod problem;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore, ServerConfig};

use self::exact::ExactOrSigned;
pub use self::problem::Problem;
use crate::io_error::describe;
use crate::private_file;

/// The largest file of certificates that is read, in bytes: four times a system's whole bundle of authorities.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The names of HTTP, over which gRPC goes, in the TLS handshake (RFC 7301, RFC 9113 §3.2). A client that
/// names no protocol, such as one of the text protocol, is recognised by its first bytes.
const ALPN_HTTP2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// The TLS files of a server.
#[derive(Debug, Clone)]
pub struct ServerFiles {
    /// The server's certificate, and the intermediate certificates up to its authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The authority that must have signed the certificates of clients (mutual TLS).
    pub client_authority: Option<PathBuf>,
}

/// The TLS files of a client.
#[derive(Debug, Clone, Default)]
pub struct ClientFiles {
    /// The authority that must have signed the server's certificate, or this certificate itself. By default, the
    /// authorities of the system.
    pub authority: Option<PathBuf>,
    /// The client's own certificate and its private key (mutual TLS).
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why a file cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("não foi possível ler {path}: {}", describe(.error))]
    Unreadable {
        /// The file.
        path: String,
        /// The reason that the system gives.
        error: io::Error,
    },
    /// The file is not PEM, or far too long.
    #[error("{path} não é um arquivo PEM válido")]
    NotPem {
        /// The file.
        path: String,
    },
    /// The file holds no certificate.
    #[error("não há certificado em {path}; um começa com -----BEGIN CERTIFICATE-----")]
    NoCertificate {
        /// The file.
        path: String,
    },
    /// The file holds no private key.
    #[error("não há chave privada em {path}; uma começa com -----BEGIN PRIVATE KEY-----")]
    NoKey {
        /// The file.
        path: String,
    },
    /// The key is encrypted, and a server has nobody to type its password.
    #[error(
        "a chave {path} está cifrada com uma senha; decifre-a com: openssl pkey -in {path} -out nova.pem"
    )]
    EncryptedKey {
        /// The file.
        path: String,
    },
    /// The key belongs to another certificate.
    #[error("a chave {key} não é a do certificado {certificate}")]
    Mismatch {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
    },
    /// The library refuses the file.
    #[error("{path} é inválido ({what})")]
    Unfit {
        /// The file.
        path: String,
        /// The reason that the library gives.
        what: String,
    },
    /// The system trusts no authority.
    #[error("este sistema não tem autoridades de certificados; indique uma com --tls-ca")]
    NoAuthorities,
}

/// The TLS configuration of a server.
///
/// # Errors
/// If a file cannot be used.
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
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
    // Clients stay connected for long, so sessions are not kept for resumption.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The TLS configuration of a client.
///
/// # Errors
/// If a file cannot be used.
pub fn client(files: &ClientFiles) -> Result<Arc<ClientConfig>, FileError> {
    let provider = provider();
    let (roots, exact) = match &files.authority {
        Some(path) => (authorities(path)?, certificates(path)?),
        None => (system_authorities()?, Vec::new()),
    };
    let named = files.authority.as_deref().unwrap_or(Path::new(""));
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| unfit(named, &error))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unfit(named, &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ExactOrSigned::new(verifier, exact)));
    let mut config = match &files.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key_file)) => builder
            .with_client_auth_cert(certificates(certificate)?, key(key_file)?)
            .map_err(|error| pair_error(certificate, key_file, &error))?,
    };
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// The configuration of a client that speaks gRPC: it names HTTP/2 in the handshake.
pub fn for_grpc(config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    Arc::new(config)
}

/// The name that a server's certificate must carry, from `HOST:PORT`.
pub fn server_name(address: &str) -> Option<ServerName<'static>> {
    let (host, _) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned()).ok()
}

/// The provider of cryptography. ring is named here, because a dependency may change the default.
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
    // The words of PKCS #8 (RFC 7468 §11) and of the older OpenSSL.
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

/// The authorities of the system. Certificates that cannot be parsed are skipped, as every client does.
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
