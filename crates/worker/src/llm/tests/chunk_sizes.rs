//! Streams in arbitrary chunks: the streamed text equals the text of the completion.

use super::{
    super::{completion::CompletionBuilder, error::ModelSource, sse::SseParser},
    *,
};
use crate::upstream::{fixture, fuzz::damaged};
use proptest::prelude::{any, *};

/// Texts of a model, with all markers and separators.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        Just("<think>".to_owned()),
        Just("</think>".to_owned()),
        Just("[THINK]".to_owned()),
        Just("[/THINK]".to_owned()),
        Just("<|channel|>analysis<|message|>".to_owned()),
        Just("<|channel|>final<|message|>".to_owned()),
        Just("<".to_owned()),
        Just("[".to_owned()),
        Just("data: [DONE]\n\n".to_owned()),
        "[a-zä€ \n\\[\\]0-9.`]{0,8}",
    ];
    prop::collection::vec(text, 0..12)
}

/// Feeds `bytes` in chunks; returns the text of the result and the streamed text.
fn feed_in_chunks(bytes: &[u8], pieces: usize) -> (Option<String>, String) {
    let mut shown = String::new();
    let mut on_piece = |piece: CompletionEvent<'_>| match piece {
        CompletionEvent::Text(text) => shown.push_str(text),
        CompletionEvent::Discard => shown.clear(),
    };
    let mut answer = CompletionBuilder::new("m", ModelSource::Configured, 1024, &mut on_piece);
    let mut parser = SseParser::default();
    let mut failed = None;
    for part in bytes.chunks(pieces) {
        let mut events = Vec::new();
        let _ = parser.feed(part, &mut events);
        for event in &events {
            failed = failed.or(answer.add_event(event).err());
        }
    }
    if let Some(event) = parser.finish() {
        failed = failed.or(answer.add_last_event(&event).err());
    }
    let text = match failed {
        Some(failure) => match failure.error {
            ModelError::Interrupted { partial, .. } => Some(partial),
            _ => None,
        },
        None => answer.finish().ok().map(|completion| completion.text),
    };
    (text, shown)
}

proptest! {
    #[test]
    fn streamed_text_equals_the_completion(
        texts in texts(),
        cut in any::<prop::sample::Index>(),
        pieces in 1usize..40,
    ) {
        let body: String = texts.iter().map(|text| text_event(text)).chain([finish_event("stop")]).collect();
        let bytes = body.as_bytes();
        let kept = bytes.get(..=cut.index(bytes.len())).unwrap_or(bytes);
        let (text, shown) = feed_in_chunks(kept, pieces);
        prop_assert_eq!(text.unwrap_or_default(), shown.trim_end());
    }

    #[test]
    fn chunk_size_does_not_change_the_result(texts in texts(), pieces in 1usize..40) {
        let body: String = texts.iter().map(|text| text_event(text)).chain([finish_event("stop")]).collect();
        prop_assert_eq!(feed_in_chunks(body.as_bytes(), pieces), feed_in_chunks(body.as_bytes(), usize::MAX));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), pieces in 1usize..40) {
        feed_in_chunks(&bytes, pieces);
    }

    #[test]
    fn damaged_stream_reads_the_same_in_any_chunk_size(
        body in damaged(
            ["stream.sse", "stream-usage.sse", "scripted-midfail.sse"]
                .map(|name| fixture::bytes(&format!("openai-compatible/{name}")))
                .to_vec(),
            &[""],
        ),
        pieces in 1usize..400,
    ) {
        prop_assert_eq!(feed_in_chunks(&body, pieces), feed_in_chunks(&body, usize::MAX));
    }
}
