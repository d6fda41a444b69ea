//! Plan: what a question is after, and what to search for. By rules the same question always gives
//! the same plan; a language model may do better, within the bounds of the mode.

mod by_model;
mod compare;
mod intent;
mod json;
mod merge;
mod parts;
mod recency;
#[cfg(test)]
mod tests;
mod words;

use super::{
    context::Context,
    deadline::Deadline,
    model::LanguageModel,
    plan_types::{Plan, PlannedQuery, PlanningResult},
    progress::ProgressSink,
    text,
};
use chrono::{DateTime, Utc};
use privachat_core::{
    mode::Mode,
    schema::{Intent, SearchRequest, Stage, SubQuery},
};

/// Engines refuse or silently cut longer queries, in characters. The question itself stays whole.
pub const QUERY_LIMIT: usize = 400;

/// The model that plans the search for `request` until `deadline`: there may be none, speed mode
/// wants none, and without time none is asked.
#[must_use]
pub fn planning_model<'c>(
    context: &'c Context,
    request: &SearchRequest,
    deadline: Deadline,
) -> Option<&'c dyn LanguageModel> {
    context
        .model
        .as_deref()
        .filter(|_| request.mode != Mode::Speed && !deadline.has_passed())
}

/// Plans the search for `request`: with `model` until `deadline`; by `rules` without one, and when
/// the model fails.
pub async fn plan(
    model: Option<&dyn LanguageModel>,
    rules: Plan,
    request: &SearchRequest,
    now: DateTime<Utc>,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> PlanningResult {
    sink.stage(Stage::Plan, 0, 1, "Planning the search");
    let Some(model) = model else {
        return PlanningResult {
            plan: rules,
            usage: None,
        };
    };
    let (made, usage) = by_model::plan(model, &rules, request, now, deadline).await;
    let plan = made.unwrap_or_else(|failure| {
        // A model that is down is told of when it is to answer.
        if let Some(warning) = failure.warning() {
            sink.warn(warning);
        }
        rules
    });
    PlanningResult { plan, usage }
}

/// Plans the search for `question` without a model. `now` decides which year is the current one.
#[must_use]
pub fn plan_by_rules(question: &str, mode: Mode, now: DateTime<Utc>) -> Plan {
    let question = words::normalise(question);
    let language = text::language(&question);
    let recency = recency::of(&question, now);
    let comparison = compare::find(&question);
    let whole_intent = match comparison {
        Some(_) => Intent::Opinion,
        None => intent::of(&question),
    };

    let whole = Wanted {
        text: question.clone(),
        intent: whole_intent,
    };
    let pieces = pieces(&question, comparison.as_ref());
    let parts = parts_of(&question, &pieces, comparison.is_some());
    let queries = fit(whole, pieces, mode)
        .into_iter()
        .zip(1..)
        .map(|(wanted, priority)| PlannedQuery {
            sub_query: SubQuery {
                query: words::cut(&wanted.text, QUERY_LIMIT),
                intent: wanted.intent,
                priority,
            },
            time_range: recency.time_range,
        })
        .collect();

    Plan {
        sub_questions: parts,
        question,
        language,
        queries,
        entities: comparison.map_or_else(Vec::new, |found| found.entities),
        wants_recent: recency.wants_recent,
        year: recency.year,
        used_model: false,
    }
}

/// The question of `rules` as one query, whether or not its plan holds it.
#[must_use]
pub fn whole_question_query(rules: &Plan) -> PlannedQuery {
    let first = rules.queries.first();
    PlannedQuery {
        sub_query: SubQuery {
            query: words::cut(&rules.question, QUERY_LIMIT),
            intent: first.map_or(Intent::Factual, |first| first.sub_query.intent),
            priority: 1,
        },
        time_range: first.and_then(|first| first.time_range),
    }
}

struct Wanted {
    text: String,
    intent: Intent,
}

fn pieces(question: &str, comparison: Option<&compare::Comparison>) -> Vec<Wanted> {
    if let Some(comparison) = comparison {
        return comparison
            .queries()
            .into_iter()
            .map(|text| Wanted {
                text,
                intent: Intent::Factual,
            })
            .collect();
    }
    parts::split(question)
        .into_iter()
        .map(|text| Wanted {
            intent: intent::of(&text),
            text,
        })
        .collect()
}

/// What has to be answered one by one. A comparison is one question about several things.
fn parts_of(question: &str, pieces: &[Wanted], compares: bool) -> Vec<String> {
    if compares || pieces.len() < 2 {
        return vec![question.to_owned()];
    }
    pieces.iter().map(|piece| piece.text.clone()).collect()
}

/// The whole question and its pieces; only the pieces when there is no room for both, because a
/// piece left out would leave its part of the answer without sources.
fn fit(whole: Wanted, pieces: Vec<Wanted>, mode: Mode) -> Vec<Wanted> {
    let room = mode.limits().sub_queries.max(1);
    if room == 1 || pieces.len() < 2 {
        return vec![whole];
    }
    if pieces.len() == room {
        return pieces;
    }
    std::iter::once(whole).chain(pieces).take(room).collect()
}
