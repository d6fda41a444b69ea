//! Validates a JSON body into a [`SearchRequest`](super::SearchRequest), as strictly as the
//! replaced Python service: numbers may be text, booleans may be 0, 1 or words, unknown members are
//! ignored, and all faults of a request are reported together.

mod body;
mod encoding;
mod field;
mod validation_error;

pub use body::{parse_body, search_request};
pub use encoding::decode;
pub use validation_error::{Fault, Place};

#[cfg(test)]
mod tests;
