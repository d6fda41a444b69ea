//! TLS to configured servers: [`CaFile`] has additional authorities, [`TlsError`] explains a failed
//! connection.

mod ca_file;
mod tls_error;

pub use ca_file::{CaFile, CaFileError};
pub use tls_error::TlsError;
