//! Which stretches of a source may say a claim in other words.
//!
//! Vectors of meaning hardly tell a statement from its opposite, nor two years, names or sides of a
//! comparison from each other. So only stretches in which nothing of that speaks against the claim
//! are compared with it at all.

use super::{
    SUPPORTED,
    antonyms::Antonyms,
    order,
    support::{Evidence, Sentence, Statement, Support},
    words::{Kind, Word},
};
use std::collections::HashSet;

/// Sentences that are compared as one.
const TOGETHER: usize = 2;

/// A source by its index, and how far it carries the claim that cites it.
pub(super) type Cited<'e> = (usize, &'e Evidence, Support);

/// A claim that its sources may carry in other words.
#[derive(Debug)]
pub(super) struct Doubt {
    /// Its place among the claims.
    pub(super) claim: usize,
    pub(super) text: String,
    /// Indexes of sources that it cites with what they say, the nearest by words first.
    pub(super) windows: Vec<(usize, String)>,
}

/// `None` when all that the `cited` sources say speaks against the claim.
pub(super) fn doubt(
    claim: usize,
    text: &str,
    statement: &Statement,
    antonyms: &Antonyms,
    cited: &[Cited],
) -> Option<Doubt> {
    let mut found: Vec<(f64, usize, String)> = Vec::new();
    for (index, evidence, support) in cited {
        if support.most < SUPPORTED {
            continue;
        }
        for size in 1..=TOGETHER {
            let runs = evidence.sentences.windows(size);
            let admitted = runs.filter(|run| may_restate(statement, run, evidence, antonyms));
            found.extend(admitted.map(|run| {
                let texts: Vec<&str> = run.iter().map(|sentence| sentence.text.as_str()).collect();
                (statement.held_by(run), *index, texts.join(" "))
            }));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let windows: Vec<(usize, String)> = found
        .into_iter()
        .map(|(_, index, text)| (index, text))
        .collect();
    (!windows.is_empty()).then(|| Doubt {
        claim,
        text: text.to_owned(),
        windows,
    })
}

fn may_restate(
    statement: &Statement,
    run: &[Sentence],
    evidence: &Evidence,
    antonyms: &Antonyms,
) -> bool {
    let apart = matches!(run, [one, other] if one.passage != other.passage);
    if apart {
        return false;
    }
    let said: HashSet<&str> = run
        .iter()
        .flat_map(|sentence| &sentence.words)
        .map(|word| word.term.as_str())
        .collect();
    let figures = statement
        .hard(Kind::Figure)
        .all(|figure| said.contains(figure));
    let names = statement
        .hard(Kind::Name)
        .all(|name| said.contains(name) || evidence.context.contains(name));
    let denies = |word: &Word| word.denied && word.kind != Kind::Stop;
    let denied = run.iter().any(|sentence| sentence.words.iter().any(denies));
    let opposed = statement.words.iter().any(|word| {
        let opposites = antonyms.of(&word.term).into_iter().flatten();
        !said.contains(word.term.as_str())
            && opposites.into_iter().any(|it| said.contains(it.as_str()))
    });
    let reversed = run
        .iter()
        .any(|sentence| order::may_be_reversed(&statement.words, &sentence.words));
    figures && names && denied == statement.words.iter().any(denies) && !opposed && !reversed
}
