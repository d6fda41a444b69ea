//! [`Fault`]: a validation error of a request, in the format of FastAPI.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One validation error of a request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// The stable name of the error type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The path to the invalid value, such as `["body", "query"]`.
    pub loc: Vec<Place>,
    /// The description for a person.
    pub msg: String,
    /// The invalid value.
    pub input: Value,
    /// The violated bound or the allowed values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// One step of the path to an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Place {
    /// The name of a member.
    Name(String),
    /// A position in characters.
    Index(usize),
}

impl Fault {
    /// An error in a member of the body.
    #[must_use]
    pub fn in_body(member: &str, kind: &str, msg: impl Into<String>, input: &Value) -> Self {
        Self::new(&["body", member], kind, msg, input.clone())
    }

    /// An error at any path.
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

    /// A text with a NUL character, which Postgres cannot store.
    #[must_use]
    pub fn null_character(loc: &[&str], input: Value) -> Self {
        let msg = "Input should have no NUL character (U+0000)";
        Self::new(loc, "null_character", msg, input)
    }

    /// Adds the violated bound or the allowed values.
    #[must_use]
    pub fn with_context(mut self, ctx: Value) -> Self {
        self.ctx = Some(ctx);
        self
    }

    /// A path parameter that is not a UUID.
    #[must_use]
    pub fn invalid_uuid(parameter: &str, input: &str, error: &uuid::Error) -> Self {
        // Clients know this longer wording, which the parser has since shortened.
        let reason = error.to_string().replace(
            "length: found",
            "length: expected length 32 for simple format, found",
        );
        let msg = format!("Input should be a valid UUID, {reason}");
        Self::new(&["path", parameter], "uuid_parsing", msg, input.into())
            .with_context(json!({ "error": reason }))
    }
}
