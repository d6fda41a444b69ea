//! Removes reasoning from a model's text while it streams.

mod markers;

use markers::{FIRST_CHARS, MarkerEffect, MarkerMatch};

/// Passes on visible text only. It removes reasoning between its markers (`<think>`, `[THINK]`,
/// `◁think▷`, harmony channels), also when a marker is split between chunks or never closed;
/// control tokens; and white space before the first word. Markers in code (after a backtick) are
/// text.
///
/// Some templates open the reasoning in the prompt, so that only a closing marker appears: all text
/// before it was reasoning. [`ReasoningFilter::take_discard`] then reports that the text passed on so far
/// must be discarded.
#[derive(Debug, Default)]
pub struct ReasoningFilter {
    /// Text that may be the start of a marker.
    pending: String,
    in_reasoning: bool,
    started: bool,
    discard_pending: bool,
    /// Whether any reasoning was removed.
    has_removed: bool,
    /// Whether the last visible character is a backtick.
    after_backtick: bool,
}

impl ReasoningFilter {
    /// Adds a chunk; returns the visible text of it and of what was held back.
    pub fn feed(&mut self, piece: &str) -> String {
        self.pending.push_str(piece);
        let text = std::mem::take(&mut self.pending);
        let mut visible = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(FIRST_CHARS) {
            let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.emit(before, &mut visible);
            match markers::match_start(tail) {
                MarkerMatch::Marker { after, mark, .. }
                    if self.after_backtick && !self.in_reasoning =>
                {
                    self.emit(mark, &mut visible);
                    rest = after;
                }
                MarkerMatch::Marker { effect, after, .. } => {
                    self.apply(effect, &mut visible);
                    rest = after;
                }
                MarkerMatch::Incomplete => {
                    self.pending.push_str(tail);
                    return visible;
                }
                MarkerMatch::None { start, after } => {
                    self.emit(start, &mut visible);
                    rest = after;
                }
            }
        }
        self.emit(rest, &mut visible);
        visible
    }

    /// The text that is still held back, at the end of the stream.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.pending);
        let mut visible = String::new();
        self.emit(&held, &mut visible);
        visible
    }

    /// Whether reasoning was removed.
    #[must_use]
    pub fn has_removed_reasoning(&self) -> bool {
        self.has_removed
    }

    /// Whether the text before the last chunk turned out to be reasoning; true once.
    pub fn take_discard(&mut self) -> bool {
        std::mem::take(&mut self.discard_pending)
    }

    fn apply(&mut self, effect: MarkerEffect, visible: &mut String) {
        match effect {
            MarkerEffect::Opens => {
                self.in_reasoning = true;
                self.has_removed = true;
            }
            MarkerEffect::ClosesAll if !self.in_reasoning => {
                self.discard_pending |= self.started;
                self.has_removed |= self.started;
                self.started = false;
                self.after_backtick = false;
                visible.clear();
            }
            MarkerEffect::ClosesAll | MarkerEffect::ClosesIfOpen => self.in_reasoning = false,
            MarkerEffect::Removed => {}
        }
    }

    fn emit(&mut self, text: &str, visible: &mut String) {
        if self.in_reasoning {
            return;
        }
        let text = if self.started {
            text
        } else {
            text.trim_start()
        };
        self.started |= !text.is_empty();
        if let Some(last) = text.chars().last() {
            self.after_backtick = last == '`';
        }
        visible.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut filter = ReasoningFilter::default();
        let mut visible = String::new();
        for piece in pieces {
            let more = filter.feed(piece);
            if filter.take_discard() {
                visible.clear();
            }
            visible.push_str(&more);
        }
        visible.push_str(&filter.finish());
        visible
    }

    #[test]
    fn reasoning_is_removed() {
        for (text, visible) in [
            ("<think>hm</think>\n\nAnswer", "Answer"),
            ("Answer <THINK>hm</THINK>more", "Answer more"),
            ("<thinking>a < b </thinking>x", "x"),
            ("<think>never closed, never shown", ""),
            ("Okay, the user wants\n</think>\n\nanswer", "answer"),
            ("a</think>b [1]</think>c", "c"),
            ("[THINK]hm [1][/THINK]Answer [1].", "Answer [1]."),
            ("◁think▷hm◁/think▷Answer", "Answer"),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Answer<|return|>",
                "Answer",
            ),
            (
                "<|channel|>commentary<|message|>hm<|channel|>final<|message|>Answer",
                "Answer",
            ),
            (
                "Models write `<think>` and `</think>` tags.",
                "Models write `<think>` and `</think>` tags.",
            ),
            ("Answer<|im_end|>", "Answer"),
            ("a <b>bold</b> <thin", "a <b>bold</b> <thin"),
            ("if a<thinker", "if a<thinker"),
            ("  \n plain", "plain"),
            ("<think>a<think>b</think>c", "c"),
            ("größer <", "größer <"),
        ] {
            assert_eq!(filter([text]), visible, "{text}");
        }
    }

    #[test]
    fn marker_split_into_letters_is_recognised() {
        let text = "<think>secret</think>open";
        let letters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(filter(letters.iter().map(String::as_str)), "open");
    }

    #[test]
    fn text_before_a_possible_marker_is_not_held_back() {
        let mut filter = ReasoningFilter::default();
        assert_eq!(filter.feed("seen <th"), "seen ");
        assert_eq!(filter.feed("e end"), "<the end");
    }

    #[test]
    fn text_before_a_lone_closing_marker_is_discarded() {
        let mut filter = ReasoningFilter::default();
        assert_eq!(filter.feed("The user asks"), "The user asks");
        assert!(!filter.take_discard());
        assert_eq!(filter.feed(" it.</think>It is"), "It is");
        assert!(filter.take_discard());
        assert!(!filter.take_discard());
    }

    proptest! {
        #[test]
        fn chunk_boundaries_do_not_change_the_text(
            parts in prop::collection::vec("<think>|</think>|<thinking>|</THINK>|<|<th|>|`|\\[THINK\\]|\\[/THINK\\]|\\[|◁think▷|◁/think▷|<\\|end\\|>|<\\|channel\\|>final|[a-zä€ \n]{0,4}", 0..16),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text = parts.concat();
            let chars: Vec<char> = text.chars().collect();
            let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(chars.len() + 1)).collect();
            borders.extend([0, chars.len()]);
            borders.sort_unstable();
            let pieces: Vec<String> = borders
                .windows(2)
                .filter_map(|pair| chars.get(pair[0]..pair[1]))
                .map(|piece| piece.iter().collect())
                .collect();
            let whole = filter([text.as_str()]);
            prop_assert_eq!(filter(pieces.iter().map(String::as_str)), whole);
        }

        #[test]
        fn only_reasoning_is_removed(
            parts in prop::collection::vec(("[a-zä>/ ]{0,6}", "[A-Z<ß ]{0,6}"), 0..6),
        ) {
            let text: String = parts
                .iter()
                .map(|(open, hidden)| format!("{open}<think>{hidden}</think>"))
                .collect();
            let open: String = parts.iter().map(|(open, _)| open.as_str()).collect();
            prop_assert_eq!(filter([text.as_str()]), open.trim_start());
        }
    }
}
