//! The markers of reasoning, and control tokens of chat templates.

/// The first characters of all markers.
pub(super) const FIRST_CHARS: [char; 3] = ['<', '[', '◁'];

/// What a marker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkerEffect {
    /// Reasoning begins.
    Opens,
    /// Reasoning ends, and began at the start of the text unless it was opened.
    ClosesAll,
    /// Reasoning ends if it was opened.
    ClosesIfOpen,
    /// A control token; it is removed.
    Removed,
}

const MARKERS: [(&str, MarkerEffect); 22] = [
    ("<think>", MarkerEffect::Opens),
    ("</think>", MarkerEffect::ClosesAll),
    ("<thinking>", MarkerEffect::Opens),
    ("</thinking>", MarkerEffect::ClosesAll),
    ("<thought>", MarkerEffect::Opens),
    ("</thought>", MarkerEffect::ClosesAll),
    ("<reasoning>", MarkerEffect::Opens),
    ("</reasoning>", MarkerEffect::ClosesAll),
    ("[THINK]", MarkerEffect::Opens),
    ("[/THINK]", MarkerEffect::ClosesAll),
    ("◁think▷", MarkerEffect::Opens),
    ("◁/think▷", MarkerEffect::ClosesAll),
    // Harmony format (gpt-oss), when the server does not parse it.
    ("<|channel|>analysis", MarkerEffect::Opens),
    ("<|channel|>commentary", MarkerEffect::Opens),
    ("<|channel|>final", MarkerEffect::ClosesIfOpen),
    ("<|start|>assistant", MarkerEffect::Removed),
    ("<|message|>", MarkerEffect::Removed),
    ("<|end|>", MarkerEffect::ClosesIfOpen),
    ("<|return|>", MarkerEffect::Removed),
    ("<|im_end|>", MarkerEffect::Removed),
    ("<|eot_id|>", MarkerEffect::Removed),
    ("<|endoftext|>", MarkerEffect::Removed),
];

/// The result of matching the start of a text.
pub(super) enum MarkerMatch<'t> {
    /// A marker, and the text after it.
    Marker {
        effect: MarkerEffect,
        mark: &'t str,
        after: &'t str,
    },
    /// The start of a marker, perhaps: the next chunk decides.
    Incomplete,
    /// No marker: the first character and the rest.
    None { start: &'t str, after: &'t str },
}

/// Matches the start of `text`, which begins with one of [`FIRST_CHARS`].
pub(super) fn match_start(text: &str) -> MarkerMatch<'_> {
    let mut begins = false;
    for (name, effect) in MARKERS {
        match text.split_at_checked(name.len()) {
            Some((mark, after)) if mark.eq_ignore_ascii_case(name) => {
                return MarkerMatch::Marker {
                    effect,
                    mark,
                    after,
                };
            }
            _ => {
                begins |= name
                    .get(..text.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(text));
            }
        }
    }
    if begins {
        return MarkerMatch::Incomplete;
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let (start, after) = text.split_at_checked(first).unwrap_or((text, ""));
    MarkerMatch::None { start, after }
}
