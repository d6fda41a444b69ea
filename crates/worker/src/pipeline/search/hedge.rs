//! The next engine is asked when the first takes longer than usual.
