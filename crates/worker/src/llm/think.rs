//! Takes the reasoning out of a model's text while it streams.

mod marks;

use marks::{Effect, Found, STARTS};

/// Lets through what a reader may see: not what stands between the marks of reasoning (`<think>`,
/// `[THINK]`, `◁think▷`, the channels of harmony), even if they are cut into pieces or never
/// closed, no control tokens, and no white space before the first word. Marks in code are text.
///
/// Templates that open the reasoning in the prompt leave a closing mark alone: all before it was
/// reasoning. What was let through by then is void; [`ThinkFilter::take_void`] says so.
#[derive(Debug, Default)]
pub struct ThinkFilter {
    /// The beginning of what may become a mark.
    held: String,
    inside: bool,
    started: bool,
    void: bool,
    /// Whether anything was taken out.
    hid: bool,
    /// Whether the last visible character opens code.
    quoted: bool,
}

impl ThinkFilter {
    /// Takes the next piece of text; gives what of it (and of what was held back) is visible.
    pub fn feed(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let text = std::mem::take(&mut self.held);
        let mut visible = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(STARTS) {
            let (before, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.show(before, &mut visible);
            match marks::at(tail) {
                Found::Whole { after, mark, .. } if self.quoted && !self.inside => {
                    self.show(mark, &mut visible);
                    rest = after;
                }
                Found::Whole { effect, after, .. } => {
                    self.apply(effect, &mut visible);
                    rest = after;
                }
                Found::Beginning => {
                    self.held.push_str(tail);
                    return visible;
                }
                Found::None { start, after } => {
                    self.show(start, &mut visible);
                    rest = after;
                }
            }
        }
        self.show(rest, &mut visible);
        visible
    }

    /// What was still held back, once nothing follows.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        let mut visible = String::new();
        self.show(&held, &mut visible);
        visible
    }

    /// Whether reasoning was taken out.
    #[must_use]
    pub fn hid_something(&self) -> bool {
        self.hid
    }

    /// Whether all that was let through before the last piece has turned out to be reasoning; says
    /// so once.
    pub fn take_void(&mut self) -> bool {
        std::mem::take(&mut self.void)
    }

    fn apply(&mut self, effect: Effect, visible: &mut String) {
        match effect {
            Effect::Opens => {
                self.inside = true;
                self.hid = true;
            }
            Effect::Closes if !self.inside => {
                self.void |= self.started;
                self.hid |= self.started;
                self.started = false;
                self.quoted = false;
                visible.clear();
            }
            Effect::Closes | Effect::Ends => self.inside = false,
            Effect::Nothing => {}
        }
    }

    fn show(&mut self, text: &str, visible: &mut String) {
        if self.inside {
            return;
        }
        let text = if self.started {
            text
        } else {
            text.trim_start()
        };
        self.started |= !text.is_empty();
        if let Some(last) = text.chars().last() {
            self.quoted = last == '`';
        }
        visible.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut filter = ThinkFilter::default();
        let mut visible = String::new();
        for piece in pieces {
            let more = filter.feed(piece);
            if filter.take_void() {
                visible.clear();
            }
            visible.push_str(&more);
        }
        visible.push_str(&filter.finish());
        visible
    }

    #[test]
    fn reasoning_is_never_visible() {
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
    fn a_tag_cut_into_letters_is_recognised() {
        let text = "<think>secret</think>open";
        let letters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(filter(letters.iter().map(String::as_str)), "open");
    }

    #[test]
    fn text_before_a_possible_tag_is_not_held_back() {
        let mut filter = ThinkFilter::default();
        assert_eq!(filter.feed("seen <th"), "seen ");
        assert_eq!(filter.feed("e end"), "<the end");
    }

    #[test]
    fn what_a_lone_closing_mark_ends_is_void() {
        let mut filter = ThinkFilter::default();
        assert_eq!(filter.feed("The user asks"), "The user asks");
        assert!(!filter.take_void());
        assert_eq!(filter.feed(" it.</think>It is"), "It is");
        assert!(filter.take_void());
        assert!(!filter.take_void());
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_text(
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
        fn exactly_the_reasoning_is_taken_out(
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
