//! What `check-config` finds out about ranking by meaning.
