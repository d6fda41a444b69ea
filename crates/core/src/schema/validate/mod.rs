//! From JSON to a checked request, as lenient and as strict as the service this one replaces:
//! numbers may come as text, booleans as 0, 1 or words, unknown members are ignored, and every
//! fault of a request is found at once.

mod body;
mod encoding;
mod fault;
mod field;

pub use body::{parse_body, search_request};
pub use encoding::decode;
pub use fault::{Fault, Place};

#[cfg(test)]
mod tests;
