//! Direct search: Perplexity writes the answer; its citations are cleaned and checked against its
//! sources.

use super::{
    answer::{Answer, citations},
    candidate::{Candidate, RankedSource},
    check,
    context::Context,
    cost::Cost,
    deadline::Deadline,
    fallback,
    outcome::{Outcome, PipelineError},
    plan,
    plan_types::Plan,
    progress::ProgressSink,
    provider::{ProviderQuery, ProviderResponse},
    rank::{self, RankOptions},
    read,
    search::{self, renumber::renumber},
    sources, spans,
};
use privachat_core::schema::{Event, SearchEngine, SearchRequest, Stage, error_code};
use std::{sync::Arc, time::Duration};
use tracing::Instrument;

/// Reserved for the check.
const CHECK_TIME: Duration = Duration::from_millis(300);
/// Reserved for ranking.
const RANK_TIME: Duration = Duration::from_secs(1);
/// The maximum time for reading: it only serves the check.
const MAX_READ_TIME: Duration = Duration::from_secs(5);
/// Pages that are read to check the answer.
const MAX_PAGES: usize = 5;

/// Runs a direct search until `deadline`.
///
/// # Errors
/// [`PipelineError`] when Perplexity is not configured, fails, or gives no answer or no sources.
pub async fn run(
    context: &Context,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    let now = (context.clock)();
    let mut cost = Cost::start();

    let plan = plan::plan_by_rules(&request.query, privachat_core::mode::Mode::Speed, now);
    let plan = Arc::new(plan);
    sink.stage(Stage::Search, 0, 1, "Asking Perplexity");
    let (query, engine) = (perplexity_query(&plan, request), SearchEngine::Perplexity);
    let searching = search::query_engine(context, engine, &query, deadline.earlier_by(CHECK_TIME));
    let searched = searching.instrument(spans::stage_span(Stage::Search)).await;
    let (found, mut candidates, numbers) = searched?;
    let text = clean_answer(&found, &numbers, candidates.len())?;
    cost.end_stage(Stage::Search);

    let until = deadline
        .earlier_by(CHECK_TIME + RANK_TIME)
        .at_most(MAX_READ_TIME);
    let language = plan.language.as_deref();
    let reading = read::read(context, &mut candidates, MAX_PAGES, language, until, sink);
    reading.instrument(spans::stage_span(Stage::Read)).await;
    cost.end_stage(Stage::Read);

    let order: Vec<String> = candidates.iter().map(|it| it.url.clone()).collect();
    let options = RankOptions {
        limit: candidates.len(),
        rerank: false,
        diversity: false,
        recency: false,
        query_aware: false,
        now,
    };
    let until = deadline.earlier_by(CHECK_TIME);
    let ranking = rank::rank(context, &plan, candidates.clone(), options, until, sink);
    let ranked = ranking.instrument(spans::stage_span(Stage::Rank)).await;
    let (ranked, numbers) = in_citation_order(&order, candidates, ranked.sources);
    let text = renumber(&text, &numbers);
    let ranked = Arc::new(ranked);
    let (sources, source_details) = sources::to_response(&ranked);
    sink.emit(Event::Sources {
        sources: sources.clone(),
    });
    sink.emit(Event::Text {
        delta: text.clone(),
    });
    cost.end_stage(Stage::Rank);

    let answer = Answer {
        text,
        model_used: SearchEngine::Perplexity.as_str().to_owned(),
        ..Answer::default()
    };
    let checking = check::check(context, &plan, &ranked, &answer, deadline, sink);
    let checked = checking.instrument(spans::stage_span(Stage::Check)).await;
    cost.end_stage(Stage::Check);
    cost.add_usage(found.usage);
    cost.add_usage(checked.usage);
    let response = (sources, source_details);
    Ok(Outcome::from_checked(
        checked,
        &plan,
        response,
        answer.model_used,
        cost,
    ))
}

/// The query with the whole question: Perplexity answers it.
fn perplexity_query(plan: &Plan, request: &SearchRequest) -> ProviderQuery {
    let planned = plan.queries.first();
    ProviderQuery {
        text: plan.question.clone(),
        language: plan.language.clone(),
        time_range: planned.and_then(|planned| planned.time_range),
        year: plan.year,
        limit: request.source_limit(),
    }
}

/// The answer, its citations renumbered to the candidates.
fn clean_answer(
    found: &ProviderResponse,
    numbers: &[Option<usize>],
    sources: usize,
) -> Result<String, PipelineError> {
    let answer = found.answer.as_deref().unwrap_or_default();
    let text = citations::clean(&renumber(answer, numbers), sources);
    if text.trim().is_empty() {
        return Err(PipelineError {
            stage: Stage::Search,
            code: error_code::UPSTREAM_UNAVAILABLE,
            message: "Perplexity gave no answer.".to_owned(),
            hint: Some("Try again, or use POST /api/v1/search.".to_owned()),
            retryable: true,
            retry_after: None,
            warnings: Vec::new(),
        });
    }
    Ok(text.trim().to_owned())
}

/// The candidates as sources in their own order, each with its ranked passages, else its excerpt;
/// and for each URL of `order` the number of its source, from 1. A source without text is still
/// cited by the answer: it gets its title as passage.
fn in_citation_order(
    order: &[String],
    candidates: Vec<Candidate>,
    ranked: Vec<RankedSource>,
) -> (Vec<RankedSource>, Vec<Option<usize>>) {
    let mut sources: Vec<RankedSource> = candidates
        .into_iter()
        .map(|candidate| {
            let chosen = ranked.iter().find(|it| it.candidate.url == candidate.url);
            chosen
                .cloned()
                .unwrap_or_else(|| unranked_source(candidate))
        })
        .collect();
    // Redirects may have given two candidates the same URL.
    sources.dedup_by(|a, b| a.candidate.url == b.candidate.url);
    let numbers = order.iter().map(|url| {
        let at = sources.iter().position(|it| it.candidate.url == *url)?;
        Some(at + 1)
    });
    let numbers = numbers.collect();
    (sources, numbers)
}

fn unranked_source(candidate: Candidate) -> RankedSource {
    let text = match candidate.snippet.trim() {
        "" => candidate.title.clone(),
        snippet => snippet.to_owned(),
    };
    fallback::unranked_source(candidate, text, 0.0)
}

#[cfg(test)]
mod tests;
