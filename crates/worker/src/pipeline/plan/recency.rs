//! Whether a question wants recent sources, and how recent.

use super::words::{Word, words};
use crate::pipeline::provider::TimeRange;
use chrono::{DateTime, Datelike, Utc};

/// How much recency matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recency {
    pub(super) wants_recent: bool,
    pub(super) time_range: Option<TimeRange>,
}

const DAY: [&str; 10] = [
    "today",
    "today's",
    "tonight",
    "yesterday",
    "breaking",
    "heute",
    "gestern",
    "aujourd'hui",
    "hoy",
    "ayer",
];
const MONTH: [&str; 9] = [
    "news",
    "headlines",
    "nachrichten",
    "neuigkeiten",
    "schlagzeilen",
    "actualité",
    "actualités",
    "noticias",
    "titulares",
];
const YEAR: [&str; 25] = [
    "latest",
    "newest",
    "recent",
    "recently",
    "lately",
    "upcoming",
    "aktuell",
    "aktuelle",
    "aktuellen",
    "aktueller",
    "aktuelles",
    "neueste",
    "neuesten",
    "neuester",
    "neuestes",
    "kürzlich",
    "récent",
    "récente",
    "récents",
    "récentes",
    "últimas",
    "últimos",
    "última",
    "reciente",
    "recientes",
];
/// Recent, but a correct page about it may be years old.
const NO_RANGE: [&str; 7] = [
    "currently",
    "nowadays",
    "derzeit",
    "momentan",
    "actuellement",
    "actualmente",
    "now",
];
/// "Current" after these is the one that flows.
const FLOWING: [&str; 9] = [
    "alternating",
    "direct",
    "electric",
    "electrical",
    "eddy",
    "ocean",
    "a",
    "of",
    "leakage",
];
const THIS: [&str; 5] = ["this", "past", "last", "diese", "dieser"];

/// Looks for words of news and for a year that has not ended long ago.
pub(super) fn of(question: &str, now: DateTime<Utc>) -> Recency {
    let words = words(question);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.key.as_str()));
    let year = now.year();
    let names_year = |wanted: i32| words.iter().any(|word| word.key == wanted.to_string());

    let time_range = if has(&DAY) || follows_this(&words, "hour") {
        Some(TimeRange::Day)
    } else if has(&MONTH) || follows_this(&words, "week") || follows_this(&words, "month") {
        Some(TimeRange::Month)
    } else if has(&YEAR) || follows_this(&words, "year") || names_year(year) {
        Some(TimeRange::Year)
    } else {
        None
    };
    Recency {
        wants_recent: time_range.is_some()
            || has(&NO_RANGE)
            || names_year(year - 1)
            || says_current(&words),
        time_range,
    }
}

fn follows_this(words: &[Word<'_>], unit: &str) -> bool {
    words
        .iter()
        .zip(words.iter().skip(1))
        .any(|(first, second)| {
            THIS.contains(&first.key.as_str()) && second.key.trim_end_matches("'s") == unit
        })
}

fn says_current(words: &[Word<'_>]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let flows = at
            .checked_sub(1)
            .and_then(|before| words.get(before))
            .is_some_and(|before| FLOWING.contains(&before.key.as_str()));
        word.key == "current" && !flows && at + 1 < words.len()
    })
}
