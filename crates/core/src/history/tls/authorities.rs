//! Loads the certificates of the authorities that may sign a server's certificate.

use super::super::encryption::Authorities;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use std::path::{Path, PathBuf};

/// Why the authorities of DATABASE_URL cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file is missing, unreadable or not PEM.
    #[error(
        "sslrootcert in DATABASE_URL names {}, which cannot be read as PEM certificates: let it name the file with the certificate of the authority that signed the server's", path.display()
    )]
    Unreadable {
        /// The file of sslrootcert.
        path: PathBuf,
        /// The error of the reader.
        #[source]
        cause: pem::Error,
    },
    /// The file has no usable certificate.
    #[error(
        "sslrootcert in DATABASE_URL names {}, which holds no certificate that can be used: let it name the file with the certificate of the authority that signed the server's", path.display()
    )]
    Empty {
        /// The file of sslrootcert.
        path: PathBuf,
    },
    /// The machine has no certificates installed.
    #[error(
        "sslrootcert=system in DATABASE_URL finds no certificates on this machine: install ca-certificates, or leave sslrootcert out to use the public authorities that the program knows"
    )]
    NoSystem,
    /// The TLS library cannot be configured.
    #[error("TLS cannot be set up")]
    Provider(#[source] rustls::Error),
}

pub(super) fn root_store(
    authorities: &Authorities,
    host_name: bool,
) -> Result<RootCertStore, AuthoritiesError> {
    match authorities {
        Authorities::CaFile(ca) if host_name => Ok(ca.root_store_with_public()),
        // An attacker can get a public certificate, too.
        Authorities::CaFile(ca) => Ok(ca.root_store()),
        Authorities::Public => Ok(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        }),
        Authorities::System => {
            let found = rustls_native_certs::load_native_certs();
            usable_root_store(found.certs).ok_or(AuthoritiesError::NoSystem)
        }
        Authorities::File(path) => {
            let certificates =
                read_certificates(path).map_err(|cause| AuthoritiesError::Unreadable {
                    path: path.clone(),
                    cause,
                })?;
            usable_root_store(certificates)
                .ok_or_else(|| AuthoritiesError::Empty { path: path.clone() })
        }
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    CertificateDer::pem_file_iter(path)?.collect()
}

/// Skips unusable certificates: bundles sometimes contain one that is too old. `None` if none is
/// usable.
fn usable_root_store(certificates: Vec<CertificateDer<'static>>) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(certificates);
    (usable > 0).then_some(store)
}
