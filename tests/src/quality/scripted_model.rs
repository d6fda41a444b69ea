//! A language model by fixed rules, behind real HTTP: it answers with the sentences of the prompt's
//! sources that share most words with the question, and makes known mistakes at a known rate. It
//! tests the pipeline around a model, not a model.

use super::answers::plain;
use crate::upstream::{Reply, Request, Upstream, model::Script};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Sentences of an answer.
const MAX_SENTENCES: usize = 3;
/// A sentence is used if its score reaches this share of the best one's.
const MIN_SHARE_OF_BEST: f64 = 0.7;
/// Below this score of the best sentence, the model says that it does not know.
const MIN_SCORE: f64 = 0.5;
/// Of a hundred sentences this many get a wrong citation, and as many more a wrong number.
const MISTAKES: u64 = 15;

/// What the model received for one question, and its answer.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) prompt: String,
    pub(super) written: Vec<ScriptedSentence>,
}

/// One sentence of the model.
#[derive(Debug, Clone)]
pub(super) struct ScriptedSentence {
    /// Without its citation.
    pub(super) text: String,
    pub(super) cites: usize,
    pub(super) mistaken: bool,
}

/// The model's server and all its exchanges, by question.
#[derive(Debug)]
pub struct ScriptedModel {
    upstream: Upstream,
    exchanges: Arc<Mutex<BTreeMap<String, Exchange>>>,
}

impl ScriptedModel {
    pub fn start() -> Self {
        let exchanges = Arc::new(Mutex::new(BTreeMap::new()));
        let shared = Arc::clone(&exchanges);
        let upstream = Upstream::start(move |request| reply(request, &shared));
        Self {
            upstream,
            exchanges,
        }
    }

    pub(super) fn settings(&self) -> [(&'static str, String); 2] {
        [
            ("LLM_BASE_URL", self.upstream.url_for("/v1")),
            ("LLM_MODEL", "scripted".to_owned()),
        ]
    }

    /// None when the question never reached the model.
    pub(super) fn exchange(&self, question: &str) -> Option<Exchange> {
        let exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        exchanges.get(question).cloned()
    }
}

fn reply(request: &Request, exchanges: &Mutex<BTreeMap<String, Exchange>>) -> Reply {
    if !request.path.ends_with("/chat/completions") {
        return Reply::json(404, r#"{"detail":"Not Found"}"#);
    }
    let parameters = request.json();
    let messages = parameters["messages"].as_array().into_iter().flatten();
    let user = messages
        .filter(|message| message["role"] == "user")
        .filter_map(|message| message["content"].as_str())
        .collect::<Vec<_>>()
        .join("\n");
    if let Some(question) = between(&user, "<question>", "</question>") {
        return Script::says(&plan(question.trim())).reply(request);
    }
    let question = user
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("Question: "));
    let question = question.unwrap_or_default().trim().to_owned();
    let written = answer(&question, &sources(&user));
    let text = if written.is_empty() {
        "The sources do not answer this question.".to_owned()
    } else {
        let sentences = written
            .iter()
            .map(|sentence| cited(&sentence.text, sentence.cites));
        sentences.collect::<Vec<_>>().join(" ")
    };
    exchanges
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(
            question,
            Exchange {
                prompt: user,
                written,
            },
        );
    Script::says(&text).reply(request)
}

/// The question itself as the plan.
fn plan(question: &str) -> String {
    let german = ["wie", "was", "wann", "wer", "welche", "welcher", "wo"];
    let first = plain(question);
    let first = first.split(' ').next().unwrap_or_default();
    let language = if german.contains(&first) { "de" } else { "en" };
    json!({
        "queries": [{"query": question, "intent": "factual", "priority": 1, "time": null}],
        "entities": [], "language": language, "year": null,
    })
    .to_string()
}

fn cited(text: &str, number: usize) -> String {
    let end = text.trim_end_matches(['.', '!', '?', ':']);
    format!("{end} [{number}].")
}

/// A source of the prompt: its number, title and sentences.
struct Source {
    number: usize,
    title: String,
    sentences: Vec<String>,
}

fn sources(prompt: &str) -> Vec<Source> {
    let blocks = prompt.split("<source ").skip(1);
    blocks
        .filter_map(|block| {
            let (head, rest) = block.split_once('\n')?;
            let number = head.split(' ').next()?.parse().ok()?;
            let (text, _) = rest.split_once("</source")?;
            let (title, text) = text.split_once('\n')?;
            Some(Source {
                number,
                title: title.trim_start_matches("Title: ").to_owned(),
                sentences: text.lines().flat_map(sentences).collect(),
            })
        })
        .collect()
}

/// Splits after a full stop with a space; headings and dates in the prompt are no sentences.
fn sentences(line: &str) -> Vec<String> {
    if line.starts_with('(') || line.starts_with("Published: ") || line.starts_with('#') {
        return Vec::new();
    }
    if line.starts_with('|') {
        return row(line).into_iter().collect();
    }
    let marked = line
        .replace(". ", ".\n")
        .replace("! ", "!\n")
        .replace("? ", "?\n");
    marked
        .lines()
        .map(|sentence| sentence.trim().trim_start_matches("- ").to_owned())
        .filter(|sentence| sentence.split(' ').count() > 2 && !sentence.ends_with('?'))
        .collect()
}

/// A row of a table as a model reads it out; None for the rule below the head.
fn row(line: &str) -> Option<String> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let (first, rest) = cells.split_first()?;
    let says = rest
        .iter()
        .any(|cell| cell.chars().any(char::is_alphanumeric));
    says.then(|| format!("{first}: {}", rest.join(", ")))
}

