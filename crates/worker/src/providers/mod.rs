//! Everything that can be searched: one module per provider.

pub mod local;
