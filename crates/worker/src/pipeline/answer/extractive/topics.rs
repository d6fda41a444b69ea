//! What a heading or sentence is about, in the words of the question.

use crate::pipeline::{rank::QueryTerm, text::Analyzer};

/// The terms of a heading. A name of a program is about the whole of it: its parts count only when
/// all of them are asked for, or when its last part is one word.
pub(super) fn topics(heading: &str, asked: &[QueryTerm], analyzer: &Analyzer) -> Vec<String> {
    let tokens = analyzer.analyze(heading);
    let one_word = heading.split_whitespace().count() == 1;
    let mut topics: Vec<String> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if !token.identifier {
            let long = asked
                .iter()
                .find(|term| one_word && is_short_for(&token.term, &term.term));
            topics.push(long.map_or(token.term, |term| term.term.clone()));
            continue;
        }
        let mut parts = Vec::new();
        while let Some(part) = tokens.next_if(|next| next.part) {
            parts.push(part.term);
        }
        let is_asked = |part: &String| {
            asked
                .iter()
                .any(|term| term.term == *part || is_akin(part, &term.term))
        };
        let last = token.surface.rsplit(['.', ':']).next().unwrap_or_default();
        let simple = !last.contains('_');
        if parts.iter().all(is_asked) {
            topics.append(&mut parts);
        } else if simple {
            topics.extend(parts.pop());
        }
        topics.push(token.term);
    }
    towards(topics, asked)
}

/// Terms as the question says them: a reader reads, `len` gives a length.
pub(super) fn towards(terms: Vec<String>, asked: &[QueryTerm]) -> Vec<String> {
    let mut found: Vec<String> = Vec::with_capacity(terms.len());
    for term in terms {
        let known = asked.iter().any(|other| other.term == term);
        let akin = asked
            .iter()
            .filter(|_| !known)
            .find(|other| is_akin(&term, &other.term));
        found.push(akin.map_or(term, |other| other.term.clone()));
    }
    found
}

/// Whether `name` is how a program shortens `asked`: `len`, `int`.
fn is_short_for(name: &str, asked: &str) -> bool {
    name.len() >= 3 && asked.len() > name.len() && asked.starts_with(name)
}

/// Whether `term` is who or what does `asked` (a reader reads), what
/// measures it, or the same German verb with its
/// particle ("lege … an", "anzulegen", "angelegt").
fn is_akin(term: &str, asked: &str) -> bool {
    let agent = ["er", "or", "r"]
        .iter()
        .any(|end| term.strip_suffix(end) == Some(asked));
    if agent && asked.len() >= 4 || MEASURES.contains(&(asked, term)) {
        return true;
    }
    let Some(front) = term.strip_suffix(asked).filter(|_| asked.len() >= 3) else {
        return false;
    };
    let bare = front.strip_suffix("zu").or(front.strip_suffix("ge"));
    [Some(front), bare]
        .into_iter()
        .flatten()
        .any(|particle| PARTICLES.contains(&particle))
}

/// What is asked with an adjective and told with a noun, as stems.
const MEASURES: [(&str, &str); 14] = [
    ("high", "height"),
    ("tall", "height"),
    ("deep", "depth"),
    ("wide", "width"),
    ("heavi", "weight"),
    ("fast", "speed"),
    ("big", "size"),
    ("larg", "size"),
    ("largest", "maximum"),
    ("biggest", "maximum"),
    ("highest", "maximum"),
    ("longest", "maximum"),
    ("smallest", "minimum"),
    ("lowest", "minimum"),
];

/// Particles of separable verbs that begin no common English word.
const PARTICLES: [&str; 14] = [
    "über", "uber", "ab", "an", "auf", "aus", "bei", "ein", "nach", "vor", "zu", "um", "los", "weg",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::rank::query;

    fn of(heading: &str, question: &str) -> Vec<String> {
        let analyzer = Analyzer::new(Some("en"));
        topics(heading, &query::terms(question, &analyzer), &analyzer)
    }

    #[test]
    fn parts_of_a_name_count_when_all_of_them_are_asked_for() {
        let unasked = of(
            "asyncio.loop.connect_write_pipe",
            "How do I write a for loop?",
        );
        assert!(
            !unasked.iter().any(|term| term == "loop" || term == "write"),
            "{unasked:?}"
        );
        let asked = of("shutil.copy", "How do I copy a file with shutil?");
        assert!(
            asked.contains(&"copi".to_owned()) || asked.contains(&"copy".to_owned()),
            "{asked:?}"
        );
    }

    #[test]
    fn short_names_and_agents_stand_for_the_words_asked() {
        let length = query::terms("What is the length of a list?", &Analyzer::new(Some("en")));
        let named = of("len", "What is the length of a list?");
        assert!(
            named
                .iter()
                .all(|term| length.iter().any(|asked| asked.term == *term)),
            "{named:?}"
        );
        assert!(of("reader", "How do I read a file?").contains(&"read".to_owned()));
    }

    #[test]
    fn a_german_verb_is_known_with_its_particle() {
        for (term, asked, akin) in [
            ("anzuleg", "leg", true),
            ("anleg", "leg", true),
            ("einzustell", "stell", true),
            ("beleg", "leg", false),
            ("kolleg", "leg", false),
        ] {
            assert_eq!(is_akin(term, asked), akin, "{term}");
        }
    }
}
