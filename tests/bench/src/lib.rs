//! What the benchmarks share: the documents and the record that they read.

pub mod documents;
pub mod record;
