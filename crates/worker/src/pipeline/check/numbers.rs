//! Numbers in one form, however they are written: “2 moons” and “two moons”, “$3,500,000” and
//! “3.5 million”, “4 October 1868” and “1868-10-04”.

use crate::pipeline::text::{Analyzer, Token};

/// Puts every number among `tokens` into one form.
pub(super) fn in_one_form(tokens: Vec<Token>, analyzer: &Analyzer) -> Vec<Token> {
    let mut plain: Vec<Token> = Vec::with_capacity(tokens.len());
    for mut token in tokens {
        let Some(digits) = digits(&token) else {
            if !scale(&mut plain, &token) {
                plain.push(token);
            }
            continue;
        };
        // "twenty-five" is cut at its hyphen.
        let written_out = !token.surface.starts_with(|c: char| c.is_ascii_digit());
        let unit = digits.len() == 1 && written_out;
        let tens = plain.last_mut().filter(|last| {
            unit && is_word(last) && last.term.len() == 2 && last.term.ends_with('0')
        });
        if let Some(tens) = tens {
            tens.term.pop();
            tens.term.push_str(&digits);
            continue;
        }
        token.term = digits;
        plain.push(token);
    }
    name_months(&mut plain, analyzer);
    plain
}

/// The number that a word or a run of digits stands for.
fn digits(token: &Token) -> Option<String> {
    let surface = token.surface.to_lowercase();
    if let Some((_, value)) = WORDS.iter().find(|(word, _)| *word == surface) {
        return Some(value.to_string());
    }
    if !surface.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let bare = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| surface.strip_suffix(ending))
        .unwrap_or(&surface);
    let number = bare
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || c == ',');
    if !number {
        return None;
    }
    let digits = if bare.contains(',') {
        without_groups(bare, ',').unwrap_or_else(|| bare.replace('.', "").replace(',', "."))
    } else {
        bare.to_owned()
    };
    let trimmed = digits.trim_start_matches('0');
    Some(match trimmed.chars().next() {
        Some(first) if first.is_ascii_digit() => trimmed.to_owned(),
        _ => format!("0{trimmed}"),
    })
}

/// `10,000` without its commas; `None` when the commas do not part thousands.
fn without_groups(number: &str, mark: char) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let thousands = !first.is_empty() && first.len() <= 3 && groups.all(|group| group.len() == 3);
    let whole = whole.replace(mark, "");
    thousands.then(|| match fraction {
        "" => whole,
        fraction => format!("{whole}.{fraction}"),
    })
}

/// Multiplies the number before a word such as "million". Whether `token` was one.
fn scale(before: &mut [Token], token: &Token) -> bool {
    let surface = token.surface.to_lowercase();
    let Some((_, zeros)) = SCALES.iter().find(|(word, _)| *word == surface) else {
        return false;
    };
    let Some(last) = before.last_mut().filter(|last| last.is_number()) else {
        return false;
    };
    let (whole, fraction) = last.term.split_once('.').unwrap_or((&last.term, ""));
    let Some(missing) = zeros.checked_sub(fraction.len()) else {
        return false;
    };
    let scaled = format!("{whole}{fraction}{}", "0".repeat(missing));
    scaled.trim_start_matches('0').clone_into(&mut last.term);
    true
}

/// The middle of `1868-10-04` is a month.
fn name_months(tokens: &mut [Token], analyzer: &Analyzer) {
    let between = |token: &Token, low: u16, high: u16| {
        token.term.parse().is_ok_and(|n| (low..=high).contains(&n))
    };
    for at in 1..tokens.len().saturating_sub(1) {
        let Some([year, month, day]) = tokens.get_mut(at - 1..=at + 1) else {
            continue;
        };
        let date = year.surface.len() == 4
            && month.surface.len() == 2
            && between(year, 1000, 2999)
            && between(month, 1, 12)
            && between(day, 1, 31);
        let names = if analyzer.language() == "de" {
            MONTHS_DE
        } else {
            MONTHS
        };
        let name = month
            .term
            .parse::<usize>()
            .ok()
            .and_then(|n| names.get(n.checked_sub(1)?));
        if let Some(name) = name.filter(|_| date)
            && let Some(term) = analyzer.terms(name).into_iter().next()
        {
            month.term = term;
        }
    }
}

/// Whether a number is written as a word.
pub(super) fn is_word(token: &Token) -> bool {
    !token.surface.starts_with(|c: char| c.is_ascii_digit()) && token.is_number()
}

// Not the German "ein", which is an article more often than a number.
const WORDS: [(&str, u32); 47] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("zwei", 2),
    ("drei", 3),
    ("vier", 4),
    ("fünf", 5),
    ("sechs", 6),
    ("sieben", 7),
    ("acht", 8),
    ("neun", 9),
    ("zehn", 10),
    ("elf", 11),
    ("zwölf", 12),
    ("dreizehn", 13),
    ("zwanzig", 20),
    ("dreißig", 30),
    ("vierzig", 40),
    ("fünfzig", 50),
    ("sechzig", 60),
    ("siebzig", 70),
    ("achtzig", 80),
    ("neunzig", 90),
];
const SCALES: [(&str, usize); 9] = [
    ("hundred", 2),
    ("thousand", 3),
    ("million", 6),
    ("billion", 9),
    ("hundert", 2),
    ("tausend", 3),
    ("millionen", 6),
    ("milliarde", 9),
    ("milliarden", 9),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str, language: &str) -> Vec<String> {
        let analyzer = Analyzer::new(Some(language));
        in_one_form(analyzer.analyze(text), &analyzer)
            .into_iter()
            .map(|token| token.term)
            .collect()
    }

    #[test]
    fn one_number_has_one_form() {
        for (one, other, language) in [
            ("two moons", "2 moons", "en"),
            ("$3,500,000", "3.5 million", "en"),
            ("twenty-five", "25", "en"),
            ("four thousand", "4,000", "en"),
            ("the 4th", "the 4", "en"),
            ("12 %", "twelve", "en"),
            ("zwölf Millionen", "12,000,000", "de"),
            ("1868-10-04", "1868 October 4", "en"),
            ("07", "seven", "en"),
        ] {
            assert_eq!(terms(one, language), terms(other, language), "{one}");
        }
    }

    #[test]
    fn different_numbers_stay_different() {
        for (one, other) in [
            ("3.10", "3.1"),
            ("40 million", "40"),
            ("1943", "1934"),
            ("3,5", "35"),
            ("0.5", "5"),
        ] {
            assert_ne!(terms(one, "en"), terms(other, "en"), "{one}");
        }
    }
}
