//! Claims that a source carries in other words, told by embeddings.
//!
//! Only by embeddings: the score of a reranker says how well a text answers a query, and it is high
//! for whatever speaks of the matter, whether it says the same or not; its scale is another for each
//! model.

use super::{draft::Draft, restated::Doubt};
use crate::pipeline::{Deadline, ProgressSink, Semantics, SemanticsError};
use privachat_core::schema::Usage;
use std::{collections::HashMap, time::Duration};

/// Claims that are compared.
const MOST_CLAIMS: usize = 12;
/// Stretches of sources that they are compared with.
const MOST_WINDOWS: usize = 80;
/// How long the comparison may take, and what is kept of the stage's time to make use of it.
const PATIENCE: Duration = Duration::from_secs(1);
const RESERVE: Duration = Duration::from_millis(100);
/// From here on two texts say the same; what only speaks of the same matter stays below.
const SAME: f64 = 0.7;
/// What the very same meaning is worth: less than the very same words.
const WORTH: f64 = 0.75;
/// Sentences that have nothing to do with anything. How near a claim is to them is the zero of the
/// model's scale, which lies anywhere from 0 to 0.8.
const UNRELATED: [&str; 4] = [
    "The baker had put the flour on the second shelf.",
    "Our neighbours painted their fence last spring.",
    "A heron stood motionless in the shallow water.",
    "She tuned her violin before the rehearsal began.",
];

/// Raises the support of those of `doubts` that a source carries in other words. Where meanings
/// cannot be compared, what words say stands. Tokens spent.
pub(super) async fn raise(
    semantics: &dyn Semantics,
    draft: &mut Draft,
    doubts: &[Doubt],
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Option<Usage> {
    let compared = Compared::of(doubts);
    let reserve = RESERVE.min(deadline.remaining() / 3);
    let until = deadline.earlier_by(reserve).at_most(PATIENCE);
    let asking = until.limit(semantics.similarities(&compared.claims, &compared.texts, until));
    let found = match asking.await.unwrap_or(Err(SemanticsError::TimedOut)) {
        Ok(found) => found,
        Err(error) => {
            sink.warn(format!("{error}: the answer is checked by words"));
            return None;
        }
    };
    for (claim, index, row, column) in &compared.pairs {
        let nearness = found
            .rows
            .get(*row)
            .and_then(|row| above_zero(row, *column));
        if let Some(nearness) = nearness.filter(|it| *it >= SAME) {
            draft.raise(*claim, *index, WORTH * nearness);
        }
    }
    found.usage
}

/// 0–1: how near the text of a column is, 0 being as near as texts that have nothing to do with it.
fn above_zero(row: &[f64], column: usize) -> Option<f64> {
    let (unrelated, _) = row.split_at_checked(UNRELATED.len())?;
    let count = f64::from(u32::try_from(UNRELATED.len()).unwrap_or(u32::MAX));
    let zero = unrelated.iter().sum::<f64>() / count;
    let nearness = (row.get(column)? - zero) / (1.0 - zero);
    nearness.is_finite().then_some(nearness.clamp(0.0, 1.0))
}

/// What is sent, each text once.
struct Compared<'d> {
    claims: Vec<&'d str>,
    texts: Vec<&'d str>,
    /// Claim and source that may belong together, with the row and column of their nearness.
    pairs: Vec<(usize, usize, usize, usize)>,
}

impl<'d> Compared<'d> {
    /// The nearest stretches of each claim, as many for one as for the other.
    fn of(doubts: &'d [Doubt]) -> Self {
        let doubts = doubts.get(..MOST_CLAIMS).unwrap_or(doubts);
        let each = MOST_WINDOWS / doubts.len().max(1);
        let mut compared = Self {
            claims: doubts.iter().map(|doubt| doubt.text.as_str()).collect(),
            texts: UNRELATED.to_vec(),
            pairs: Vec::new(),
        };
        let mut columns: HashMap<&str, usize> = HashMap::new();
        for (row, doubt) in doubts.iter().enumerate() {
            for (index, text) in doubt.windows.iter().take(each) {
                let column = *columns.entry(text).or_insert_with(|| {
                    compared.texts.push(text);
                    compared.texts.len() - 1
                });
                compared.pairs.push((doubt.claim, *index, row, column));
            }
        }
        compared
    }
}

#[cfg(test)]
mod tests;
