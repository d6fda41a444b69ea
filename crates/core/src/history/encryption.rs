//! How the way to Postgres is encrypted: sslmode and sslrootcert, with the meaning that libpq gives them.
//! Where libpq would take a setting and quietly not use it, it is refused.

use super::DatabaseUrlError;
use crate::tls::CaFile;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// `disable`, and every way that is a socket of this machine.
    Never,
    /// `prefer`, the default: no protection against anybody who is on the way.
    IfOffered,
    /// `require`: against those who only listen.
    Unverified,
    /// `verify-ca` and `verify-full`.
    Verified {
        authorities: Authorities,
        /// Whether the certificate must be for the host that DATABASE_URL names.
        host_name: bool,
    },
}

/// Who may sign the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authorities {
    /// The ones that browsers trust, as this binary knows them.
    Public,
    /// The ones that this machine trusts.
    System,
    /// The ones in a file of PEM certificates.
    File(PathBuf),
    /// The ones of DATABASE_CA_FILE; the public ones too where the host name is checked.
    Own(CaFile),
}

impl Encryption {
    /// Reads the two parameters.
    pub(super) fn read(
        mode: Option<&str>,
        authorities: Option<Authorities>,
    ) -> Result<Self, DatabaseUrlError> {
        let is_asked_for = matches!(authorities, Some(Authorities::System | Authorities::Own(_)));
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
            // Anybody can get a certificate from these, for a host of theirs.
            (_, Some(Authorities::System | Authorities::Public)) | ("verify-ca", None) => {
                Err(DatabaseUrlError::SslHostName)
            }
            ("require" | "verify-ca", Some(authorities)) => Ok(Self::Verified {
                authorities,
                host_name: false,
            }),
            ("require", None) => Ok(Self::Unverified),
            (_, Some(Authorities::Own(_))) => Err(DatabaseUrlError::UnusedCaFile),
            (_, Some(_)) => Err(DatabaseUrlError::SslRootCert),
            ("disable", None) => Ok(Self::Never),
            (_, None) => Ok(Self::IfOffered),
        }
    }

    /// Whether a connection that is not encrypted is refused.
    pub(super) fn is_demanded(&self) -> bool {
        !matches!(self, Self::Never | Self::IfOffered)
    }
}
