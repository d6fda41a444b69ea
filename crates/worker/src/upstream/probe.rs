//! The error that `check-config` reports for an upstream.

use std::fmt;

/// Why an upstream cannot be used, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeError {
    /// What is wrong, for a person; contains no key and no internal address.
    pub problem: String,
    /// What to set, if known.
    pub hint: Option<String>,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{}: {hint}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for ProbeError {}
