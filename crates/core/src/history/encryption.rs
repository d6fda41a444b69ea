//! Encryption of connections to Postgres: `sslmode` and `sslrootcert`, with libpq's meaning. A
//! setting that libpq would silently ignore is refused.

use super::DatabaseUrlError;
use crate::tls::CaFile;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// `disable`, and every Unix socket.
    Disabled,
    /// `prefer`, the default: no protection against an active attacker.
    Preferred,
    /// `require`: protects against eavesdropping only.
    Unverified,
    /// `verify-ca` and `verify-full`.
    Verified {
        authorities: Authorities,
        /// Whether the certificate must be for the host of DATABASE_URL.
        host_name: bool,
    },
}

/// The authorities that may sign the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authorities {
    /// The public authorities that are built into this binary.
    Public,
    /// Those of the operating system.
    System,
    /// Those in a file of PEM certificates.
    File(PathBuf),
    /// Those of DATABASE_CA_FILE; the public ones, too, if the host name is checked.
    CaFile(CaFile),
}

impl Encryption {
    /// Combines `sslmode` and the authorities of `sslrootcert` or DATABASE_CA_FILE.
    pub(super) fn from_parameters(
        mode: Option<&str>,
        authorities: Option<Authorities>,
    ) -> Result<Self, DatabaseUrlError> {
        let is_asked_for = matches!(
            authorities,
            Some(Authorities::System | Authorities::CaFile(_))
        );
        let mode = mode.unwrap_or(if is_asked_for {
            "verify-full"
        } else {
            "prefer"
        });
        let known = ["disable", "prefer", "require", "verify-ca", "verify-full"];
        if !known.contains(&mode) {
            return Err(DatabaseUrlError::SslMode);
        }
        match (mode, authorities) {
            ("verify-full", authorities) => Ok(Self::Verified {
                authorities: authorities.unwrap_or(Authorities::Public),
                host_name: true,
            }),
            // An attacker can get a public certificate for a host of their own.
            (_, Some(Authorities::System | Authorities::Public)) | ("verify-ca", None) => {
                Err(DatabaseUrlError::SslHostName)
            }
            ("require" | "verify-ca", Some(authorities)) => Ok(Self::Verified {
                authorities,
                host_name: false,
            }),
            ("require", None) => Ok(Self::Unverified),
            (_, Some(Authorities::CaFile(_))) => Err(DatabaseUrlError::UnusedCaFile),
            (_, Some(_)) => Err(DatabaseUrlError::SslRootCert),
            ("disable", None) => Ok(Self::Disabled),
            (_, None) => Ok(Self::Preferred),
        }
    }

    /// Whether an unencrypted connection is refused.
    pub(super) fn is_required(&self) -> bool {
        !matches!(self, Self::Disabled | Self::Preferred)
    }
}
