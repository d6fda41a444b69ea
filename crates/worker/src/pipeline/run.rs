//! Runs the stages of one search in order and assembles the [`Outcome`].

use super::{
    answer,
    answer::Answer,
    candidate::{Candidate, RankedSource},
    check,
    context::Context,
    cost::Cost,
    deadline::Deadline,
    direct, fallback,
    outcome::{Outcome, PipelineError},
    plan,
    plan_types::Plan,
    progress::ProgressSink,
    rank::{self, RankOptions},
    read::{self, FetchStats},
    search::{self, SpeculativeSearch},
    sources, spans,
    time_budget::StageDeadlines,
    warning_log::WarningLog,
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
    let reporter = WarningLog::new(sink);
    let work: BoxFuture<'_, _> = if request.direct {
        Box::pin(direct::run(context, request, deadline, &reporter))
    } else {
        Box::pin(run_stages(context, request, deadline, &reporter))
    };
    let result = deadline
        .limit(work)
        .await
        .unwrap_or_else(|| Err(PipelineError::timed_out()));
    let warnings = reporter.into_warnings();
    match result {
        Ok(outcome) => Ok(Outcome {
            warnings,
            ..outcome
        }),
        Err(error) => Err(PipelineError { warnings, ..error }),
    }
}

async fn run_stages(
    context: &Context,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    let now = (context.clock)();
    let pages = request.mode.limits().pages;
    let shares = StageDeadlines::new(deadline, pages > 0, context.model.is_some());
    let mut cost = Cost::start();

    let rules = plan::plan_by_rules(&request.query, request.mode, now);
    let model = plan::planning_model(context, request, shares.plan);
    let mut ahead = model.and_then(|_| {
        let whole = plan::whole_question_query(&rules);
        SpeculativeSearch::new(context, &rules, whole, request, shares.search)
    });
    let planning = plan::plan(model, rules, request, now, shares.plan, sink);
    let planning = async {
        match &mut ahead {
            Some(ahead) => ahead.beside(planning).await,
            None => planning.await,
        }
    };
    let mut planned = planning.instrument(spans::stage_span(Stage::Plan)).await;
    if let Some(ahead) = &mut ahead {
        ahead.enter(&mut planned.plan, request);
    }
    cost.add_usage(planned.usage);
    let plan = Arc::new(planned.plan);
    cost.end_stage(Stage::Plan);

    let searching = search::search(context, &plan, request, shares.search, ahead, sink);
    let found = searching
        .instrument(spans::stage_span(Stage::Search))
        .await?;
    cost.add_usage(found.usage);
    let mut candidates = found.candidates;
    sink.emit(Event::Sources {
        sources: provisional_sources(&candidates, request.source_limit()),
    });
    cost.end_stage(Stage::Search);

    let pages = pages.min(request.source_limit());
    let language = plan.language.as_deref();
    let until = shares.read();
    let reading = read::read(context, &mut candidates, pages, language, until, sink);
    let tally = reading.instrument(spans::stage_span(Stage::Read)).await;
    cost.end_stage(Stage::Read);

    let count = candidates.len();
    let options = rank_options(request, now);
    let ranking = rank::rank(context, &plan, candidates, options, shares.rank, sink);
    let ranked = ranking.instrument(spans::stage_span(Stage::Rank)).await;
    cost.add_usage(ranked.usage);
    if ranked.sources.is_empty() {
        return Err(no_sources_left(count, tally));
    }
    let ranked = Arc::new(ranked.sources);
    let (sources, source_details) = sources::to_response(&ranked);
    sink.emit(Event::Sources {
        sources: sources.clone(),
    });
    cost.end_stage(Stage::Rank);

    let writing = write_answer(context, &plan, &ranked, request, &shares, sink);
    let answer = writing.instrument(spans::stage_span(Stage::Answer)).await;
    cost.add_usage(answer.usage);
    cost.end_stage(Stage::Answer);

    let checking = check::check(context, &plan, &ranked, &answer, shares.check, sink);
    let checked = checking.instrument(spans::stage_span(Stage::Check)).await;
    cost.add_usage(checked.usage);
    cost.end_stage(Stage::Check);

    let response = (sources, source_details);
    Ok(Outcome::from_checked(
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
async fn write_answer(
    context: &Context,
    plan: &Arc<Plan>,
    ranked: &Arc<Vec<RankedSource>>,
    request: &SearchRequest,
    shares: &StageDeadlines,
    sink: &dyn ProgressSink,
) -> Answer {
    let writing = answer::write(context, plan, ranked, request, shares.answer, sink);
    let Some(answer) = shares.answer_cut.limit(writing).await else {
        sink.warn("writing the answer was cut: it shows the best passages as they are");
        return Answer {
            text: fallback::quote_passages(ranked),
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
fn provisional_sources(candidates: &[Candidate], limit: usize) -> Vec<Source> {
    let best = candidates.first().map_or(1.0, |first| first.fusion_score);
    candidates
        .iter()
        .take(limit)
        .map(|candidate| Source {
            title: candidate.title.clone(),
            url: candidate.url.clone(),
            snippet: sources::snippet(&candidate.snippet),
            relevance: 0.0,
            semantic_score: None,
            final_score: (candidate.fusion_score / best).clamp(0.0, 1.0),
            source_type: candidate.source_type,
        })
        .collect()
}

/// Why none of `count` results became a source: too slow, blocked, or not relevant.
fn no_sources_left(count: usize, tally: FetchStats) -> PipelineError {
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
