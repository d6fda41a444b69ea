//! The failure of a job, and its JSON in the record.

use serde_json::{Map, Value};

/// Why a job failed.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFailure {
    /// For people.
    pub error: String,
    /// For programs: a code of `docs/ERRORS.md`.
    pub code: &'static str,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether a client cancelled the job.
    pub cancelled: bool,
    /// Further members of the record.
    pub extra: Map<String, Value>,
}

impl JobFailure {
    /// A failure without hint and further members.
    #[must_use]
    pub fn new(code: &'static str, error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            code,
            hint: None,
            cancelled: false,
            extra: Map::new(),
        }
    }

    /// The failure of a job that a client cancelled.
    #[must_use]
    pub fn cancelled() -> Self {
        Self {
            cancelled: true,
            ..Self::new("cancelled", "cancelled by client")
        }
    }

    /// The error as a JSON string.
    pub(super) fn error_json(&self) -> String {
        Value::from(self.error.as_str()).to_string()
    }

    /// The further members as JSON, each after a comma.
    pub(super) fn members_json(&self) -> String {
        let mut members = Map::new();
        members.insert("error_code".into(), self.code.into());
        members.insert("error_hint".into(), self.hint.clone().into());
        members.insert("cancelled".into(), self.cancelled.into());
        members.extend(self.extra.clone());
        let object = Value::Object(members).to_string();
        let inner = object.trim_start_matches('{');
        format!(",{}", inner.strip_suffix('}').unwrap_or(inner))
    }
}
