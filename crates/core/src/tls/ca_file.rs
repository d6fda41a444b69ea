//! [`CaFile`]: certificates of private authorities, from a PEM file.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Authorities that are trusted in addition to the public ones.
#[derive(Clone, PartialEq, Eq)]
pub struct CaFile(Arc<[CertificateDer<'static>]>);

/// Why a file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// The file is missing, unreadable or damaged PEM.
    #[error("names a file that cannot be read as PEM certificates: {0}")]
    Unreadable(PemError),
    /// The file has no usable certificate.
    #[error(
        "names a file without a certificate that can be used: it must hold the authority's, as -----BEGIN CERTIFICATE-----"
    )]
    Empty,
}

impl CaFile {
    /// Reads the certificates. Skips unusable ones: bundles sometimes contain one that is too old.
    ///
    /// # Errors
    /// [`CaFileError::Unreadable`] or [`CaFileError::Empty`].
    pub fn read(path: &Path) -> Result<Self, CaFileError> {
        let found = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(CaFileError::Unreadable)?;
        let usable = |certificate: &CertificateDer<'static>| {
            RootCertStore::empty().add(certificate.clone()).is_ok()
        };
        let certificates: Vec<_> = found.into_iter().filter(usable).collect();
        if certificates.is_empty() {
            return Err(CaFileError::Empty);
        }
        Ok(Self(certificates.into()))
    }

    /// The certificates, in the order of the file.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// A root store with only these authorities.
    pub(crate) fn root_store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.0.iter().cloned());
        store
    }

    /// A root store with these and the public authorities.
    pub(crate) fn root_store_with_public(&self) -> RootCertStore {
        let mut store = self.root_store();
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        store
    }

    /// These and the public authorities as PEM, for a client that accepts only PEM.
    pub(crate) fn pem_with_public(&self) -> String {
        let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        self.0.iter().chain(public).map(to_pem).collect()
    }
}

fn to_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

impl fmt::Debug for CaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaFile({} certificates)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["authority".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    fn read(text: &str) -> Result<CaFile, CaFileError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, text).unwrap();
        CaFile::read(&file)
    }

    #[test]
    fn other_text_and_unusable_certificates_are_skipped() {
        let (one, other) = (certificate(), certificate());
        let key = KeyPair::generate().unwrap().serialize_pem();
        let useless = to_pem(&CertificateDer::from_slice(b"no certificate"));
        for text in [
            format!("{one}{other}"),
            format!("# our authorities\n{one}\n\nthe other:\n{other}"),
            format!("{key}{one}{useless}{other}"),
        ] {
            assert_eq!(read(&text).unwrap().certificates().len(), 2, "{text}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let useless = to_pem(&CertificateDer::from_slice(b"no certificate"));
        for text in ["", "\n", "certificate", key.as_str(), useless.as_str()] {
            assert!(matches!(read(text), Err(CaFileError::Empty)), "{text}");
        }
        let whole = certificate();
        let cut = whole.split_at(whole.len() / 2).0;
        let odd = whole.replacen('M', "\u{e9}", 3);
        for text in [cut, odd.as_str()] {
            assert!(
                matches!(read(text), Err(CaFileError::Unreadable(_))),
                "{text}"
            );
        }
        let missing = CaFile::read(Path::new("/nowhere/ca.pem")).unwrap_err();
        assert!(matches!(missing, CaFileError::Unreadable(_)), "{missing}");
    }

    #[test]
    fn the_public_authorities_are_added() {
        let ours = read(&certificate()).unwrap();
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        assert_eq!(ours.root_store().len(), 1);
        assert_eq!(ours.root_store_with_public().len(), public + 1);
        let again = read(&ours.pem_with_public()).unwrap();
        assert!(again.certificates().len() > public / 2);
        assert_eq!(again.certificates()[0], ours.certificates()[0]);
    }
}
