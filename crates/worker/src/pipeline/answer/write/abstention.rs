//! Detects abstention: answers that only say that the sources do not answer the question.

use crate::pipeline::{answer::citations, text::sentences};

/// Longer answers, in characters, are never abstentions.
const MAX_ABSTENTION_CHARS: usize = 400;

/// Whether an answer says that the sources do not answer, and cites none of `sources` sources for
/// anything else.
pub(super) fn is_abstention(text: &str, sources: usize) -> bool {
    if text.chars().count() >= MAX_ABSTENTION_CHARS {
        return false;
    }
    let mut declines = false;
    for sentence in sentences(text) {
        let lower = sentence.to_lowercase();
        let says_so = ABSTENTION_PHRASES.iter().any(|part| lower.contains(part));
        let tells = !citations::cited_numbers(sentence, sources).is_empty()
            && (!says_so || CONTRAST_WORDS.iter().any(|word| lower.contains(word)));
        if tells {
            return false;
        }
        declines |= says_so;
    }
    declines
}

const ABSTENTION_PHRASES: [&str; 17] = [
    "do not answer",
    "don't answer",
    "does not answer",
    "do not contain",
    "don't contain",
    "does not contain",
    "do not provide",
    "does not provide",
    "do not mention",
    "do not say",
    "no information",
    "beantworten diese frage nicht",
    "beantworten die frage nicht",
    "keine information",
    "ne répondent pas",
    "no responden",
    "non rispondono",
];

/// After one of these, such a sentence states something.
const CONTRAST_WORDS: [&str; 5] = [" but ", "however", " aber ", " mais ", " pero "];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_cited_fact_is_an_abstention() {
        for (text, expected) in [
            ("The sources do not answer this question.", true),
            ("The sources do not contain the price [1][2].", true),
            (
                "I am sorry. Die Quellen beantworten diese Frage nicht.",
                true,
            ),
            (
                "Mars is a planet [1]. The sources do not mention its limits.",
                false,
            ),
            (
                "The sources do not mention its mass, but it is a planet [1].",
                false,
            ),
            ("Mars is a planet [1].", false),
        ] {
            assert_eq!(is_abstention(text, 2), expected, "{text}");
        }
    }
}
