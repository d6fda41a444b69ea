//! Numbers in one form, however they are written.
