//! Which element holds the content.

use super::survey::{Candidate, Claim, Survey};
use dom_query::{NodeId, Tree};

/// Where to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// In this element.
    Element(NodeId),
    /// Nothing on the page says where its content is.
    Unknown,
}

pub(super) fn choose(survey: &Survey, tree: &Tree) -> Root {
    if let Some(main) = largest(survey, Claim::Main)
        && (holds(main.length, survey.length, 40)
            || main.length > 800 && holds(main.length, survey.length, 20))
    {
        let inside = articles(survey).find(|article| {
            holds(article.length, main.length, 75)
                && tree.ancestor_ids_of(&article.id, None).contains(&main.id)
        });
        return Root::Element(inside.map_or(main.id, |article| article.id));
    }
    if let Some(article) = largest(survey, Claim::Article) {
        let all: usize = articles(survey).map(|other| other.length).sum();
        // Several articles of like size are a list or a thread: all of them are content.
        if holds(article.length, survey.length, 40) && holds(article.length, all, 75) {
            return Root::Element(article.id);
        }
    }
    let named = survey
        .candidates
        .iter()
        .filter(|candidate| candidate.claim == Claim::Named)
        .filter(|candidate| holds(candidate.length, survey.length, 60))
        .min_by_key(|candidate| candidate.length);
    named.map_or(Root::Unknown, |candidate| Root::Element(candidate.id))
}

fn articles(survey: &Survey) -> impl Iterator<Item = &Candidate> {
    survey
        .candidates
        .iter()
        .filter(|candidate| candidate.claim == Claim::Article)
}

fn largest(survey: &Survey, claim: Claim) -> Option<&Candidate> {
    survey
        .candidates
        .iter()
        .filter(|candidate| candidate.claim == claim)
        .max_by_key(|candidate| candidate.length)
}

fn holds(part: usize, whole: usize, percent: usize) -> bool {
    part > 0 && part * 100 >= whole * percent
}
