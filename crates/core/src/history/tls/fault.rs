//! What failed between the driver and TLS, in words that say what to do. No word of it names the host.

use rustls::CertificateError;
use std::error::Error;
use std::io;

/// Why there is no encrypted connection, or none that can be trusted. A server can mend each.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionFault {
    /// The server does not do TLS.
    #[error(
        "the history database offers no encryption, and sslmode in DATABASE_URL demands it: switch it on there (ssl = on), or use sslmode=disable if the network is your own"
    )]
    NotOffered,
    /// Signed by somebody else.
    #[error(
        "the certificate of the history database is not signed by an authority that is trusted here: let sslrootcert in DATABASE_URL, or DATABASE_CA_FILE, name the file with the certificate of the one that signed it"
    )]
    Untrusted,
    /// For another host.
    #[error(
        "the certificate of the history database is for another host name than the one in DATABASE_URL: use a name that is in the certificate (subjectAltName), or sslmode=verify-ca if its authority is your own"
    )]
    WrongName,
    /// Too old, or from the future.
    #[error(
        "the certificate of the history database has expired or is not valid yet: renew it, and check the clocks of both machines"
    )]
    Outdated,
    /// A certificate that cannot be a server's, or is too old a kind.
    #[error(
        "the certificate of the history database cannot be used: it must be one for servers, of X.509 version 3, and not that of an authority"
    )]
    Unusable(#[source] rustls::Error),
    /// Anything else: versions, ciphers, a break.
    #[error("the history database and this program did not agree on an encrypted connection")]
    Handshake(#[source] Box<dyn Error + Send + Sync>),
}

/// The fault in TLS that is behind an error of the driver, if that is what went wrong.
pub(in crate::history) fn fault(error: &tokio_postgres::Error) -> Option<EncryptionFault> {
    // The driver has a kind for this, and tells it in words only.
    if !error
        .to_string()
        .starts_with("error performing TLS handshake")
    {
        return None;
    }
    let cause = error.source()?;
    let wrapped = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    if let Some(error) = wrapped.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Some(of_rustls(error));
    }
    Some(match cause.to_string() {
        refusal if refusal == "server does not support TLS" => EncryptionFault::NotOffered,
        other => EncryptionFault::Handshake(other.into()),
    })
}

fn of_rustls(error: &rustls::Error) -> EncryptionFault {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return EncryptionFault::Handshake(error.clone().into());
    };
    match wrong {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            EncryptionFault::Untrusted
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            EncryptionFault::WrongName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => EncryptionFault::Outdated,
        _ => EncryptionFault::Unusable(error.clone()),
    }
}
