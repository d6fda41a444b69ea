//! Runs the stages of one search in order and assembles the [`Outcome`].

use super::{
    answer,
    answer::Answer,
    candidate::{Candidate, RankedSource},
    check,
    context::Context,
    cost::Cost,
    deadline::Deadline,
    direct, last_resort,
    outcome::{Outcome, PipelineError},
    plan,
    progress::ProgressSink,
    question::Plan,
    rank::{self, RankOptions},
    read::{self, Tally},
    reporter::Reporter,
    search::{self, Ahead},
    shares::Shares,
    sources, spans,
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use privachat_core::schema::{Event, SearchRequest, Source, Stage, error_code};
use std::sync::Arc;
use tracing::Instrument;

/// Runs the search in `request` until `deadline` and sends its events to `sink`. Dropping the
/// future stops every upstream call.
///
/// # Errors
/// [`PipelineError`] when there are no sources to answer from, or none in time.
pub async fn run(
    context: &Context,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    let reporter = Reporter::new(sink);
    let work: BoxFuture<'_, _> = if request.direct {
        Box::pin(direct::run(context, request, deadline, &reporter))
    } else {
        Box::pin(stages(context, request, deadline, &reporter))
    };
    let result = deadline
        .cut(work)
        .await
        .unwrap_or_else(|| Err(PipelineError::too_late()));
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
    let now = (context.clock)();
    let pages = request.mode.limits().pages;
    let shares = Shares::new(deadline, pages > 0, context.model.is_some());
    let mut cost = Cost::start();

    let rules = plan::by_rules(&request.query, request.mode, now);
    let model = plan::planner(context, request, shares.plan);
    let mut ahead = model.and_then(|_| {
        let whole = plan::whole(&rules);
        Ahead::new(context, &rules, whole, request, shares.search)
    });
    let planning = plan::plan(model, rules, request, now, shares.plan, sink);
    let planning = async {
        match &mut ahead {
            Some(ahead) => ahead.beside(planning).await,
            None => planning.await,
        }
    };
    let mut planned = planning.instrument(spans::of(Stage::Plan)).await;
    if let Some(ahead) = &mut ahead {
        ahead.enter(&mut planned.plan, request);
    }
    cost.spend(planned.usage);
    let plan = Arc::new(planned.plan);
    cost.lap(Stage::Plan);

    let searching = search::search(context, &plan, request, shares.search, ahead, sink);
    let found = searching.instrument(spans::of(Stage::Search)).await?;
    cost.spend(found.usage);
    let mut candidates = found.candidates;
    sink.emit(Event::Sources {
        sources: provisional(&candidates, request.source_limit()),
    });
    cost.lap(Stage::Search);

    let pages = pages.min(request.source_limit());
    let language = plan.language.as_deref();
    let until = shares.read();
    let reading = read::read(context, &mut candidates, pages, language, until, sink);
    let tally = reading.instrument(spans::of(Stage::Read)).await;
    cost.lap(Stage::Read);

    let count = candidates.len();
    let options = rank_options(request, now);
    let ranking = rank::rank(context, &plan, candidates, options, shares.rank, sink);
    let ranked = ranking.instrument(spans::of(Stage::Rank)).await;
    cost.spend(ranked.usage);
    if ranked.sources.is_empty() {
        return Err(nothing_left(count, tally));
    }
    let ranked = Arc::new(ranked.sources);
    let (sources, source_details) = sources::to_response(&ranked);
    sink.emit(Event::Sources {
        sources: sources.clone(),
    });
    cost.lap(Stage::Rank);

    let writing = written(context, &plan, &ranked, request, &shares, sink);
    let answer = writing.instrument(spans::of(Stage::Answer)).await;
    cost.spend(answer.usage);
    cost.lap(Stage::Answer);

    let checking = check::check(context, &plan, &ranked, &answer, shares.check, sink);
    let checked = checking.instrument(spans::of(Stage::Check)).await;
    cost.spend(checked.usage);
    cost.lap(Stage::Check);

    let response = (sources, source_details);
    Ok(Outcome::of(
        checked,
        &plan,
        response,
        answer.model_used,
        cost,
    ))
}

fn rank_options(request: &SearchRequest, now: DateTime<Utc>) -> RankOptions {
    RankOptions {
        limit: request.source_limit(),
        rerank: request.mode.limits().rerank,
        diversity: request.enable_diversity,
        recency: request.enable_recency,
        query_aware: request.enable_query_aware,
        now,
    }
}

/// Writes the answer; falls back to the best passages when writing misses its cutoff.
async fn written(
    context: &Context,
    plan: &Arc<Plan>,
    ranked: &Arc<Vec<RankedSource>>,
    request: &SearchRequest,
    shares: &Shares,
    sink: &dyn ProgressSink,
) -> Answer {
    let writing = answer::write(context, plan, ranked, request, shares.answer, sink);
    let Some(answer) = shares.answer_cut.cut(writing).await else {
        sink.warn("writing the answer was cut: it shows the best passages as they are");
        return Answer {
            text: last_resort::answer(ranked),
            model_used: answer::EXTRACTIVE.to_owned(),
            ..Answer::default()
        };
    };
    answer
        .warnings
        .iter()
        .for_each(|warning| sink.warn(warning));
    answer
}

/// Sources before reading and ranking: only their fused position is scored.
fn provisional(candidates: &[Candidate], limit: usize) -> Vec<Source> {
    let best = candidates.first().map_or(1.0, |first| first.fused);
    candidates
        .iter()
        .take(limit)
        .map(|candidate| Source {
            title: candidate.title.clone(),
            url: candidate.url.clone(),
            snippet: sources::snippet(&candidate.snippet),
            relevance: 0.0,
            semantic_score: None,
            final_score: (candidate.fused / best).clamp(0.0, 1.0),
            source_type: candidate.source_type,
        })
        .collect()
}

/// Why none of `count` results became a source: too slow, blocked, or not relevant.
fn nothing_left(count: usize, tally: Tally) -> PipelineError {
    let was_refused = tally.read == 0 && tally.blocked > 0 && tally.blocked == tally.failed;
    let was_late = tally.read == 0 && tally.late > 0 && tally.late == tally.failed;
    let (code, message) = if was_late {
        (
            error_code::TIMEOUT,
            format!("{count} results were found, but their pages were too slow to be read."),
        )
    } else if was_refused {
        (
            error_code::SOURCES_BLOCKED,
            format!("{count} results were found, but their pages refuse to be read."),
        )
    } else {
        (
            error_code::SOURCES_FILTERED,
            format!("{count} results were found, but none of them fits the question."),
        )
    };
    PipelineError {
        stage: Stage::Rank,
        code,
        message,
        hint: error_code::find(code).map(|problem| problem.remedy.to_owned()),
        retryable: was_late,
        retry_after: None,
        warnings: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
