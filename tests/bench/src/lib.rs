//! Shared by the benchmarks: the documents and the record that they read.

pub mod documents;
pub mod record;
