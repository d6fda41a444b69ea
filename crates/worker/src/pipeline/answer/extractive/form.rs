//! What the look of a sentence tells: navigation, or a word that points back.

/// Whether it guides through a page rather than saying something.
pub(super) fn is_navigation(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    if NAVIGATION.iter().any(|part| lower.contains(part)) {
        return true;
    }
    let credits = ["written by", "contributed by", "patch by", "source code:"];
    if credits.iter().any(|start| lower.starts_with(start)) {
        return true;
    }
    if lower.starts_with("see also") || lower.starts_with("see ") && lower.len() < 80 {
        return true;
    }
    sentence
        .matches(['|', '»', '›', '•', '¶', '→', '·'])
        .count()
        > 1
}

const NAVIGATION: [&str; 22] = [
    "table of contents",
    "cookie policy",
    "accept cookies",
    "we use cookies",
    "sign in",
    "sign up",
    "log in to",
    "subscribe",
    "click here",
    "read more",
    "all rights reserved",
    "privacy policy",
    "terms of service",
    "terms of use",
    "skip to",
    "newsletter",
    "next topic",
    "previous topic",
    "report a bug",
    "show source",
    "copyright ©",
    "©",
];

/// Openings that mean nothing without the sentence before.
pub(super) fn is_dangling(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty());
    let Some(first) = words.next() else {
        return false;
    };
    if lower.starts_with("for example")
        || lower.starts_with("in addition")
        || lower.starts_with("in this ")
        || lower.starts_with("as a result")
        || lower.starts_with("on the other hand")
        || lower.starts_with("in that ")
        || lower.starts_with("zum beispiel")
        || lower.starts_with("par exemple")
    {
        return true;
    }
    // "There is a way" points at nothing.
    let introduces = first == "there"
        && words
            .next()
            .is_some_and(|word| matches!(word, "is" | "are"));
    DANGLING.contains(&first) && !introduces
}

const DANGLING: [&str; 62] = [
    "it",
    "its",
    "this",
    "that",
    "these",
    "those",
    "they",
    "their",
    "he",
    "she",
    "his",
    "her",
    "however",
    "but",
    "and",
    "or",
    "so",
    "also",
    "then",
    "thus",
    "therefore",
    "hence",
    "instead",
    "otherwise",
    "moreover",
    "furthermore",
    "additionally",
    "nevertheless",
    "nonetheless",
    "similarly",
    "likewise",
    "conversely",
    "finally",
    "meanwhile",
    "such",
    "both",
    "here",
    "there",
    "another",
    "er",
    "sie",
    "dies",
    "diese",
    "dieser",
    "dieses",
    "jedoch",
    "aber",
    "auch",
    "dabei",
    "deshalb",
    "il",
    "elle",
    "cela",
    "cependant",
    "mais",
    "ils",
    "esto",
    "este",
    "esta",
    "pero",
    "además",
    "ello",
];
