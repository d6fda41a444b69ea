//! What the benchmarks share: the documents that they read.

pub mod documents;
