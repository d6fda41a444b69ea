//! TLS to configured servers: [`CaFile`] has additional authorities, [`TlsFault`] explains a failed
//! connection.

mod ca_file;
mod fault;

pub use ca_file::{CaFile, CaFileError};
pub use fault::TlsFault;
