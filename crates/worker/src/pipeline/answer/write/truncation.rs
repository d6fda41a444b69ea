//! Truncates an answer that ended early to its complete sentences.

use crate::pipeline::{answer::citations, text::sentence_ranges};

/// `text` up to its last complete sentence; `None` unless the result cites a source.
pub(super) fn complete_sentences(text: &str, sources: usize) -> Option<String> {
    let mut end = 0;
    for range in sentence_ranges(text) {
        let sentence = text.get(range.clone()).unwrap_or_default();
        if is_complete(sentence, sources) {
            end = range.end;
        }
    }
    let kept = text.get(..end)?.trim_end();
    let cited = !citations::cited_numbers(kept, sources).is_empty();
    cited.then(|| kept.to_owned())
}

fn is_complete(sentence: &str, sources: usize) -> bool {
    let (bare, _) = citations::strip(sentence.trim_end(), sources);
    bare.trim_end()
        .trim_end_matches(['"', '”', '\'', '’', ')', '*'])
        .ends_with(['.', '!', '?', '。', '！', '？'])
        && !sentence.trim_end().ends_with('[')
}
