//! One search from question to checked answer.

use super::{
    answer,
    answer::{Answer, citations},
    blocking,
    candidate::{Candidate, RankedSource},
    check,
    context::Context,
    deadline::Deadline,
    last_resort,
    outcome::{Outcome, PipelineError},
    plan,
    progress::ProgressSink,
    question::Plan,
    rank::{self, RankOptions},
    read,
    reporter::Reporter,
    search::{self, Searched},
    shares::Shares,
    sources,
};
use chrono::{DateTime, Utc};
use privachat_core::schema::{Event, SearchRequest, Source, Stage, problem};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Runs the search that `request` asks for until `deadline`, never past it by more than a moment.
/// What it does, finds and writes is told to `sink`. Dropping the future stops every upstream call.
///
/// # Errors
/// When there is nothing to answer from: see `privachat_core::schema::problem`.
pub async fn run(
    context: &Context,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    let reporter = Reporter::new(sink);
    let stages = Box::pin(stages(context, request, deadline, &reporter));
    let result = deadline
        .cut(stages)
        .await
        .unwrap_or_else(|| Err(too_late()));
    let warnings = reporter.into_warnings();
    match result {
        Ok(outcome) => Ok(Outcome {
            warnings,
            ..outcome
        }),
        Err(error) => Err(PipelineError { warnings, ..error }),
    }
}

async fn stages(
    context: &Context,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    let now = Utc::now();
    let pages = request.mode.limits().pages;
    let shares = Shares::new(deadline, pages > 0, context.model.is_some());
    let mut watch = Stopwatch::start();

    sink.stage(Stage::Plan, 0, 1, "Planning the search");
    let plan = Arc::new(plan::plan(&request.query, request.mode, now));
    watch.lap(Stage::Plan);

    let found = search::search(&context.providers, &plan, request, shares.search, sink);
    let Searched {
        mut candidates,
        mut usage,
    } = found.await?;
    sink.emit(Event::Sources {
        sources: provisional(&candidates, request.source_limit()),
    });
    watch.lap(Stage::Search);

    let pages = pages.min(request.source_limit());
    read::read(
        &*context.fetcher,
        &mut candidates,
        pages,
        shares.read(),
        sink,
    )
    .await;
    watch.lap(Stage::Read);

    let ranked = ranked(&plan, candidates, request, now, shares.rank, sink).await?;
    let (sources, source_details) = sources::to_response(&ranked);
    sink.emit(Event::Sources {
        sources: sources.clone(),
    });
    watch.lap(Stage::Rank);

    let answer = written(context, &plan, &ranked, request, &shares, sink).await;
    if let Some(spent) = answer.usage {
        *usage.get_or_insert_default() += spent;
    }
    watch.lap(Stage::Answer);

    let verdict = checked(&plan, &ranked, &answer, shares.check, sink).await;
    watch.lap(Stage::Check);

    Ok(Outcome {
        citations: citations::mapping(&answer.text, &sources),
        answer: answer.text,
        sub_queries: plan.queries.iter().map(|q| q.sub_query.clone()).collect(),
        sources,
        source_details,
        confidence: verdict.confidence,
        model_used: answer.model_used,
        grounding_score: verdict.grounding_score,
        hallucination_count: verdict.hallucination_count,
        warnings: Vec::new(),
        usage,
        timings: watch.laps,
    })
}

