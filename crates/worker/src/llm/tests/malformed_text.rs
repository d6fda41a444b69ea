//! Servers that send invalid JSON, and models that write invisible characters.

use super::*;
use crate::cleaning::{is_invisible, tests::unwanted};

async fn complete_ok(answer: ResponseTemplate) -> Completion {
    let server = serve(answer).await;
    let (result, shown) = complete(&model(&server.uri(), None), soon()).await;
    let completion = result.unwrap();
    assert_eq!(completion.text, shown.trim_end());
    completion
}

/// A stream with one chunk per text; each text is the inside of a JSON string.
fn stream(texts: &[&str]) -> Vec<u8> {
    let chunks = texts.iter().map(|text| {
        format!("data: {{\"model\": \"m\", \"choices\": [{{\"delta\": {{\"content\": \"{text}\"}}}}]}}\n\n")
    });
    chunks
        .chain([finish_event("stop")])
        .collect::<String>()
        .into_bytes()
}

#[tokio::test]
async fn character_split_between_two_chunks_is_joined() {
    for texts in [
        vec!["Yes \\ud83d", "\\ude00 [1]."],
        vec!["Yes \\ud83d", "", "\\ude00 [1]."],
        vec!["Yes ", "\\ud83d", "\\ude00", " [1]."],
    ] {
        let completion = complete_ok(events(stream(&texts))).await;
        assert_eq!(completion.text, "Yes \u{1f600} [1].", "{texts:?}");
    }
}

#[tokio::test]
async fn invalid_character_does_not_fail_the_answer() {
    for (texts, expected) in [
        (["Yes \\ude00", " [1]."], "Yes \u{fffd} [1]."),
        (["Yes \\ud83d", " [1]."], "Yes  [1]."),
        (["Yes \\ud83d.", " [1]."], "Yes \u{fffd}. [1]."),
    ] {
        assert_eq!(complete_ok(events(stream(&texts))).await.text, expected);
    }
    let mut bytes = stream(&["Yes X", " [1]."]);
    let at = bytes.iter().position(|byte| *byte == b'X').unwrap();
    bytes[at] = 0xff;
    assert_eq!(complete_ok(events(bytes)).await.text, "Yes \u{fffd} [1].");
    let chunk = r#"data: {"choices": [{"logprobs": {"score": NaN}, "delta": {"content": "Yes"}}]}"#;
    let stream = format!("{chunk}\n\n{}", finish_event("stop"));
    assert_eq!(complete_ok(events(stream)).await.text, "Yes");
}

#[tokio::test]
async fn unstreamed_response_is_read_in_every_unicode_encoding() {
    let text = r#"{"model": "m", "choices": [{"logprobs": -Infinity, "message": {"content": "Yé \ud83d\ude00 \ud83d."}, "finish_reason": "stop"}]}"#;
    let marked = format!("\u{feff}{text}");
    let bodies: [Vec<u8>; 4] = [
        text.into(),
        marked.clone().into(),
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ];
    for body in bodies {
        let completion = complete_ok(ResponseTemplate::new(200).set_body_bytes(body)).await;
        assert_eq!(completion.text, "Y\u{e9} \u{1f600} \u{fffd}.");
        assert!(!completion.truncated);
    }
}

#[tokio::test]
async fn invisible_characters_are_removed_from_text_and_model_name() {
    let hidden: String = unwanted().collect();
    let chunk = serde_json::json!({
        "model": format!("m{hidden}odel"),
        "choices": [{"delta": {"content": format!("Y{hidden}es.\n\tMore.")}}],
    });
    let whole = serde_json::json!({
        "model": format!("m{hidden}odel"),
        "choices": [{"message": {"content": format!("Y{hidden}es.\n\tMore.")}, "finish_reason": "stop"}],
    });
    let streamed = events(format!("data: {chunk}\n\n{}", finish_event("stop")));
    for answer in [streamed, ResponseTemplate::new(200).set_body_json(whole)] {
        let completion = complete_ok(answer).await;
        assert_eq!(completion.text, "Yes.\n\tMore.");
        assert!(
            !completion.model.contains(is_invisible),
            "{:?}",
            completion.model
        );
        assert!(completion.model.starts_with('m') && completion.model.ends_with("odel"));
    }
}

#[tokio::test]
async fn answer_far_over_its_token_limit_is_cut() {
    let endless = "word \u{e4}".repeat(100_000);
    let many: String = (0..2_000)
        .map(|_| text_event(&"word \u{e4}".repeat(50)))
        .collect();
    for stream in [
        text_event(&endless) + &finish_event("stop"),
        many + &finish_event("stop"),
    ] {
        let completion = complete_ok(events(stream)).await;
        assert!(completion.truncated);
        let most = usize::try_from(prompt().max_tokens).unwrap() * 16;
        assert!((most / 2..=most).contains(&completion.text.len()));
    }
}
