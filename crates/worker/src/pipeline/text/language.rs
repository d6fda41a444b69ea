//! Which language a text is in.

use whatlang::Lang;

/// Two-letter code of the language of `text`, when that is certain enough.
#[must_use]
pub fn language(text: &str) -> Option<String> {
    let info = whatlang::detect(text)?;
    // On a handful of words the trigram statistics are often sure of the wrong language.
    let sure = info.is_reliable() && (info.confidence() > 0.95 || text.chars().count() > 60);
    if sure {
        return code(info.lang()).map(str::to_owned);
    }
    by_function_words(text).map(str::to_owned)
}

/// Short questions give themselves away by their function words.
fn by_function_words(text: &str) -> Option<&'static str> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut counts: Vec<(usize, &'static str)> = TELLING
        .iter()
        .map(|(code, telling)| {
            let count = words
                .iter()
                .filter(|word| telling.contains(&word.as_str()))
                .count();
            (count, *code)
        })
        .collect();
    counts.sort_by_key(|entry| std::cmp::Reverse(entry.0));
    match counts.as_slice() {
        [(first, code), (second, _), ..] if *first > 0 && first > second => Some(code),
        _ => None,
    }
}

/// Words that belong to one of these languages and not to the others.
const TELLING: [(&str, &[&str]); 6] = [
    (
        "en",
        &[
            "what", "who", "when", "where", "why", "how", "which", "the", "is", "are", "does",
            "and", "of", "between",
        ],
    ),
    (
        "de",
        &[
            "was", "wer", "wann", "wo", "warum", "wie", "welche", "welcher", "welches", "der",
            "das", "ist", "sind", "und", "zwischen", "ein", "eine",
        ],
    ),
    (
        "fr",
        &[
            "quel", "quelle", "quels", "quelles", "qui", "quand", "où", "pourquoi", "comment",
            "est", "sont", "les", "et", "entre", "qu", "combien",
        ],
    ),
    (
        "es",
        &[
            "qué", "quién", "cuándo", "dónde", "cómo", "cuál", "cuáles", "cuántos", "cuántas",
            "el", "los", "las", "y", "entre", "por",
        ],
    ),
    (
        "it",
        &[
            "che", "chi", "dove", "perché", "quale", "quali", "cosa", "gli", "sono", "tra", "il",
            "quanti",
        ],
    ),
    (
        "nl",
        &[
            "wat", "wie", "wanneer", "waar", "waarom", "hoe", "welke", "het", "zijn", "en",
            "tussen", "een",
        ],
    ),
];

fn code(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Eng => "en",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Por => "pt",
        Lang::Nld => "nl",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "no",
        Lang::Fin => "fi",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Ell => "el",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Cat => "ca",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_recognised_by_their_language() {
        for (text, code) in [
            ("What is asyncio.gather?", "en"),
            ("Was ist der Unterschied zwischen Prozess und Thread?", "de"),
            ("Quelle est la capitale de la France ?", "fr"),
            (
                "¿Cuál es la capital de España y cuántos habitantes tiene?",
                "es",
            ),
            ("東京の人口はどれくらいですか？", "ja"),
        ] {
            assert_eq!(language(text).as_deref(), Some(code), "{text}");
        }
    }

    #[test]
    fn a_bare_name_has_no_language() {
        assert_eq!(language("asyncio.gather"), None);
        assert_eq!(language("12345"), None);
        assert_eq!(language(""), None);
    }
}