fn answer(question: &str, sources: &[Source]) -> Vec<ScriptedSentence> {
    let wanted = words(question);
    let mut scored: Vec<(f64, &Source, &str)> = Vec::new();
    for source in sources {
        let title = words(&source.title);
        for sentence in &source.sentences {
            let score = score(&wanted, &words(sentence), &title);
            scored.push((score, source, sentence));
        }
    }
    scored.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    let best = scored.first().map_or(0.0, |(score, ..)| *score);
    if best < MIN_SCORE {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut written = Vec::new();
    for (score, source, sentence) in scored {
        if score < MIN_SHARE_OF_BEST * best || written.len() == MAX_SENTENCES {
            break;
        }
        if seen.insert(plain(sentence)) {
            written.push(write_sentence(question, sentence, source, sources));
        }
    }
    written
}

/// The share of the question's words in a sentence; those of the title count half.
#[expect(clippy::cast_precision_loss, reason = "a handful of words")]
fn score(wanted: &BTreeSet<String>, sentence: &BTreeSet<String>, title: &BTreeSet<String>) -> f64 {
    let here = wanted.intersection(sentence).count() as f64;
    let above = wanted
        .intersection(title)
        .filter(|word| !sentence.contains(*word));
    (here + above.count() as f64 / 2.0) / wanted.len().max(1) as f64
}

/// Words that carry meaning, cut to their first letters so that most forms of one word are equal.
fn words(text: &str) -> BTreeSet<String> {
    plain(text)
        .split([' ', '-', '.', ',', ':'])
        .filter(|word| word.chars().count() > 2 || word.chars().any(|c| c.is_ascii_digit()))
        .filter(|word| !STOP_WORDS.contains(word))
        .map(|word| word.chars().take(5).collect())
        .collect()
}

const STOP_WORDS: [&str; 48] = [
    "the", "and", "how", "what", "when", "who", "which", "why", "does", "did", "was", "were",
    "are", "can", "with", "for", "from", "that", "this", "its", "has", "have", "had", "not",
    "much", "many", "long", "will", "should", "there", "their", "you", "your", "wie", "was",
    "wann", "wer", "der", "die", "das", "ist", "und", "den", "dem", "ein", "eine", "man", "ich",
];

/// The sentence in other words, or with a mistake; the choice depends on its text alone, so that
/// every run makes the same.
fn write_sentence(
    question: &str,
    sentence: &str,
    source: &Source,
    sources: &[Source],
) -> ScriptedSentence {
    let text = reworded(sentence);
    let chance = seed(&format!("{question}\n{sentence}")) % 100;
    let silent = sources.iter().find(|other| {
        other.number != source.number
            && !other.sentences.iter().any(|s| plain(s) == plain(sentence))
    });
    let right = ScriptedSentence {
        text: text.clone(),
        cites: source.number,
        mistaken: false,
    };
    if chance < MISTAKES {
        return silent.map_or(right, |other| ScriptedSentence {
            text,
            cites: other.number,
            mistaken: true,
        });
    }
    if chance < 2 * MISTAKES {
        return misnumbered(&text).map_or(right, |text| ScriptedSentence {
            text,
            cites: source.number,
            mistaken: true,
        });
    }
    right
}

fn reworded(sentence: &str) -> String {
    let rules = [
        (", because ", ", since "),
        (" about ", " around "),
        (" must be ", " has to be "),
        (" cannot ", " can not "),
        (" is called ", " is known as "),
        (" at once", " immediately"),
        (", weil ", ", da "),
        (" etwa ", " ungefähr "),
        ("**", ""),
        ("`", ""),
    ];
    rules.iter().fold(sentence.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

/// With its first digit changed; None without digits.
fn misnumbered(text: &str) -> Option<String> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let (head, tail) = text.split_at_checked(at)?;
    let mut rest = tail.chars();
    let digit = rest.next()?.to_digit(10)?;
    Some(format!("{head}{}{}", digit % 8 + 2, rest.as_str()))
}

/// FNV-1a: the same on every machine.
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    Some(text.split_once(open)?.1.split_once(close)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_from_the_source_that_shares_most_with_the_question() {
        let prompt = "<source 1 key>\nTitle: Rook\nAn idle connection is closed after five minutes.\n</source key>\n\
            <source 2 key>\nTitle: Skerra\n(Tower)\nThe tower is 41 metres tall. It is white.\n</source key>\n\
            Question: How tall is the tower of Skerra?\n";
        let written = answer("How tall is the tower of Skerra?", &sources(prompt));
        assert_eq!(written.len(), 1);
        assert!(written[0].text.contains("metres tall"));
        assert_eq!(
            written[0].cites != 2 || !written[0].text.contains("41"),
            written[0].mistaken
        );
        assert!(answer("Who painted the Tamsin Bridge?", &sources(prompt)).is_empty());
    }

    #[test]
    fn rows_of_a_table_are_read_out() {
        assert_eq!(
            sentences("| Skerra | 1868 | 41 m |"),
            ["Skerra: 1868, 41 m"]
        );
        assert!(sentences("|---|---|").is_empty());
    }

    #[test]
    fn a_wrong_number_differs_from_the_right_one() {
        assert_eq!(misnumbered("12 stops").as_deref(), Some("32 stops"));
        assert_eq!(misnumbered("90 days").as_deref(), Some("30 days"));
        assert_eq!(misnumbered("no number"), None);
        for digit in 0..10 {
            let text = digit.to_string();
            assert_ne!(misnumbered(&text).as_deref(), Some(text.as_str()));
        }
    }
}
