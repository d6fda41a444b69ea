//! Fetches pages without exposing the operator's own network, decodes their bytes and extracts
//! their main content.

pub mod charset;
pub mod extract;
pub mod fetch;
pub mod pdf;
pub mod tls;
