//! Whether a sentence tells somebody what to do.

use super::{
    score::contains_word,
    sentence::Sentence,
    words::{ADVICE, IMPERATIVES},
};

/// "Let it dry, then oil it": a clause after a comma or "and" that says what to do.
fn later_imperative(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.split([',', ':', ';']).skip(1).any(|clause| {
        let mut words = clause
            .split_whitespace()
            .skip_while(|word| matches!(*word, "then" | "and" | "or" | "just"));
        words
            .next()
            .is_some_and(|word| IMPERATIVES.contains(&word) && word != "to" && word != "if")
    })
}

pub(super) fn instruction(sentence: &Sentence) -> f64 {
    let first = sentence
        .text
        .split_whitespace()
        .next()
        .map(str::to_lowercase)
        .unwrap_or_default();
    let imperative = IMPERATIVES.contains(&first.as_str()) || later_imperative(&sentence.text);
    let advice = contains_word(&sentence.text, ADVICE);
    let step = if sentence.list_item { 0.1 } else { 0.0 };
    step + if imperative {
        0.25
    } else if advice {
        0.15
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_clause_may_say_what_to_do() {
        for (text, tells) in [
            ("Let the paint dry, then apply a second coat.", true),
            ("When it is warm, open the lid.", true),
            ("The lid is red, the pot is blue.", false),
        ] {
            assert_eq!(later_imperative(text), tells, "{text}");
        }
    }
}
