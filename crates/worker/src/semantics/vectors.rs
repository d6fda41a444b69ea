//! Vectors that were computed before, by the hash of their text.
