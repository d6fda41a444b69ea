//! Takes the reasoning out of a model's text while it streams.

const OPENING: [&str; 2] = ["<think>", "<thinking>"];
const CLOSING: [&str; 2] = ["</think>", "</thinking>"];

/// Lets through what a reader may see: not what stands between `<think>` and `</think>`, even if
/// the tags are cut into pieces or never closed, and no white space before the first word. A
/// closing tag without an opening one is dropped; what was let through before it cannot be taken
/// back.
#[derive(Debug, Default)]
pub struct ThinkFilter {
    /// The beginning of what may become a tag.
    held: String,
    inside: bool,
    started: bool,
    /// Whether anything was taken out.
    hid: bool,
}

impl ThinkFilter {
    /// Takes the next piece of text; gives what of it (and of what was held back) is visible.
    pub fn feed(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let text = std::mem::take(&mut self.held);
        let mut visible = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, tail)) = rest.split_once('<') {
            self.show(before, &mut visible);
            match tag_at(tail) {
                Tag::Whole { opens, after } => {
                    self.inside = opens;
                    self.hid |= opens;
                    rest = after;
                }
                Tag::Beginning => {
                    self.held.push('<');
                    self.held.push_str(tail);
                    return visible;
                }
                Tag::None => {
                    self.show("<", &mut visible);
                    rest = tail;
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
        visible.push_str(text);
    }
}

enum Tag<'a> {
    Whole { opens: bool, after: &'a str },
    Beginning,
    None,
}

/// What `tail`, which stands behind a `<`, begins with.
fn tag_at(tail: &str) -> Tag<'_> {
    let tags = OPENING
        .iter()
        .map(|tag| (*tag, true))
        .chain(CLOSING.iter().map(|tag| (*tag, false)));
    for (tag, opens) in tags {
        let name = tag.trim_start_matches('<');
        match tail.split_at_checked(name.len()) {
            Some((head, after)) if head.eq_ignore_ascii_case(name) => {
                return Tag::Whole { opens, after };
            }
            Some(_) => {}
            None => {
                let begins = name
                    .get(..tail.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(tail));
                if begins {
                    return Tag::Beginning;
                }
            }
        }
    }
    Tag::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut filter = ThinkFilter::default();
        let mut visible: String = pieces.into_iter().map(|piece| filter.feed(piece)).collect();
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
            ("a</think>b", "ab"),
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

    proptest! {
        #[test]
        fn any_cut_gives_the_same_text(
            parts in prop::collection::vec("<think>|</think>|<thinking>|</THINK>|<|<th|>|[a-zä€ \n]{0,4}", 0..16),
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
