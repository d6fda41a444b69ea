//! TLS failures of the driver, with messages that say what to do and do not contain the host.

use rustls::CertificateError;
use std::error::Error;
use std::io;

/// Why there is no trusted encrypted connection. All are transient: a change on the server can fix
/// each.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    /// The server does not support TLS.
    #[error(
        "the history database offers no encryption, and sslmode in DATABASE_URL demands it: switch it on there (ssl = on), or use sslmode=disable if the network is your own"
    )]
    NotOffered,
    /// The certificate is signed by an authority that is not trusted.
    #[error(
        "the certificate of the history database is not signed by an authority that is trusted here: let sslrootcert in DATABASE_URL, or DATABASE_CA_FILE, name the file with the certificate of the one that signed it"
    )]
    Untrusted,
    /// The certificate is for another host.
    #[error(
        "the certificate of the history database is for another host name than the one in DATABASE_URL: use a name that is in the certificate (subjectAltName), or sslmode=verify-ca if its authority is your own"
    )]
    WrongName,
    /// The certificate has expired or is not valid yet.
    #[error(
        "the certificate of the history database has expired or is not valid yet: renew it, and check the clocks of both machines"
    )]
    Outdated,
    /// The certificate is not one of a server, or its format is too old.
    #[error(
        "the certificate of the history database cannot be used: it must be one for servers, of X.509 version 3, and not that of an authority"
    )]
    Unusable(#[source] rustls::Error),
    /// Any other failure of the handshake: versions, ciphers, a broken connection.
    #[error("the history database and this program did not agree on an encrypted connection")]
    Handshake(#[source] Box<dyn Error + Send + Sync>),
}

/// The TLS failure that caused an error of the driver; `None` if TLS did not cause it.
pub(in crate::history) fn find_encryption_error(
    error: &tokio_postgres::Error,
) -> Option<EncryptionError> {
    // The driver does not expose this kind of error except in its text.
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
        return Some(from_rustls(error));
    }
    Some(match cause.to_string() {
        refusal if refusal == "server does not support TLS" => EncryptionError::NotOffered,
        other => EncryptionError::Handshake(other.into()),
    })
}

fn from_rustls(error: &rustls::Error) -> EncryptionError {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return EncryptionError::Handshake(error.clone().into());
    };
    match wrong {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            EncryptionError::Untrusted
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            EncryptionError::WrongName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => EncryptionError::Outdated,
        _ => EncryptionError::Unusable(error.clone()),
    }
}
