//! What one JSON object of a completion says: a chunk of a stream or a whole answer. Read member by
//! member, because servers differ in what they leave out.

use privachat_core::schema::Usage;
use serde_json::Value;

/// The parts of a chunk that matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Text of the answer.
    pub(super) text: String,
    /// Whether it holds reasoning that comes apart from the text.
    pub(super) reasons: bool,
    /// Why the model stopped.
    pub(super) finish: Option<String>,
    /// Tokens spent.
    pub(super) usage: Option<Usage>,
    /// The model that answers.
    pub(super) model: Option<String>,
}

/// Reads `object`.
pub(super) fn read(object: &Value) -> Chunk {
    let choice = object.pointer("/choices/0").unwrap_or(&Value::Null);
    let message = choice.get("delta").or_else(|| choice.get("message"));
    let message = message.unwrap_or(&Value::Null);
    let reasons = ["reasoning_content", "reasoning"]
        .iter()
        .filter_map(|name| message.get(name)?.as_str())
        .any(|text| !text.is_empty());
    Chunk {
        text: content(message.get("content")),
        reasons,
        finish: filled(choice.get("finish_reason")),
        usage: usage(object),
        model: filled(object.get("model")),
    }
}

/// The tokens that `object` (a chunk or a whole answer) reports.
pub(crate) fn usage(object: &Value) -> Option<Usage> {
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

/// Content is a text, or a list of parts of which some are text.
fn content(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => String::new(),
    }
}

fn filled(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_a_chunk_is_read() {
        let text = |object: Value| read(&object).text;
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
            assert_eq!(read(&empty), Chunk::default(), "{empty}");
        }
    }

    #[test]
    fn usage_without_a_total_is_added_up() {
        let spent = usage(&json!({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}));
        assert_eq!(spent.unwrap().total_tokens, 7);
        assert_eq!(usage(&json!({"usage": null})), None);
    }
}
