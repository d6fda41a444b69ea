//! [`TlsError`]: the TLS failure behind an error of a client library.

use rustls::CertificateError;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// Why there is no trusted connection. The text continues one such as "Redis is not available: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsError {
    /// The certificate is signed by an authority that is not trusted.
    #[error("TLS: its certificate is not signed by an authority that is trusted here")]
    Untrusted,
    /// The certificate is for another host.
    #[error("TLS: its certificate is for another host name than the one in its address")]
    WrongName,
    /// The certificate has expired or is not valid yet.
    #[error("TLS: its certificate has expired or is not valid yet")]
    Outdated,
    /// The certificate is not one of a server, or its format is too old.
    #[error("TLS: its certificate cannot be used as one of a server")]
    Unusable,
    /// Any other failure of the handshake: no TLS on the port, versions, ciphers.
    #[error("TLS: no encrypted connection could be agreed on")]
    Handshake,
}

impl TlsError {
    /// The TLS failure that caused `error`; `None` if TLS did not cause it.
    #[must_use]
    pub fn find_in(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(shown) = cause {
            let current = unwrap_arc(shown);
            if let Some(error) = current.downcast_ref::<rustls::Error>() {
                return Some(Self::from_rustls(error));
            }
            // `io::Error::source` skips the wrapped error itself.
            let wrapped = current
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            cause = match wrapped {
                Some(inner) => Some(inner as &(dyn Error + 'static)),
                None => current.source(),
            };
        }
        None
    }

    fn from_rustls(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return Self::Handshake;
        };
        match wrong {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Outdated,
            _ => Self::Unusable,
        }
    }

    /// What the operator can do. `ca_file` is the name of the setting for authorities, `address`
    /// that of the address.
    #[must_use]
    pub fn remedy(self, ca_file: &str, address: &str) -> String {
        match self {
            Self::Untrusted => format!(
                "let {ca_file} name the file with the certificate of the authority that signed it"
            ),
            Self::WrongName => {
                format!("use a name in {address} that is in the certificate (subjectAltName)")
            }
            Self::Outdated => "renew it, and check the clocks of both machines".to_owned(),
            Self::Unusable => {
                "it must be one for servers, of X.509 version 3, and not that of an authority"
                    .to_owned()
            }
            Self::Handshake => format!("check that TLS is spoken at the port in {address}"),
        }
    }
}

/// Unwraps an `Arc`: the Redis client reports the cause as a shared pointer, which hides its type.
fn unwrap_arc<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    match error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => &**shared,
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::RedisError;

    fn all() -> [(rustls::Error, TlsError); 5] {
        let certificate = rustls::Error::InvalidCertificate;
        [
            (
                certificate(CertificateError::UnknownIssuer),
                TlsError::Untrusted,
            ),
            (
                certificate(CertificateError::NotValidForName),
                TlsError::WrongName,
            ),
            (certificate(CertificateError::Expired), TlsError::Outdated),
            (
                certificate(CertificateError::BadEncoding),
                TlsError::Unusable,
            ),
            (rustls::Error::HandshakeNotComplete, TlsError::Handshake),
        ]
    }

    #[test]
    fn a_tls_failure_is_found_in_every_wrapping() {
        for (error, fault) in all() {
            let wrapped = io::Error::other(error.clone());
            let twice = io::Error::other(io::Error::other(error.clone()));
            let by_redis = RedisError::from(io::Error::other(error.clone()));
            let boxed = anyhow::Error::from(wrapped).context("connecting");
            assert_eq!(TlsError::find_in(&error), Some(fault));
            assert_eq!(TlsError::find_in(&twice), Some(fault));
            assert_eq!(TlsError::find_in(&by_redis), Some(fault));
            assert_eq!(TlsError::find_in(boxed.as_ref()), Some(fault));
        }
    }

    #[test]
    fn other_errors_are_no_tls_failure() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let by_redis = RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        let name = io::Error::other("TLS: text only");
        assert_eq!(TlsError::find_in(&refused), None);
        assert_eq!(TlsError::find_in(&by_redis), None);
        assert_eq!(TlsError::find_in(&name), None);
    }
}
