//! `ask`: the whole pipeline once.

use super::{output, progress};
use crate::{
    pipeline::{self, Deadline},
    providers::local::LocalCorpus,
    response,
    wiring::{self, PipelineSettings},
};
use anyhow::{Context as _, ensure};
use chrono::Utc;
use privachat_core::{
    mode::Mode,
    schema::{SearchEngine, SearchRequest, SearchResponse, Status},
};
use std::{io::Write, process::ExitCode, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long to wait for another process that builds the index.
const INDEX_TIMEOUT: Duration = Duration::from_secs(600);
/// The longest question, in characters; the same limit as in the API.
const MAX_QUESTION_CHARS: usize = 5000;

/// Builds the request for `question`.
///
/// # Errors
/// When the question is empty or too long.
pub(super) fn request(
    question: &str,
    mode: Mode,
    engine: SearchEngine,
    timeout: Option<u64>,
) -> anyhow::Result<SearchRequest> {
    let question = question.trim();
    ensure!(!question.is_empty(), "the question is empty");
    ensure!(
        question.chars().count() <= MAX_QUESTION_CHARS,
        "the question is longer than {MAX_QUESTION_CHARS} characters"
    );
    let mut request = SearchRequest::new(question, mode);
    request.search_engine = engine;
    request.timeout = timeout;
    Ok(request)
}

pub(super) async fn run(
    settings: &PipelineSettings,
    request: &SearchRequest,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let wiring = wiring::build(settings)?;
    if let Some(corpus) = &wiring.corpus {
        refresh_index(corpus).await?;
    }
    let sink = progress::stderr();
    let start = Instant::now();
    let deadline = Deadline::after(request.time_limit());
    let result = pipeline::run(&wiring.context, request, deadline, sink.as_sink()).await;
    sink.finish();

    let pending = SearchResponse::pending(
        Uuid::new_v4(),
        request.query.clone(),
        request.mode_name(),
        Utc::now(),
    );
    let response = match result {
        Ok(outcome) => response::completed(pending, outcome, start.elapsed()),
        Err(error) => response::failed(pending, error, start.elapsed()),
    };
    if json {
        output::json(&response, out)?;
    } else {
        output::response(&response, out)?;
    }
    Ok(match response.status {
        Status::Completed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Updates the index to the current files. A worker does this in the background, but a command
/// waits.
pub(super) async fn refresh_index(corpus: &Arc<LocalCorpus>) -> anyhow::Result<()> {
    let indexing = Arc::clone(corpus);
    let fresh = tokio::task::spawn_blocking(move || indexing.refresh(&CancellationToken::new()))
        .await
        .context("reading the corpus failed")??;
    if !fresh {
        corpus.ready(Deadline::after(INDEX_TIMEOUT)).await;
    }
    Ok(())
}
