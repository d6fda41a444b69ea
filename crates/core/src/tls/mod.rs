//! TLS to the servers that the operator names: whom to trust beside the public authorities, and
//! what is wrong when a connection cannot be trusted.

mod ca_file;
mod fault;

pub use ca_file::{CaFile, CaFileError};
pub use fault::TlsFault;
