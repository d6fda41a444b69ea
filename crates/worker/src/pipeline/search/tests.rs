use super::{breaker, *};
use crate::pipeline::{
    plan,
    provider::{ProviderError, ProviderResponse, SearchProvider},
    test_support::{Recorder, ScriptedPages, ScriptedProvider, hit},
};
use chrono::Utc;
use privachat_core::{
    mode::Mode,
    schema::{SearchEngine, error_code},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

mod hedging;
mod recency;

const BUDGET: Duration = Duration::from_secs(10);
const THREE_URLS: [&str; 3] = ["https://a.org/", "https://b.org/", "https://c.org/"];

async fn search_with(
    providers: &[&Arc<ScriptedProvider>],
    engine: SearchEngine,
    sink: &Recorder,
) -> Result<FoundCandidates, PipelineError> {
    let providers = provider_set(providers);
    run(&providers, "What is Rust?", engine, sink).await
}

fn provider_set(providers: &[&Arc<ScriptedProvider>]) -> Providers {
    let all = providers
        .iter()
        .map(|provider| Arc::clone(provider) as Arc<dyn SearchProvider>);
    Providers::new(all.collect())
}

async fn run(
    providers: &Providers,
    question: &str,
    engine: SearchEngine,
    sink: &Recorder,
) -> Result<FoundCandidates, PipelineError> {
    let plan = plan::plan_by_rules(question, Mode::Deep, Utc::now());
    let mut request = SearchRequest::new(question, Mode::Deep);
    request.search_engine = engine;
    let context = Context::new(providers.clone(), Arc::new(ScriptedPages::default()));
    search(
        &context,
        &plan,
        &request,
        Deadline::after(BUDGET),
        None,
        sink,
    )
    .await
}

async fn search_error(providers: &[&Arc<ScriptedProvider>], engine: SearchEngine) -> PipelineError {
    search_with(providers, engine, &Recorder::default())
        .await
        .unwrap_err()
}

fn hanging_provider(name: &'static str) -> Arc<ScriptedProvider> {
    ScriptedProvider::after(name, BUDGET * 10, Ok(ProviderResponse::default()))
}

#[tokio::test(start_paused = true)]
async fn the_next_engine_is_called_only_when_the_first_found_too_little() {
    let (serper, perplexity) = (
        ScriptedProvider::finds("serperdev", &THREE_URLS),
        ScriptedProvider::finds("perplexity", &THREE_URLS),
    );
    let rich = ScriptedProvider::finds("searxng", &THREE_URLS);
    let sink = Recorder::default();
    search_with(&[&rich, &serper, &perplexity], SearchEngine::Auto, &sink)
        .await
        .unwrap();
    assert_eq!(
        (rich.calls(), serper.calls(), perplexity.calls()),
        (1, 0, 0)
    );

    let poor = ScriptedProvider::finds("searxng", &["https://d.org/"]);
    let found = search_with(&[&poor, &serper, &perplexity], SearchEngine::Auto, &sink)
        .await
        .unwrap();
    assert_eq!(
        (poor.calls(), serper.calls(), perplexity.calls()),
        (1, 1, 0)
    );
    assert_eq!(found.candidates.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_local_corpus_does_not_replace_the_web() {
    let local = ScriptedProvider::finds("local", &["file:///a", "file:///b", "file:///c"]);
    let serper = ScriptedProvider::finds("serperdev", &THREE_URLS);
    let found = search_with(&[&local, &serper], SearchEngine::Auto, &Recorder::default())
        .await
        .unwrap();
    assert_eq!((local.calls(), serper.calls()), (1, 1));
    assert_eq!(found.candidates.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn wikipedia_is_used_when_no_web_engine_is_configured() {
    let wikipedia = ScriptedProvider::finds("wikipedia", &THREE_URLS);
    let local = ScriptedProvider::finds("local", &["file:///a"]);
    search_with(
        &[&local, &wikipedia],
        SearchEngine::Auto,
        &Recorder::default(),
    )
    .await
    .unwrap();
    assert_eq!(wikipedia.calls(), 1);
    let searxng = ScriptedProvider::finds("searxng", &[]);
    search_with(
        &[&local, &wikipedia, &searxng],
        SearchEngine::Auto,
        &Recorder::default(),
    )
    .await
    .unwrap();
    assert_eq!((wikipedia.calls(), searxng.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_named_engine_is_called_alone() {
    let (searxng, wikipedia) = (
        ScriptedProvider::finds("searxng", &THREE_URLS),
        ScriptedProvider::finds("wikipedia", &THREE_URLS),
    );
    search_with(
        &[&searxng, &wikipedia],
        SearchEngine::Wikipedia,
        &Recorder::default(),
    )
    .await
    .unwrap();
    assert_eq!((searxng.calls(), wikipedia.calls()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn when_one_engine_fails_the_next_answers_with_a_warning() {
    let (searxng, serper) = (
        ScriptedProvider::fails("searxng"),
        ScriptedProvider::finds("serperdev", &THREE_URLS),
    );
    let sink = Recorder::default();
    let found = search_with(&[&searxng, &serper], SearchEngine::Auto, &sink)
        .await
        .unwrap();
    assert_eq!(found.candidates.len(), 3);
    assert_eq!(sink.warnings(), ["searxng is not available (HTTP 502)"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_leaves_time_for_the_next() {
    let (searxng, serper) = (
        hanging_provider("searxng"),
        ScriptedProvider::finds("serperdev", &THREE_URLS),
    );
    let sink = Recorder::default();
    let start = Instant::now();
    let found = search_with(&[&searxng, &serper], SearchEngine::Auto, &sink)
        .await
        .unwrap();
    assert_eq!(found.candidates.len(), 3);
    assert!(start.elapsed() < BUDGET);
    assert_eq!(sink.warnings(), ["searxng did not answer in time"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_does_not_hold_up_the_hits_of_others() {
    let (searxng, local) = (
        hanging_provider("searxng"),
        ScriptedProvider::finds("local", &["file:///a"]),
    );
    let start = Instant::now();
    let found = search_with(
        &[&searxng, &local],
        SearchEngine::Auto,
        &Recorder::default(),
    )
    .await
    .unwrap();
    assert_eq!(found.candidates.len(), 1);
    assert!(start.elapsed() <= BUDGET + Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn with_enough_local_hits_a_hanging_engine_is_soon_given_up() {
    let local = ScriptedProvider::finds("local", &["file:///a", "file:///b", "file:///c"]);
    let searxng = hanging_provider("searxng");
    let sink = Recorder::default();
    let start = Instant::now();
    let found = search_with(&[&searxng, &local], SearchEngine::Auto, &sink).await;
    assert_eq!(found.unwrap().candidates.len(), 3);
    assert_eq!(start.elapsed().as_secs(), 6, "twice the hedge delay");
    assert_eq!(sink.warnings(), ["searxng did not answer in time"]);
}

/// Hangs on every query but the first.
struct HangsOnOneQuery;

#[async_trait::async_trait]
impl SearchProvider for HangsOnOneQuery {
    fn name(&self) -> &'static str {
        "searxng"
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        _: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        if query.text.contains("Go") && !query.text.contains("vs") {
            tokio::time::sleep(BUDGET * 10).await;
        }
        let hits = THREE_URLS.iter().map(|url| hit("searxng", url)).collect();
        Ok(ProviderResponse {
            hits,
            ..ProviderResponse::default()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_query_loses_only_its_own_hits() {
    let providers = Providers::new(vec![Arc::new(HangsOnOneQuery)]);
    let sink = Recorder::default();
    let start = Instant::now();
    let found = run(&providers, "Rust vs Go", SearchEngine::Auto, &sink).await;
    assert_eq!(found.unwrap().candidates.len(), 3);
    assert_eq!(start.elapsed(), MIN_STRAGGLER_TIME);
    assert_eq!(sink.warnings(), ["searxng did not answer in time"]);
}

#[tokio::test(start_paused = true)]
async fn sub_queries_and_engines_run_concurrently() {
    let second = Duration::from_secs(1);
    let found = || {
        Ok(ProviderResponse {
            hits: vec![hit("searxng", "https://a.org/"); 3],
            ..ProviderResponse::default()
        })
    };
    let (searxng, local) = (
        ScriptedProvider::after("searxng", second, found()),
        ScriptedProvider::after("local", second, found()),
    );
    let start = Instant::now();
    let sink = Recorder::default();
    run(
        &provider_set(&[&searxng, &local]),
        "Rust vs Go",
        SearchEngine::Auto,
        &sink,
    )
    .await
    .unwrap();
    assert_eq!((searxng.calls(), local.calls()), (3, 3));
    assert!(start.elapsed() < second * 11 / 10);
    assert_eq!(sink.progress().last().unwrap(), "3 of 3 queries searched");
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_error_names_them_and_whether_it_is_retryable() {
    let refused = ScriptedProvider::after(
        "serperdev",
        Duration::ZERO,
        Err(ProviderError::Refused {
            provider: "serperdev",
            reason: "HTTP 401".to_owned(),
            hint: "Check SERPER_API_KEY.".to_owned(),
        }),
    );
    let both = [&ScriptedProvider::fails("searxng"), &refused];
    let error = search_error(&both, SearchEngine::Auto).await;
    assert_eq!(error.code, error_code::UPSTREAM_UNAVAILABLE);
    assert_eq!(
        error.message,
        "No search provider gave results: searxng is not available (HTTP 502); serperdev refuses the request (HTTP 401)."
    );
    assert_eq!(error.hint.as_deref(), Some("Check SERPER_API_KEY."));
    assert!(error.retryable);

    assert!(
        !search_error(&[&refused], SearchEngine::Auto)
            .await
            .retryable
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_set_when_every_provider_asks_for_a_wait() {
    let limited = |provider, seconds| {
        let error = ProviderError::RateLimited {
            provider,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        ScriptedProvider::after(provider, Duration::ZERO, Err(error))
    };
    let (hour, minute) = (limited("searxng", 3600), limited("serperdev", 60));
    let error = search_error(&[&hour, &minute], SearchEngine::Auto).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(60)));
    let hint = error.hint.unwrap();
    assert!(hint.starts_with("Try again in 60 s: "), "{hint}");
    assert!(hint.ends_with("settings.yml)"), "{hint}");

    let error = search_error(
        &[&hour, &ScriptedProvider::fails("serperdev")],
        SearchEngine::Auto,
    )
    .await;
    assert_eq!((error.retryable, error.retry_after), (true, None));
}

#[tokio::test(start_paused = true)]
async fn an_empty_local_corpus_does_not_hide_a_failing_engine() {
    let local = ScriptedProvider::finds("local", &[]);
    let error = search_error(
        &[&ScriptedProvider::fails("searxng"), &local],
        SearchEngine::Auto,
    )
    .await;
    assert_eq!(error.code, error_code::UPSTREAM_UNAVAILABLE);
    assert!(
        error.message.ends_with("; local found nothing."),
        "{}",
        error.message
    );
}

#[tokio::test(start_paused = true)]
async fn slow_empty_and_missing_providers_give_different_errors() {
    let code = async |providers: &[&Arc<ScriptedProvider>], engine| {
        let error = search_error(providers, engine).await;
        (error.code, error.retryable)
    };
    assert_eq!(
        code(&[&hanging_provider("searxng")], SearchEngine::Auto).await,
        (error_code::TIMEOUT, true)
    );
    let empty = ScriptedProvider::finds("searxng", &[]);
    assert_eq!(
        code(&[&empty], SearchEngine::Auto).await,
        (error_code::NO_SOURCES, false)
    );
    assert_eq!(
        code(&[], SearchEngine::Auto).await,
        (error_code::NO_PROVIDER, false)
    );
    assert_eq!(
        code(&[&empty], SearchEngine::Serperdev).await,
        (error_code::NO_PROVIDER, false)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_engine_is_not_called_after_five_failures() {
    let (searxng, serper) = (
        ScriptedProvider::fails("searxng"),
        ScriptedProvider::finds("serperdev", &THREE_URLS),
    );
    let providers = provider_set(&[&searxng, &serper]);
    let sink = Recorder::default();
    for _ in 0..8 {
        run(&providers, "What is Rust?", SearchEngine::Auto, &sink)
            .await
            .unwrap();
    }
    // Each of the five failures includes one retry.
    assert_eq!((searxng.calls(), serper.calls()), (10, 8));
    let states: Vec<_> = providers.breaker_states().collect();
    assert_eq!(
        states,
        [
            ("searxng", breaker::BreakerState::Open),
            ("serperdev", breaker::BreakerState::Closed)
        ]
    );
    tokio::time::advance(breaker::OPEN_TIME).await;
    run(&providers, "What is Rust?", SearchEngine::Auto, &sink)
        .await
        .unwrap();
    assert_eq!(searxng.calls(), 11, "a probe is one call");
}
