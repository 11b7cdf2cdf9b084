//! Makes certificates: those of a shop's own authority, and those that the authority signs for servers and clients.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};

use super::{FileError, certificates, key, provider, shown, unfit};

/// The validity of an authority, in days: ten years, because clients must be given another one then.
const AUTHORITY_DAYS: u64 = 3650;

/// The validity of a server's or a client's certificate, in days: the longest that Apple's systems accept.
const LEAF_DAYS: u64 = 825;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a certificate is valid already: clocks of a shop's machines may differ so much.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// A name of no server (RFC 2606).
const NO_SERVER: &str = "nenhum.invalid";

/// Bytes of the digest of an authority's key that are a part of its name.
const NAME_BYTES: usize = 6;

/// Why no certificate was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A file of the authority cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The files are not those of an authority that [`Authority::generate`] made.
    #[error(
        "{certificate} e {key} não são de uma autoridade que `hortifruti tls new` criou; com outra, assina o programa \
         que a fez"
    )]
    OtherAuthority {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
    },
    /// The library refuses.
    #[error("o certificado não pôde ser feito ({0})")]
    Library(#[from] rcgen::Error),
}

/// A certificate with its private key, as PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
    /// The last day on which the certificate is valid, as `2030-01-31`.
    pub last_day: String,
}

/// An authority that this program made, and its certificate.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// Makes an authority, with a new key.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> Result<(Self, Issued), IssueError> {
        let key = KeyPair::generate()?;
        let mut params = dated(authority_params(&key), AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        let issued = issued(&certificate, &key, &params);
        let certificate = certificate.der().clone();
        Ok((Self { issuer: Issuer::new(params, key), certificate }, issued))
    }

    /// Reads an authority that [`Authority::generate`] made.
    ///
    /// # Errors
    /// If a file cannot be read, or they are not the certificate and the key of such an authority.
    pub fn read(certificate_file: &Path, key_file: &Path) -> Result<Self, IssueError> {
        let certificate = certificates(certificate_file)?.remove(0);
        let key = KeyPair::try_from(&key(key_file)?).map_err(|error| unfit(key_file, &error))?;
        let mut params = authority_params(&key);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = Self { issuer: Issuer::new(params, key), certificate };
        // The name of the authority is not read from its certificate but derived from its key, so a certificate of
        // another program would not match what is signed here.
        let probe = authority.server(&["localhost".to_owned()])?;
        if !authority.has_signed(&probe) {
            return Err(IssueError::OtherAuthority {
                certificate: shown(certificate_file),
                key: shown(key_file),
            });
        }
        Ok(authority)
    }

    /// Makes a server's certificate for these names and addresses.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate, or the system gives no random numbers.
    pub fn server(&self, names: &[String]) -> Result<Issued, IssueError> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = Default::default();
        params.distinguished_name.push(DnType::CommonName, names.first().map_or("", String::as_str));
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Makes the certificate of a client of this name.
    ///
    /// # Errors
    /// If the name cannot stand in a certificate, or the system gives no random numbers.
    pub fn client(&self, name: &str) -> Result<Issued, IssueError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = Default::default();
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The SHA-256 of the authority's certificate, as `openssl x509 -fingerprint -sha256` shows it.
    pub fn fingerprint(&self) -> String {
        let digest = digest(&SHA256, &self.certificate);
        let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    fn sign(&self, params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Issued, IssueError> {
        let key = KeyPair::generate()?;
        let mut params = dated(params, LEAF_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(issued(&certificate, &key, &params))
    }

    fn has_signed(&self, issued: &Issued) -> bool {
        let Ok(leaf) = CertificateDer::from_pem_slice(issued.certificate.as_bytes()) else { return false };
        is_signed_by(&leaf, &self.certificate).is_ok()
    }
}

/// Whether a server's certificate is its own authority, as one that instructions for openssl make: only clients that
/// have exactly it accept it.
///
/// # Errors
/// If the file cannot be read.
pub fn is_self_signed(certificate_file: &Path) -> Result<bool, FileError> {
    let own = certificates(certificate_file)?.remove(0);
    Ok(match is_signed_by(&own, &own) {
        Ok(()) => true,
        // webpki's words, because rustls has no variant for the certificate of an authority.
        Err(error) => error.to_string().contains("CaUsedAsEndEntity"),
    })
}

/// The names and addresses of a server's certificate, in its order.
///
/// # Errors
/// If the file cannot be read.
pub fn server_names(certificate_file: &Path) -> Result<Vec<String>, FileError> {
    let own = certificates(certificate_file)?.remove(0);
    let parsed = ParsedCertificate::try_from(&own).map_err(|error| unfit(certificate_file, &error))?;
    // rustls shows the names of a certificate in the error about a name that is none of them.
    let checked = ServerName::try_from(NO_SERVER).map(|other| verify_server_name(&parsed, &other));
    let Ok(Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
        presented,
        ..
    }))) = checked
    else {
        return Ok(Vec::new());
    };
    Ok(presented.iter().filter_map(|shown| name_shown(shown)).collect())
}

/// A name as rustls shows it: `DnsName("loja.local")`, `IpAddress(192.168.0.10)`.
fn name_shown(shown: &str) -> Option<String> {
    let inside = |start, end| shown.strip_prefix(start)?.strip_suffix(end);
    let address = || inside("IpAddress(", ")")?.parse().ok().map(|address: IpAddr| address.to_string());
    inside("DnsName(\"", "\")").map(str::to_owned).or_else(address)
}

/// Checks that a server's certificate is valid now, and that one authority signed it.
fn is_signed_by(leaf: &CertificateDer<'_>, authority: &CertificateDer<'static>) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let algorithms = provider().signature_verification_algorithms.all;
    let leaf = ParsedCertificate::try_from(leaf)?;
    verify_server_cert_signed_by_trust_anchor(&leaf, &roots, &[], UnixTime::now(), algorithms)
}

/// Whether a text is a name or an address that can stand in a server's certificate.
pub fn is_host_name(text: &str) -> bool {
    ServerName::try_from(text).is_ok()
}

/// The part of an authority's certificate that its key determines: so the key alone can sign later.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let digest = digest(&SHA256, &key.subject_public_key_info());
    let id: String = digest.as_ref().iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::CommonName, format!("hortifruti {id}"));
    params
}

/// Sets the validity: from now, for this many days.
fn dated(mut params: CertificateParams, days: u64) -> CertificateParams {
    // A clock before 1970 is that of a machine without a battery, whose certificates are of no use anyway.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_secs());
    params.not_before = now - CLOCK_DIFFERENCE;
    params.not_after = now + DAY * u32::try_from(days).unwrap_or(u32::MAX);
    params
}

fn issued(certificate: &rcgen::Certificate, key: &KeyPair, params: &CertificateParams) -> Issued {
    Issued {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        last_day: params.not_after.date().to_string(),
    }
}
