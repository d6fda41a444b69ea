//! Reads one JSON object of a completion: a chunk of a stream or a whole response. Servers omit
//! different fields, so each is read on its own.

use privachat_core::schema::Usage;
use serde_json::Value;

/// The fields of a chunk that are used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Answer text; may be empty.
    pub(super) text: String,
    /// Whether it holds reasoning in a field of its own.
    pub(super) has_reasoning: bool,
    /// The finish reason.
    pub(super) finish_reason: Option<String>,
    /// Token counts.
    pub(super) usage: Option<Usage>,
    /// The name of the model, as the server gives it.
    pub(super) model: Option<String>,
}

pub(super) fn parse(object: &Value) -> Chunk {
    let choice = object.pointer("/choices/0").unwrap_or(&Value::Null);
    let message = choice.get("delta").or_else(|| choice.get("message"));
    let message = message.unwrap_or(&Value::Null);
    let reasons = ["reasoning_content", "reasoning"]
        .iter()
        .filter_map(|name| message.get(name)?.as_str())
        .any(|text| !text.is_empty());
    Chunk {
        text: content_text(message.get("content")),
        has_reasoning: reasons,
        finish_reason: non_empty_text(choice.get("finish_reason")),
        usage: parse_usage(object),
        model: non_empty_text(object.get("model")),
    }
}

/// The token counts of `object`, a chunk or a whole response.
pub(crate) fn parse_usage(object: &Value) -> Option<Usage> {
    let counts = object.get("usage")?;
    let count = |name: &str| counts.get(name).and_then(Value::as_u64);
    let prompt_tokens = count("prompt_tokens")?;
    let completion_tokens = count("completion_tokens").unwrap_or(0);
    let sum = prompt_tokens.saturating_add(completion_tokens);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: count("total_tokens").unwrap_or(sum),
    })
}

/// Content is a string, or a list of parts of which some hold text.
fn content_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => String::new(),
    }
}

fn non_empty_text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_chunk_formats_are_parsed() {
        let text = |object: Value| parse(&object).text;
        assert_eq!(text(json!({"choices": [{"delta": {"content": "a"}}]})), "a");
        assert_eq!(
            text(json!({"choices": [{"message": {"content": "a"}}]})),
            "a"
        );
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]);
        assert_eq!(
            text(json!({"choices": [{"delta": {"content": parts}}]})),
            "ab"
        );
        for empty in [
            json!({}),
            json!({"choices": []}),
            json!({"choices": null}),
            json!({"choices": [{}]}),
            json!({"choices": [{"delta": {}}]}),
            json!({"choices": [{"delta": null, "finish_reason": null}]}),
            json!({"choices": [{"delta": {"content": null}}]}),
            json!([1, 2]),
        ] {
            assert_eq!(parse(&empty), Chunk::default(), "{empty}");
        }
    }

    #[test]
    fn missing_total_tokens_are_summed() {
        let spent = parse_usage(&json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}));
        assert_eq!(spent.unwrap().total_tokens, 7);
        assert_eq!(parse_usage(&json!({"usage": null})), None);
    }
}
