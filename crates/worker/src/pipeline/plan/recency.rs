//! Whether a question wants recent sources, and how recent.

use super::words::{Word, bare, words};
use crate::pipeline::provider::TimeRange;
use chrono::{DateTime, Datelike, Utc};

/// How much recency matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recency {
    pub(super) wants_recent: bool,
    pub(super) time_range: Option<TimeRange>,
    /// The only year that the question names.
    pub(super) year: Option<i32>,
}

const DAY: [&str; 9] = [
    "today",
    "today's",
    "tonight",
    "yesterday",
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
const THIS: [&str; 11] = [
    "this", "past", "last", "diese", "dieser", "diesen", "dieses", "letzte", "cette", "esta",
    "este",
];
const WEEKS: [&str; 4] = ["week", "woche", "semaine", "semana"];
const MONTHS: [&str; 4] = ["month", "monat", "mois", "mes"];
const YEARS: [&str; 4] = ["year", "jahr", "année", "año"];
/// The years that a question can be about: before, numbers of four digits are mostly amounts.
const FIRST_YEAR: i32 = 1500;

/// Looks for words of news and for a year that has not ended long ago.
pub(super) fn of(question: &str, now: DateTime<Utc>) -> Recency {
    let words = words(question);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.key.as_str()));
    let year = now.year();
    let names_year = |wanted: i32| words.iter().any(|word| word.key == wanted.to_string());

    let time_range = if has(&DAY) || follows_this(&words, &["hour"]) || says_breaking_news(&words) {
        Some(TimeRange::Day)
    } else if follows_this(&words, &WEEKS) {
        Some(TimeRange::Week)
    } else if asks_for_news(&words) || follows_this(&words, &MONTHS) {
        Some(TimeRange::Month)
    } else if has(&YEAR) || follows_this(&words, &YEARS) || names_year(year) {
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
        year: only_year(&words, year),
    }
}

fn follows_this(words: &[Word<'_>], units: &[&str]) -> bool {
    pairs(words).any(|(first, second)| {
        THIS.contains(&first.key.as_str()) && units.contains(&second.key.trim_end_matches("'s"))
    })
}

fn pairs<'w, 'q>(words: &'w [Word<'q>]) -> impl Iterator<Item = (&'w Word<'q>, &'w Word<'q>)> {
    words.iter().zip(words.iter().skip(1))
}

/// "Breaking" alone is a film, a rule or a wave.
fn says_breaking_news(words: &[Word<'_>]) -> bool {
    pairs(words).any(|(first, second)| first.key == "breaking" && second.key == "news")
}

/// Whether a word of news is meant as such, and is no part of a name ("Fox News", "fake news").
fn asks_for_news(words: &[Word<'_>]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let is_named = word.key == "news"
            && before.is_some_and(|before| {
                before.key == "fake" || (is_capitalised(word) && is_capitalised(before))
            });
        MONTH.contains(&word.key.as_str()) && !is_named
    })
}

fn is_capitalised(word: &Word<'_>) -> bool {
    bare(word.raw).starts_with(char::is_uppercase)
}

/// The year that the question is about; none when it names several.
fn only_year(words: &[Word<'_>], now: i32) -> Option<i32> {
    let mut years = words
        .iter()
        .filter(|word| word.key.len() == 4)
        .filter_map(|word| word.key.parse::<i32>().ok())
        .filter(|year| (FIRST_YEAR..=now + 1).contains(year));
    let first = years.next()?;
    years.all(|other| other == first).then_some(first)
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
