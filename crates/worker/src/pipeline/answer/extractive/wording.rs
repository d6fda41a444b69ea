//! How the chosen sentences are written down, and what is said when there are none.

use super::{select::Chosen, sentence::Sentence};
use crate::pipeline::{Plan, RankedSource, check};

/// What a source has to carry of a sentence to be cited for one that it says in other words.
const CARRIES: f64 = 0.6;

/// A chosen sentence, and the code below it between fences: a line break ends that.
pub(super) fn written(pick: &Chosen, sources: &[RankedSource]) -> String {
    let sentence = cited(pick, sources);
    match &pick.rated.sentence.code {
        Some(code) => format!("{sentence}\n\n```\n{code}\n```\n"),
        None => sentence,
    }
}

/// A chosen sentence with its citations in front of its full stop.
fn cited(pick: &Chosen, sources: &[RankedSource]) -> String {
    let sentence = &pick.rated.sentence;
    let mut cited: Vec<usize> = pick
        .sources
        .iter()
        .copied()
        .filter(|source| *source == sentence.source || carries(*source, sentence, sources))
        .collect();
    cited.sort_unstable();
    let marks: String = cited
        .iter()
        .map(|source| format!("[{}]", source + 1))
        .collect();
    let text = &sentence.text;
    // An ellipsis is not a full stop, and what follows a quotation mark is none of it.
    let stop = text
        .chars()
        .last()
        .filter(|c| STOPS.contains(c) && !text.ends_with("..."));
    let Some((stop, bare)) = stop.and_then(|stop| Some((stop, text.strip_suffix(stop)?))) else {
        return format!("{text} {marks}");
    };
    format!("{bare} {marks}{stop}")
}

/// Whether another source says the sentence so that a reader finds it there.
fn carries(source: usize, sentence: &Sentence, sources: &[RankedSource]) -> bool {
    let Some(source) = sources.get(source) else {
        return false;
    };
    let claim = format!("{} [1]", sentence.text);
    let checked = check::check_by_words(&claim, std::slice::from_ref(source));
    checked.claims.iter().all(|claim| claim.support >= CARRIES)
}

const STOPS: [char; 6] = ['.', '!', '?', '。', '！', '？'];

/// What to say when the sources do not answer, in the language of the question where we speak it.
#[must_use]
pub fn abstention_text(plan: &Plan, sources: &[RankedSource]) -> String {
    let language = plan.language.as_deref().unwrap_or("en");
    let (plain, nearest) = match language {
        "de" => (
            "Die gefundenen Quellen beantworten diese Frage nicht.",
            "Am nächsten kommt ihr",
        ),
        "fr" => (
            "Les sources trouvées ne répondent pas à cette question.",
            "La plus proche est",
        ),
        "es" => (
            "Las fuentes encontradas no responden a esta pregunta.",
            "La más cercana es",
        ),
        "it" => (
            "Le fonti trovate non rispondono a questa domanda.",
            "La più vicina è",
        ),
        _ => (
            "The sources that were found do not answer this question.",
            "The nearest one is",
        ),
    };
    match sources.first() {
        None => plain.to_owned(),
        Some(source) => {
            let title = super::super::citations::strip(source.candidate.title.trim(), 0).0;
            let title = if title.trim().is_empty() {
                source.candidate.url.clone()
            } else {
                title
            };
            format!("{plain} {nearest} “{title}” [1].")
        }
    }
}
