//! Parses and validates the body of a search request.

use super::{Fault, Place, decode, field};
use crate::schema::SearchRequest;
use serde_json::{Map, Value, error::Category, json};

const MAX_QUERY_CHARS: usize = 5000;
const MAX_URL_CHARS: usize = 2048;
const MODES: &str = "'speed', 'balanced' or 'deep'";
const ENGINES: &str = "'searxng', 'serperdev', 'perplexity', 'auto', 'wikipedia' or 'local'";
const STRATEGIES: &str = "'static', 'dynamic' or 'auto'";

/// Parses a body as JSON.
///
/// # Errors
/// `missing` for an empty body, `json_invalid` for one that is no JSON.
pub fn parse_body(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.is_empty() {
        return Err(Fault::new(
            &["body"],
            "missing",
            "Field required",
            Value::Null,
        ));
    }
    match decode(bytes) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            json_error(
                json_error_reason(&error),
                json_error_position(text.as_bytes(), &error),
            )
        }),
        Err(encoding) => {
            let sound =
                std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
            let before = String::from_utf8_lossy(bytes.get(..sound).unwrap_or_default());
            Err(json_error(
                &format!("Invalid {encoding}"),
                before.chars().count(),
            ))
        }
    }
}

fn json_error(reason: &str, position: usize) -> Fault {
    let mut fault = Fault::new(&["body"], "json_invalid", "JSON decode error", json!({}))
        .with_context(json!({ "error": reason }));
    fault.loc.push(Place::Index(position));
    fault
}

/// Validates a parsed body.
///
/// # Errors
/// All faults, in the order of the members.
pub fn search_request(body: &Value) -> Result<SearchRequest, Vec<Fault>> {
    let Value::Object(members) = body else {
        return Err(vec![not_an_object(body)]);
    };
    let mut form = BodyReader {
        members,
        faults: Vec::new(),
    };
    let query = form.query(body);
    let request = SearchRequest {
        direct: false,
        query: query.unwrap_or_default(),
        mode: form
            .optional("mode", |value| field::choice("mode", value, MODES))
            .unwrap_or_default(),
        max_sources: form
            .optional("max_sources", |value| {
                field::integer("max_sources", value, &(5..=50))
            })
            .and_then(|number| usize::try_from(number).ok()),
        timeout: form.seconds("timeout", 10, 300),
        model: form.optional("model", |value| field::string("model", value)),
        search_engine: form
            .optional("search_engine", |value| {
                field::choice("search_engine", value, ENGINES)
            })
            .unwrap_or_default(),
        prompt_strategy: form
            .optional("prompt_strategy", |value| {
                field::choice("prompt_strategy", value, STRATEGIES)
            })
            .unwrap_or_default(),
        enable_diversity: form.boolean("enable_diversity", true),
        enable_recency: form.boolean("enable_recency", false),
        enable_query_aware: form.boolean("enable_query_aware", false),
        async_mode: form.boolean("async_mode", false),
        ttl_seconds: form.seconds("ttl_seconds", 60, 604_800),
        cache: form.boolean("cache", true),
        callback_url: form.optional("callback_url", |value| {
            field::http_url("callback_url", value, MAX_URL_CHARS)
        }),
    };
    if form.faults.is_empty() {
        return Ok(request);
    }
    Err(form.faults)
}

/// The fault of a body that is no JSON object.
pub(super) fn not_an_object(input: &Value) -> Fault {
    let msg = "Input should be a valid dictionary or object to extract fields from";
    Fault::new(&["body"], "model_attributes_type", msg, input.clone())
}

struct BodyReader<'a> {
    members: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl BodyReader<'_> {
    fn query(&mut self, body: &Value) -> Option<String> {
        let Some(value) = self.members.get("query") else {
            self.faults
                .push(Fault::in_body("query", "missing", "Field required", body));
            return None;
        };
        self.record_fault(field::query(value, MAX_QUERY_CHARS))
    }

    /// A member that may be missing or null.
    fn optional<T>(
        &mut self,
        member: &str,
        read: impl Fn(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        let value = self.members.get(member).filter(|value| !value.is_null())?;
        self.record_fault(read(value))
    }

    /// A member that may be missing, but not null.
    fn boolean(&mut self, member: &str, default: bool) -> bool {
        let Some(value) = self.members.get(member) else {
            return default;
        };
        self.record_fault(field::boolean(member, value))
            .unwrap_or(default)
    }

    fn seconds(&mut self, member: &str, least: i64, most: i64) -> Option<u64> {
        self.optional(member, |value| {
            field::integer(member, value, &(least..=most))
        })
        .and_then(|number| u64::try_from(number).ok())
    }

    fn record_fault<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }
}

/// The reason in the words of the old service's JSON parser.
fn json_error_reason(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    let known = [
        (
            "key must be a string",
            "Expecting property name enclosed in double quotes",
        ),
        ("EOF while parsing a string", "Unterminated string"),
        ("EOF while parsing an object", "Expecting ',' delimiter"),
        ("EOF while parsing a list", "Expecting ',' delimiter"),
        ("expected `:`", "Expecting ':' delimiter"),
        ("expected `,`", "Expecting ',' delimiter"),
        ("trailing comma", "Illegal trailing comma"),
        ("trailing characters", "Extra data"),
        ("control character", "Invalid control character"),
        ("escape", "Invalid \\escape"),
        ("surrogate", "Invalid \\uXXXX escape"),
        ("recursion limit", "Nested too deeply"),
    ];
    let found = known.iter().find(|(ours, _)| text.contains(ours));
    match (found, error.classify()) {
        (Some((_, theirs)), _) => theirs,
        (None, Category::Syntax | Category::Eof | Category::Data | Category::Io) => {
            "Expecting value"
        }
    }
}

/// The position where the parser stopped, in characters from the start.
fn json_error_position(bytes: &[u8], error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let before: usize = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(lines_before)
        .map(<[u8]>::len)
        .sum();
    // The column includes the byte that stopped the parser, except at the end of the text.
    let at_end = error.classify() == Category::Eof;
    let stopped = before + error.column().saturating_sub(usize::from(!at_end));
    let read = bytes.get(..stopped).unwrap_or(bytes);
    String::from_utf8_lossy(read).chars().count()
}
