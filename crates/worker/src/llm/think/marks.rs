//! The markers of reasoning, and control tokens of chat templates.

/// The first characters of all markers.
pub(super) const STARTS: [char; 3] = ['<', '[', '◁'];

/// What a marker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Reasoning begins.
    Opens,
    /// Reasoning ends, and began at the start of the text unless it was opened.
    Closes,
    /// Reasoning ends if it was opened.
    Ends,
    /// A control token; it is removed.
    Nothing,
}

const MARKS: [(&str, Effect); 22] = [
    ("<think>", Effect::Opens),
    ("</think>", Effect::Closes),
    ("<thinking>", Effect::Opens),
    ("</thinking>", Effect::Closes),
    ("<thought>", Effect::Opens),
    ("</thought>", Effect::Closes),
    ("<reasoning>", Effect::Opens),
    ("</reasoning>", Effect::Closes),
    ("[THINK]", Effect::Opens),
    ("[/THINK]", Effect::Closes),
    ("◁think▷", Effect::Opens),
    ("◁/think▷", Effect::Closes),
    // Harmony format (gpt-oss), when the server does not parse it.
    ("<|channel|>analysis", Effect::Opens),
    ("<|channel|>commentary", Effect::Opens),
    ("<|channel|>final", Effect::Ends),
    ("<|start|>assistant", Effect::Nothing),
    ("<|message|>", Effect::Nothing),
    ("<|end|>", Effect::Ends),
    ("<|return|>", Effect::Nothing),
    ("<|im_end|>", Effect::Nothing),
    ("<|eot_id|>", Effect::Nothing),
    ("<|endoftext|>", Effect::Nothing),
];

/// The result of matching the start of a text.
pub(super) enum Found<'t> {
    /// A marker, and the text after it.
    Whole {
        effect: Effect,
        mark: &'t str,
        after: &'t str,
    },
    /// The start of a marker, perhaps: the next chunk decides.
    Beginning,
    /// No marker: the first character and the rest.
    None { start: &'t str, after: &'t str },
}

/// Matches the start of `text`, which begins with one of [`STARTS`].
pub(super) fn at(text: &str) -> Found<'_> {
    let mut begins = false;
    for (name, effect) in MARKS {
        match text.split_at_checked(name.len()) {
            Some((mark, after)) if mark.eq_ignore_ascii_case(name) => {
                return Found::Whole {
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
        return Found::Beginning;
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let (start, after) = text.split_at_checked(first).unwrap_or((text, ""));
    Found::None { start, after }
}
