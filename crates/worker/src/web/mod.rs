//! Everything that deals with pages: decoding their bytes and reading their main content.

pub mod charset;
pub mod extract;
