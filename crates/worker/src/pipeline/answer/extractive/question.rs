//! What kind of answer a question asks for.

use super::{
    names::names_someone,
    score::{has_date, has_figure},
};
use crate::pipeline::Plan;
use privachat_core::schema::Intent;

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// "What is …", "Who is …".
    Definition,
    /// "How do I …".
    HowTo,
    /// "How many …", "How long …".
    Quantity,
    /// "When …", "In which year …".
    Time,
    /// "Why …".
    Reason,
    /// "What is the difference between …".
    Comparison,
    /// "Who created …".
    Person,
    /// "Can a … contain …?", "Is …".
    Whether,
    /// Anything else.
    General,
}

impl Kind {
    pub(super) fn of(plan: &Plan) -> Self {
        let question = plan.question.to_lowercase().replace('’', "'");
        let question = question.trim_start_matches(['¿', '¡', ' ', '"']);
        let starts = |list: &[&str]| list.iter().any(|start| question.starts_with(start));
        let holds = |list: &[&str]| list.iter().any(|part| question.contains(part));
        if !plan.entities.is_empty() || holds(COMPARING) {
            return Self::Comparison;
        }
        if holds(COUNTING) {
            return Self::Quantity;
        }
        if (starts(ASKING_WHEN) || holds(ASKING_YEAR)) && !holds(ASKING_WHETHER) {
            return Self::Time;
        }
        if starts(REASONING) {
            return Self::Reason;
        }
        // "how" as a word of its own: not the end of "show to".
        let asks_how = holds(HOW_AMIDST) || asks_how_one_does(question);
        if starts(DOING) || asks_how || tells_trouble(question) {
            return Self::HowTo;
        }
        if starts(ASKING_WHO) && !asks_about_a_name(&plan.question) {
            return Self::Person;
        }
        let defined = plan
            .queries
            .first()
            .is_some_and(|query| query.sub_query.intent == Intent::Definition);
        if defined || starts(DEFINING) {
            return Self::Definition;
        }
        if starts(ASKING_IF) {
            return Self::Whether;
        }
        Self::General
    }

    /// How many sentences an answer of this kind has at most.
    pub(super) fn sentences(self) -> usize {
        match self {
            Self::Definition | Self::Reason => 4,
            Self::Quantity | Self::Time | Self::Person => 2,
            Self::Whether => 3,
            Self::HowTo => 5,
            Self::Comparison => 6,
            Self::General => 4,
        }
    }

    /// Share of the best sentence's score below which another one adds nothing worth reading.
    pub(super) fn least_share(self) -> f64 {
        match self {
            Self::Definition | Self::Quantity | Self::Time | Self::Person => 0.75,
            Self::Reason | Self::Whether | Self::General => 0.7,
            Self::HowTo => 0.75,
            Self::Comparison => 0.65,
        }
    }

    /// Share of the question that one sentence, with its headings, has to cover.
    pub(super) fn least_coverage(self) -> f64 {
        match self {
            Self::HowTo | Self::Quantity | Self::Time | Self::Person | Self::Whether => 0.6,
            Self::Reason => 0.7,
            _ => 0.5,
        }
    }

    /// Whether `text` holds what the answer to `question` cannot be without: a figure, a date, or
    /// a name that is not asked about.
    pub(super) fn may_answer(self, text: &str, question: &str) -> bool {
        match self {
            Self::Quantity => has_figure(&without(text, question)),
            Self::Time => has_date(&without(text, question)),
            Self::Person => names_someone(text, question),
            _ => true,
        }
    }
}

/// `text` without the numbers that `question` brings: they are no answer to it.
fn without(text: &str, question: &str) -> String {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let brought: Vec<String> = question
        .split_whitespace()
        .map(bare)
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let others: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !brought.contains(&bare(word)))
        .collect();
    others.join(" ")
}

/// "My tap won't close": no question, but a trouble that somebody wants to be rid of.
pub(super) fn tells_trouble(question: &str) -> bool {
    let lower = question.to_lowercase().replace('’', "'");
    let asks = lower.trim_end().ends_with('?') || ASKING.iter().any(|it| lower.starts_with(it));
    !asks && TROUBLE.iter().any(|it| lower.contains(it))
}

/// "Wie lege ich … an?": how, any verb, and who does it.
fn asks_how_one_does(question: &str) -> bool {
    let words: Vec<&str> = question.split_whitespace().take(4).collect();
    matches!(words.as_slice(), ["wie", _, "ich" | "man" | "wir", ..])
}

/// "Who is Ada Lovelace?" asks what there is to say of a name; "Who is the king?" asks for one.
fn asks_about_a_name(question: &str) -> bool {
    let mut words = question.split_whitespace().skip(1);
    let is = words
        .next()
        .is_some_and(|word| BEING.contains(&word.to_lowercase().as_str()));
    let next = words.next().unwrap_or_default().to_lowercase();
    is && !DETERMINERS.contains(&next.as_str())
}

