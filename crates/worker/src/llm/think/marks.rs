//! The marks by which models and their templates set reasoning apart.

/// The characters that marks begin with.
pub(super) const STARTS: [char; 3] = ['<', '[', '◁'];

/// What a mark does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Reasoning follows.
    Opens,
    /// All before it was reasoning, opened or not.
    Closes,
    /// Ends reasoning if there was any.
    Ends,
    /// A control token that is no text.
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
    // harmony, as gpt-oss writes it when the server does not take it apart
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

/// What stands at the beginning of a text.
pub(super) enum Found<'t> {
    /// A mark, and what comes after it.
    Whole {
        effect: Effect,
        mark: &'t str,
        after: &'t str,
    },
    /// What the next piece may make a mark of.
    Beginning,
    /// Plain text: its first character and the rest.
    None { start: &'t str, after: &'t str },
}

/// What `text`, which begins with one of [`STARTS`], begins with.
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
