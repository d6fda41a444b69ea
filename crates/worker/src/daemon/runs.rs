//! Searches that are the same run once.
