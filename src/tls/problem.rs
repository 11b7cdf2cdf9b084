//! The reasons why a TLS connection fails, in the words for a client's user.

use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::catalog::Shown;

/// Why a client and a server could not agree on TLS, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No trusted authority signed the certificate.
    #[error("a autoridade que assinou o certificado do servidor é desconhecida; indique-a com --tls-ca")]
    UnknownAuthority,
    /// The certificate belongs to another server.
    #[error("o certificado do servidor não é de {expected}, e sim de {presented}; confira --server")]
    WrongName {
        /// The name in the address.
        expected: String,
        /// The names in the certificate.
        presented: String,
    },
    /// The certificate has expired.
    #[error("o certificado do servidor venceu; peça a renovação ao responsável por ele, ou acerte o relógio")]
    Expired,
    /// The certificate is not valid yet.
    #[error("o certificado do servidor ainda não vale; acerte o relógio desta máquina")]
    NotYetValid,
    /// The certificate is that of an authority, which no server may use.
    #[error(
        "o certificado do servidor é de uma autoridade, e não de um servidor; indique exatamente ele com --tls-ca, ou \
         assine com ela um para o servidor"
    )]
    Authority,
    /// The certificate is wrong in some other way.
    #[error("o certificado do servidor é inválido ({0}); peça outro ao responsável por ele")]
    BadCertificate(String),
    /// The server asks for a certificate of the client.
    #[error("o servidor pede um certificado do cliente; indique-o com --tls-cert e --tls-key")]
    ClientCertificateMissing,
    /// The server does not accept the client's certificate.
    #[error(
        "o servidor não aceita o certificado deste cliente ({0}); confira --tls-cert, ou peça outro ao responsável pelo servidor"
    )]
    ClientCertificateRefused(String),
    /// The program that answers does not use TLS.
    #[error("o programa nesse endereço não usa TLS; tire --tls, --tls-ca e --tls-cert, ou confira --server")]
    NotTls,
    /// No certificate can carry the name in the address.
    #[error("não é um nome que um certificado possa ter; confira --server")]
    NoName,
    /// Another problem, in the words of the library.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// The problem that an error of a connection carries; `None` if the error has nothing to do with TLS.
    pub fn of(error: &io::Error) -> Option<Self> {
        let error: &rustls::Error = error.get_ref()?.downcast_ref()?;
        Some(match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            other => Self::Other(other.to_string()),
        })
    }

    /// Whether the server could not authenticate the client.
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
            // rustls has no variant for a self-signed certificate that is marked as an authority, so
            // webpki's words are compared.
            other if other.to_string().contains("CaUsedAsEndEntity") => Self::Authority,
            other => Self::BadCertificate(other.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired => Self::ClientCertificateMissing,
            // A server sends `DecryptError` if it knows another authority of the same name.
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                Self::ClientCertificateRefused("o servidor não conhece a autoridade que o assinou".to_owned())
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

/// The names of a certificate, safe to show, because a stranger may have written them.
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