const ASKING_WHO: &[&str] = &["who ", "wer ", "qui ", "quién ", "quien ", "chi "];
const BEING: &[&str] = &[
    "is", "was", "are", "were", "ist", "war", "sind", "waren", "est", "était", "es", "fue",
];
const DETERMINERS: &[&str] = &[
    "the", "a", "an", "its", "their", "current", "der", "die", "das", "le", "la", "el",
];
const ASKING_IF: &[&str] = &[
    "can ", "could ", "is ", "are ", "was ", "were ", "does ", "do ", "did ", "has ", "have ",
    "should ", "will ", "must ", "may ", "kann ", "können ", "ist ", "sind ", "darf ", "hat ",
    "muss ", "est-ce ", "peut-on ", "¿puede ", "puede ",
];
const HOW_AMIDST: &[&str] = &[
    " how to ",
    " how can i ",
    " how do i ",
    " how do you ",
    "the way to ",
    "a way to ",
    "best way to ",
    "what can i do",
    "what should i do",
    "what to do",
    "was kann ich tun",
    "was tun",
    "que faire",
    "qué puedo hacer",
];
/// How a question begins that is one without its mark.
const ASKING: &[&str] = &[
    "what ", "who ", "how ", "when ", "why ", "where ", "which ", "is ", "are ", "does ", "do ",
    "can ", "was ", "wer ", "wie ", "wann ", "warum ", "wo ", "welche",
];
const TROUBLE: &[&str] = &[
    " won't ",
    " doesn't ",
    " can't ",
    " cannot ",
    " does not ",
    " will not ",
    " fails",
    " error",
    " stuck",
    " geht nicht",
    " startet nicht",
    " funktioniert nicht",
];
const COMPARING: &[&str] = &[
    "difference between",
    " vs ",
    " vs. ",
    " versus ",
    "compared to",
    "unterschied zwischen",
    "différence entre",
    "diferencia entre",
    "better than",
    "faster than",
];
const COUNTING: &[&str] = &[
    "how many",
    "how much",
    "how long",
    "how old",
    "how tall",
    "how far",
    "how high",
    "how deep",
    "how wide",
    "how large",
    "how big",
    "how fast",
    "how often",
    "wie viel",
    "wie lange",
    "wie hoch",
    "wie groß",
    "wie alt",
    "combien",
    "cuánto",
    "cuánta",
    "what percentage",
    "what number of",
];
const ASKING_WHEN: &[&str] = &[
    "when ",
    "wann ",
    "quand ",
    "cuándo ",
    "since when",
    "seit wann",
];
const ASKING_YEAR: &[&str] = &[
    "what year",
    "which year",
    "what date",
    "welchem jahr",
    "quelle année",
    "qué año",
];
/// "When should I use …" asks for advice, not for a date.
const ASKING_WHETHER: &[&str] = &[
    "when should",
    "when to ",
    "when do i",
    "when do you",
    "when would",
    "when can",
    "wann sollte",
];
const REASONING: &[&str] = &[
    "why ",
    "warum ",
    "wieso ",
    "pourquoi ",
    "por qué ",
    "weshalb ",
];
const DOING: &[&str] = &[
    "how do ",
    "how can ",
    "how to ",
    "how should ",
    "how would ",
    "wie kann ",
    "wie mache ",
    "comment ",
    "cómo ",
];
const DEFINING: &[&str] = &[
    "what is ",
    "what are ",
    "what's ",
    "who is ",
    "who was ",
    "who are ",
    "what does ",
    "define ",
    "was ist ",
    "was sind ",
    "wer ist ",
    "wer war ",
    "qu'est-ce que",
    "qu'est-ce qu'",
    "qui est ",
    "qué es ",
    "quién es ",
    "quién fue ",
    "quelle est ",
    "cuál es ",
    "welches ist ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_fall_into_their_kinds() {
        for (question, kind) in [
            ("What is asyncio.gather?", Kind::Definition),
            ("How do I cancel a task?", Kind::HowTo),
            ("How many moons does Mars have?", Kind::Quantity),
            ("When was Rust 1.0 released?", Kind::Time),
            ("When should I use a lock?", Kind::General),
            ("Why is the sky blue?", Kind::Reason),
            (
                "What is the difference between a list and a tuple?",
                Kind::Comparison,
            ),
            ("¿Cuántos habitantes tiene Madrid?", Kind::Quantity),
            ("Was ist ein Prozess?", Kind::Definition),
            ("Which show to watch?", Kind::General),
            ("In Python, how to open a file?", Kind::HowTo),
            ("Wie lege ich ein Beet an?", Kind::HowTo),
            ("My tap drips, what can I do?", Kind::HowTo),
            ("My tap won't close", Kind::HowTo),
            ("What is the best way to open a jar?", Kind::HowTo),
            ("Who created Python?", Kind::Person),
            ("Who is the president of Atlantis?", Kind::Person),
            ("Who is Guido van Rossum?", Kind::Definition),
            ("Can a tuple contain a list?", Kind::Whether),
            ("Ist ein Prozess ein Programm?", Kind::Whether),
        ] {
            let plan = Plan {
                question: question.to_owned(),
                ..Plan::default()
            };
            assert_eq!(Kind::of(&plan), kind, "{question}");
        }
    }
}
