//! Citations that do not carry their claim are replaced or taken away.

use super::{Claim, SUPPORTED};
use crate::pipeline::answer::citations;

/// Stands behind the citations of a sentence that none of them carries. It is written and taken away
/// here alone: one that a model wrote itself says nothing.
pub(super) const UNVERIFIED: &str = "[unverified]";
/// A citation with less support than this says something else.
const ELSEWHERE: f64 = 0.42;
/// A source has to carry a claim at least so far to be cited in place of another.
const CARRIES: f64 = 0.6;

/// The citations that a claim should have, given how far each source carries it.
pub(super) fn mended(cited: &[usize], supports: &[f64], best: Option<usize>) -> Vec<usize> {
    let support = |number: &usize| {
        let index = number.checked_sub(1);
        index
            .and_then(|index| supports.get(index))
            .copied()
            .unwrap_or(0.0)
    };
    if cited.iter().any(|number| support(number) >= SUPPORTED) {
        let mut kept = cited.to_vec();
        kept.retain(|number| support(number) >= ELSEWHERE);
        return kept;
    }
    let other = best.filter(|index| supports.get(*index).is_some_and(|it| *it >= CARRIES));
    match other {
        Some(index) if !cited.is_empty() => vec![index + 1],
        _ => cited.to_vec(),
    }
}

/// `answer` with the citations that its claims should have; those that cite in vain are marked as
/// unverified if `marks`.
pub(super) fn mend(answer: &str, claims: &[Claim], sources: usize, marks: bool) -> String {
    let in_vain = |claim: &Claim| marks && claim.is_cited_in_vain();
    let wrong = |claim: &Claim| claim.corrected_citations != claim.citations || in_vain(claim);
    let stale = marks && answer.contains(UNVERIFIED);
    if !stale && !claims.iter().any(wrong) {
        return answer.to_owned();
    }
    let mut text = Marked::new(&citations::clean(answer, sources), marks);
    for claim in claims {
        let place = text.find(&claim.text);
        if let Some(end) = place.filter(|_| wrong(claim)) {
            text.replace(end, &claim.corrected_citations, in_vain(claim));
        }
    }
    text.written()
}

/// `answer` without the marks of an earlier check.
pub(super) fn without_marks(answer: &str) -> String {
    if !answer.contains(UNVERIFIED) {
        return answer.to_owned();
    }
    Marked::new(answer, true).written()
}

/// Text with its citations apart.
struct Marked {
    pieces: Vec<Piece>,
    /// Where the last claim was found.
    begin: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    Char(char),
    Mark(usize),
    Unverified,
}

impl Marked {
    /// Leaves the marks of an earlier check out if `afresh`.
    fn new(text: &str, afresh: bool) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text;
        let mut code = false;
        while let Some(c) = rest.chars().next() {
            if let Some((number, after)) = mark(rest).filter(|_| !code) {
                pieces.push(Piece::Mark(number));
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix(UNVERIFIED).filter(|_| afresh && !code) {
                if pieces.last() == Some(&Piece::Char(' ')) {
                    pieces.pop();
                }
                rest = after;
                continue;
            }
            code ^= c == '`';
            pieces.push(Piece::Char(c));
            rest = rest.strip_prefix(c).unwrap_or_default();
        }
        Self {
            pieces,
            begin: 0,
            end: 0,
        }
    }

    /// Finds the next place where `claim` stands, whatever spaces and citations are in it. The end
    /// of its citations.
    fn find(&mut self, claim: &str) -> Option<usize> {
        let wanted: Vec<char> = claim.chars().filter(|c| counts(*c)).collect();
        let written: Vec<(usize, char)> = self
            .pieces
            .iter()
            .enumerate()
            .skip(self.end)
            .filter_map(|(at, piece)| match piece {
                Piece::Char(c) if counts(*c) => Some((at, *c)),
                _ => None,
            })
            .collect();
        let place = written
            .windows(wanted.len().max(1))
            .find(|run| run.iter().map(|(_, c)| c).eq(wanted.iter()))?;
        self.begin = place.first()?.0;
        self.end = place.last()?.0 + 1;
        while let Some(piece) = self.pieces.get(self.end) {
            let space = *piece == Piece::Char(' ');
            let ahead = self.pieces.get(self.end + 1);
            match piece {
                Piece::Mark(_) => {}
                Piece::Char('.' | '!' | '?' | '*') => {}
                _ if space && matches!(ahead, Some(Piece::Mark(_))) => {}
                _ => break,
            }
            self.end += 1;
        }
        Some(self.end)
    }

    /// Leaves of the citations of the claim that was found last only those in `numbers`; new ones
    /// come where the first one was, and behind them that they carry nothing if they are `in_vain`.
    fn replace(&mut self, end: usize, numbers: &[usize], in_vain: bool) {
        let tail = self.pieces.split_off(end);
        let claim = self.pieces.split_off(self.begin);
        let old: Vec<usize> = claim.iter().filter_map(Piece::number).collect();
        let mut new: Vec<usize> = numbers.to_vec();
        new.retain(|number| !old.contains(number));
        for piece in claim {
            match piece.number() {
                Some(number) if !numbers.contains(&number) => {
                    self.pieces.extend(new.drain(..).map(Piece::Mark));
                    let bare = self.pieces.last() == Some(&Piece::Char(' '));
                    if bare {
                        self.pieces.pop();
                    }
                }
                _ => self.pieces.push(piece),
            }
        }
        let last = self.pieces.iter().rposition(|it| it.number().is_some());
        if let Some(at) = last.filter(|at| in_vain && *at >= self.begin) {
            let mark = [Piece::Char(' '), Piece::Unverified];
            self.pieces.splice(at + 1..at + 1, mark);
        }
        self.end = self.pieces.len();
        self.pieces.extend(tail);
    }

    fn written(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => c.to_string(),
                Piece::Mark(number) => format!("[{number}]"),
                Piece::Unverified => UNVERIFIED.to_owned(),
            })
            .collect()
    }
}

impl Piece {
    fn number(&self) -> Option<usize> {
        match self {
            Self::Mark(number) => Some(*number),
            Self::Char(_) | Self::Unverified => None,
        }
    }
}

/// The citation that `text` begins with, and what comes after it.
fn mark(text: &str) -> Option<(usize, &str)> {
    let (number, after) = text.strip_prefix('[')?.split_once(']')?;
    Some((number.parse().ok()?, after))
}

/// Spaces and emphasis say nothing.
fn counts(c: char) -> bool {
    !c.is_whitespace() && c != '*'
}
