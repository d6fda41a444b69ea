//! What `check-config` reports of an upstream that does not work.

use std::fmt;

/// Why an upstream cannot be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeError {
    /// What is wrong, for a person; no key, no internal address.
    pub problem: String,
    /// What to set, where that is known.
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
