//! Ranking by meaning, of the best that words found.

use super::{Scored, score::SEMANTIC_SHARE};
use crate::pipeline::{Deadline, Plan, ProgressSink, Semantics, SemanticsError};
use privachat_core::schema::Usage;
use std::time::Duration;

/// Passages whose meaning is compared.
const MOST_PASSAGES: usize = 60;
/// The question and its first sub-queries.
const MOST_QUERIES: usize = 4;
/// What a part of a question counts beside the whole.
const PART: f64 = 0.9;
/// How long the comparison may take, and what is kept of the stage's time to make use of it.
const PATIENCE: Duration = Duration::from_secs(2);
const RESERVE: Duration = Duration::from_millis(200);

/// A passage that is compared: its source and its place there.
type Place = (usize, usize);

/// Lets the meaning of the best passages weigh. Where it cannot be had, words stand as they are.
pub(super) async fn weigh(
    semantics: &dyn Semantics,
    plan: &Plan,
    sources: &mut [Scored],
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Option<Usage> {
    let places = places(sources);
    let texts: Vec<String> = places
        .iter()
        .filter_map(|place| text(sources, *place))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if texts.is_empty() {
        return None;
    }
    let queries = queries(plan);
    let reserve = RESERVE.min(deadline.remaining() / 4);
    let until = deadline.earlier_by(reserve).at_most(PATIENCE);
    let compared = until.limit(semantics.similarities(&queries, &texts, until));
    match compared.await.unwrap_or(Err(SemanticsError::TimedOut)) {
        Ok(found) => {
            apply(sources, &places, &found.rows);
            found.usage
        }
        Err(error) => {
            if let SemanticsError::Refused { hint, .. } = &error {
                tracing::warn!(%error, hint, "meanings cannot be compared");
            }
            sink.warn(format!("{error}: sources are ranked by words"));
            None
        }
    }
}

fn queries(plan: &Plan) -> Vec<&str> {
    let mut queries = vec![plan.question.as_str()];
    for query in &plan.queries {
        let text = query.sub_query.query.as_str();
        if queries.len() < MOST_QUERIES && !queries.contains(&text) {
            queries.push(text);
        }
    }
    queries
}

/// The best passage of every source, then the best of the rest.
fn places(sources: &[Scored]) -> Vec<Place> {
    let mut all: Vec<(bool, f64, Place)> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let passages = source.passages.iter().enumerate().take(MOST_PASSAGES);
        all.extend(passages.map(|(at, (_, fit))| (at > 0, fit.score, (index, at))));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.total_cmp(&a.1)));
    all.truncate(MOST_PASSAGES);
    all.into_iter().map(|(_, _, place)| place).collect()
}

/// A passage with what it stands under: many a passage does not say itself what it is about.
fn text(sources: &[Scored], (source, at): Place) -> Option<String> {
    let source = sources.get(source)?;
    let (draft, _) = source.passages.get(at)?;
    let mut lines = vec![source.candidate.title.as_str()];
    lines.extend(draft.headings.iter().map(String::as_str));
    lines.push(&draft.text);
    lines.dedup();
    Some(lines.join("\n"))
}

fn apply(sources: &mut [Scored], places: &[Place], rows: &[Vec<f64>]) {
    for (column, (source, at)) in places.iter().enumerate() {
        let passage = sources
            .get_mut(*source)
            .and_then(|source| source.passages.get_mut(*at));
        let Some((_, fit)) = passage else {
            continue;
        };
        let nearness = rows.iter().enumerate().filter_map(|(row, scores)| {
            let score = scores.get(column)?.clamp(0.0, 1.0);
            Some(if row == 0 { score } else { PART * score })
        });
        fit.semantic = nearness.reduce(f64::max);
    }
    // A passage that was not compared is no better for it than one that was.
    for (_, fit) in sources.iter_mut().flat_map(|source| &mut source.passages) {
        fit.score =
            (1.0 - SEMANTIC_SHARE) * fit.words + SEMANTIC_SHARE * fit.semantic.unwrap_or(0.0);
    }
}
