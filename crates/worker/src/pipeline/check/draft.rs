//! The claims of an answer, held against every source, before anything is concluded from it.

use super::{
    Checked, Claim, SUPPORTED, UNCITED,
    antonyms::Antonyms,
    claims, repair,
    restated::{self, Cited, Doubt},
    support::{Evidence, Statement, Support},
};
use crate::pipeline::{
    RankedSource,
    text::{Analyzer, language},
};

/// Sentences of the answer, and how far each source carries each of them.
pub(super) struct Draft {
    answer: String,
    sources: usize,
    judged: Vec<Judged>,
}

struct Judged {
    text: String,
    citations: Vec<usize>,
    supports: Vec<f64>,
}

impl Draft {
    /// By words alone, with the claims of which meanings may tell more.
    pub(super) fn of(answer: &str, sources: &[RankedSource]) -> (Self, Vec<Doubt>) {
        let language = language(answer);
        let analyzer = Analyzer::new(language.as_deref());
        let antonyms = Antonyms::new(&analyzer);
        let evidence: Vec<Evidence> = sources
            .iter()
            .map(|source| Evidence::of(source, &analyzer))
            .collect();
        let mut doubts = Vec::new();
        let mut judged = Vec::new();
        for (text, citations) in claims::of(answer, sources.len()) {
            let statement = Statement::of(&text, &analyzer);
            let supports: Vec<Support> = evidence
                .iter()
                .map(|source| source.support(&statement, &antonyms))
                .collect();
            let cited: Vec<Cited> = citations
                .iter()
                .filter_map(|number| number.checked_sub(1))
                .filter_map(|index| Some((index, evidence.get(index)?, *supports.get(index)?)))
                .collect();
            if cited.iter().all(|(.., support)| support.words < SUPPORTED) {
                let doubt = restated::doubt(judged.len(), &text, &statement, &antonyms, &cited);
                doubts.extend(doubt);
            }
            let supports = supports.iter().map(|support| support.words).collect();
            judged.push(Judged {
                text,
                citations,
                supports,
            });
        }
        let draft = Self {
            answer: answer.to_owned(),
            sources: sources.len(),
            judged,
        };
        (draft, doubts)
    }

    /// Raises what the source at `index` is worth to a claim.
    pub(super) fn raise(&mut self, claim: usize, index: usize, support: f64) {
        let judged = self.judged.get_mut(claim);
        if let Some(known) = judged.and_then(|it| it.supports.get_mut(index)) {
            *known = known.max(support);
        }
    }

    /// What it amounts to, with the citations mended and, if `marks`, those in vain marked.
    pub(super) fn settle(&self, marks: bool) -> Checked {
        let claims: Vec<Claim> = self.judged.iter().map(Judged::claim).collect();
        let count = claims
            .iter()
            .filter(|claim| claim.support < SUPPORTED)
            .count();
        let total: f64 = claims.iter().map(|claim| claim.support).sum();
        let number = f64::from(u32::try_from(claims.len().max(1)).unwrap_or(u32::MAX));
        Checked {
            grounding_score: total / number,
            text: repair::mend(&self.answer, &claims, self.sources, marks),
            hallucination_count: count,
            claims,
            ..Checked::default()
        }
    }
}

impl Judged {
    fn claim(&self) -> Claim {
        let supports = &self.supports;
        let best_source = supports
            .iter()
            .enumerate()
            .filter(|(_, support)| **support > 0.0)
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))
            .map(|(index, _)| index);
        let mended = repair::mended(&self.citations, supports, best_source);
        let cited = mended
            .iter()
            .filter_map(|number| supports.get(number.checked_sub(1)?))
            .copied()
            .fold(0.0, f64::max);
        let support = if self.citations.is_empty() {
            let best = best_source.and_then(|index| supports.get(index)).copied();
            UNCITED * best.unwrap_or(0.0)
        } else {
            cited
        };
        Claim {
            text: self.text.clone(),
            citations: self.citations.clone(),
            corrected_citations: mended,
            support,
            best_source,
            carriers: (0..supports.len())
                .filter(|index| supports.get(*index).is_some_and(|it| *it >= SUPPORTED))
                .collect(),
        }
    }
}
