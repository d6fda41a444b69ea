//! How long an engine usually takes.
