//! One thing that is wrong with a request, in the form that clients of FastAPI parse.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// Stable name of the kind of fault.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is, such as `["body", "query"]`.
    pub loc: Vec<Place>,
    /// What is wrong, for a person.
    pub msg: String,
    /// What was sent there.
    pub input: Value,
    /// The bound or choice that was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// A step on the way to a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Place {
    /// A member.
    Name(String),
    /// A position.
    Index(usize),
}

impl Fault {
    /// A fault of a member of the body.
    #[must_use]
    pub fn at(member: &str, kind: &str, msg: impl Into<String>, input: &Value) -> Self {
        Self::new(&["body", member], kind, msg, input.clone())
    }

    /// A fault anywhere.
    #[must_use]
    pub fn new(loc: &[&str], kind: &str, msg: impl Into<String>, input: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            loc: loc
                .iter()
                .map(|step| Place::Name((*step).to_owned()))
                .collect(),
            msg: msg.into(),
            input,
            ctx: None,
        }
    }

    /// A text with a NUL character in it, which Postgres cannot store and no reader shows.
    #[must_use]
    pub fn nul(loc: &[&str], input: Value) -> Self {
        let msg = "Input should have no NUL character (U+0000)";
        Self::new(loc, "null_character", msg, input)
    }

    /// The same with its bound or choice.
    #[must_use]
    pub fn with(mut self, ctx: Value) -> Self {
        self.ctx = Some(ctx);
        self
    }

    /// A path parameter that is no UUID.
    #[must_use]
    pub fn uuid(parameter: &str, input: &str, error: &uuid::Error) -> Self {
        // The words that clients know of this fault; the parser has shortened its own since.
        let reason = error.to_string().replace(
            "length: found",
            "length: expected length 32 for simple format, found",
        );
        let msg = format!("Input should be a valid UUID, {reason}");
        Self::new(&["path", parameter], "uuid_parsing", msg, input.into())
            .with(json!({ "error": reason }))
    }
}