/// Ranks; in the order of the engines when ranking is cut.
async fn ranked(
    plan: &Arc<Plan>,
    candidates: Vec<Candidate>,
    request: &SearchRequest,
    now: DateTime<Utc>,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Arc<Vec<RankedSource>>, PipelineError> {
    let count = candidates.len();
    sink.stage(Stage::Rank, 0, 1, format!("Ranking {count} sources"));
    let options = RankOptions {
        limit: request.source_limit(),
        rerank: request.mode.limits().rerank,
        diversity: request.enable_diversity,
        recency: request.enable_recency,
        query_aware: request.enable_query_aware,
        now,
        semantic: None,
    };
    let (of, unranked) = (Arc::clone(plan), candidates.clone());
    let ranked = blocking::cut(deadline, move || rank::rank(&of, candidates, &options))
        .await
        .unwrap_or_else(|| {
            sink.warn("ranking was cut: sources are in the order of the search engines");
            last_resort::ranked(unranked, request.source_limit())
        });
    if ranked.is_empty() {
        return Err(nothing_relevant(count));
    }
    Ok(Arc::new(ranked))
}

/// Writes the answer; shows the best passages when even that is cut.
async fn written(
    context: &Context,
    plan: &Plan,
    ranked: &[RankedSource],
    request: &SearchRequest,
    shares: &Shares,
    sink: &dyn ProgressSink,
) -> Answer {
    sink.stage(Stage::Answer, 0, 1, "Writing the answer");
    let model = context.model.as_deref();
    let writing = answer::write(plan, ranked, request, model, shares.answer, sink);
    let Some(answer) = shares.answer_cut.cut(writing).await else {
        sink.warn("writing the answer was cut: it shows the best passages as they are");
        return Answer {
            text: last_resort::answer(ranked),
            model_used: "extractive".to_owned(),
            ..Answer::default()
        };
    };
    answer
        .warnings
        .iter()
        .for_each(|warning| sink.warn(warning));
    answer
}

/// What the check found.
#[derive(Debug, Default)]
struct Verdict {
    grounding_score: f64,
    hallucination_count: usize,
    confidence: f64,
}

/// Holds the answer against its sources; an answer that was not checked earns no trust.
async fn checked(
    plan: &Arc<Plan>,
    ranked: &Arc<Vec<RankedSource>>,
    answer: &Answer,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Verdict {
    sink.stage(Stage::Check, 0, 1, "Checking the answer");
    if answer.declined {
        // It claims nothing about the matter: nothing to hold against it, and little to go by.
        return Verdict {
            confidence: DECLINED,
            ..Verdict::default()
        };
    }
    let (plan, ranked, text) = (Arc::clone(plan), Arc::clone(ranked), answer.text.clone());
    let verdict = blocking::cut(deadline.keep(WRAP_UP), move || {
        let checked = check::check(&text, &ranked);
        Verdict {
            grounding_score: checked.grounding_score,
            hallucination_count: checked.hallucination_count,
            confidence: check::confidence(&plan, &ranked, &checked),
        }
    });
    verdict.await.unwrap_or_else(|| {
        sink.warn("the answer was not checked in time");
        Verdict::default()
    })
}

/// Confidence of an answer that says that there is none.
const DECLINED: f64 = 0.1;
/// Left after the last stage to put the result together before the deadline.
const WRAP_UP: Duration = Duration::from_millis(20);

/// Sources as they were found: nothing of them is scored but their place.
fn provisional(candidates: &[Candidate], limit: usize) -> Vec<Source> {
    let best = candidates.first().map_or(1.0, |first| first.fused);
    candidates
        .iter()
        .take(limit)
        .map(|candidate| Source {
            title: candidate.title.clone(),
            url: candidate.url.clone(),
            snippet: candidate.snippet.clone(),
            relevance: 0.0,
            semantic_score: None,
            final_score: (candidate.fused / best).clamp(0.0, 1.0),
            source_type: candidate.source_type,
        })
        .collect()
}

fn nothing_relevant(count: usize) -> PipelineError {
    PipelineError {
        stage: Stage::Rank,
        code: problem::NO_SOURCES,
        message: format!("{count} results were found, but none of them fits the question."),
        hint: Some("Ask in other words, or choose another search_engine.".to_owned()),
        retryable: false,
        warnings: Vec::new(),
    }
}

fn too_late() -> PipelineError {
    PipelineError {
        stage: Stage::Search,
        code: problem::TIMEOUT,
        message: "The time was used up before an answer could be given.".to_owned(),
        hint: Some("Try again, with a longer timeout or in a faster mode.".to_owned()),
        retryable: true,
        warnings: Vec::new(),
    }
}

/// Time per stage.
struct Stopwatch {
    since: Instant,
    laps: BTreeMap<Stage, Duration>,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            since: Instant::now(),
            laps: BTreeMap::new(),
        }
    }

    fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.laps.insert(stage, now - self.since);
        self.since = now;
    }
}

#[cfg(test)]
mod tests;
