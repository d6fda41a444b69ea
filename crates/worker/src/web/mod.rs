//! Everything that deals with pages: fetching them without being turned against the operator's own
//! network, decoding their bytes and reading their main content.

pub mod charset;
pub mod extract;
pub mod fetch;
pub mod pdf;
pub mod tls;
