//! Slow engines are hedged, failing ones not called, excluded domains dropped.

use super::*;
use crate::pipeline::provider::EngineFailure;
use privachat_core::domain::DomainList;

fn delayed_provider(name: &'static str, seconds: u64, urls: &[&str]) -> Arc<ScriptedProvider> {
    let hits = urls.iter().map(|url| hit(name, url)).collect();
    let found = ProviderResponse {
        hits,
        ..ProviderResponse::default()
    };
    ScriptedProvider::after(name, Duration::from_secs(seconds), Ok(found))
}

#[tokio::test(start_paused = true)]
async fn an_engine_slower_than_usual_is_hedged_by_the_next() {
    let searxng = hanging_provider("searxng");
    let serper = delayed_provider("serperdev", 1, &THREE_URLS);
    let providers = provider_set(&[&searxng, &serper]);
    let sink = Recorder::default();
    let start = Instant::now();
    let found = run(&providers, "What is Rust?", SearchEngine::Auto, &sink).await;
    assert_eq!(found.unwrap().candidates.len(), 3);
    assert_eq!(start.elapsed().as_secs(), 4, "3 s hedge delay, then 1 s");
    assert_eq!(sink.warnings(), ["searxng did not answer in time"]);
    assert_eq!(searxng.dropped.load(std::sync::atomic::Ordering::SeqCst), 1);

    for _ in 0..5 {
        run(&providers, "What is Rust?", SearchEngine::Auto, &sink)
            .await
            .unwrap();
    }
    assert_eq!(searxng.calls(), 5, "lost hedges open the circuit");
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_is_still_used_when_its_hedge_finds_too_little() {
    let searxng = delayed_provider("searxng", 5, &["https://d.org/", "https://e.org/"]);
    let serper = delayed_provider("serperdev", 1, &["https://a.org/"]);
    let sink = Recorder::default();
    let start = Instant::now();
    let found = search_with(&[&searxng, &serper], SearchEngine::Auto, &sink).await;
    assert_eq!(found.unwrap().candidates.len(), 3);
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(sink.warnings().is_empty(), "{:?}", sink.warnings());
}

#[tokio::test(start_paused = true)]
async fn latencies_are_recorded_per_provider() {
    let serper = delayed_provider("serperdev", 1, &THREE_URLS);
    let quick = delayed_provider("searxng", 0, &THREE_URLS);
    let providers = provider_set(&[&quick, &serper]);
    for _ in 0..5 {
        run(
            &providers,
            "Rust?",
            SearchEngine::Auto,
            &Recorder::default(),
        )
        .await
        .unwrap();
    }
    let health = providers.health();
    assert_eq!(
        health.iter().map(|h| h.usual_ms).collect::<Vec<_>>(),
        [Some(0), None]
    );
    assert_eq!(serper.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn refused_queries_do_not_open_the_circuit() {
    let error = ProviderError::Refused {
        provider: "searxng",
        reason: "HTTP 400, parameter language".to_owned(),
        hint: String::new(),
    };
    let refusing = ScriptedProvider::after("searxng", Duration::ZERO, Err(error));
    let providers = provider_set(&[&refusing]);
    for _ in 0..8 {
        run(
            &providers,
            "Rust?",
            SearchEngine::Auto,
            &Recorder::default(),
        )
        .await
        .unwrap_err();
    }
    assert_eq!(refusing.calls(), 8);
}

async fn search_without_domain(
    domain: &str,
    providers: &[&Arc<ScriptedProvider>],
) -> Result<FoundCandidates, PipelineError> {
    let plan = plan::plan_by_rules("What is Rust?", Mode::Deep, Utc::now());
    let request = SearchRequest::new("What is Rust?", Mode::Deep);
    let mut context = Context::new(provider_set(providers), Arc::new(ScriptedPages::default()));
    context.excluded_domains = Arc::new(DomainList::new(&[domain.to_owned()]));
    let sink = Recorder::default();
    search(
        &context,
        &plan,
        &request,
        Deadline::after(BUDGET),
        None,
        &sink,
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn hits_in_excluded_domains_are_dropped() {
    let searxng = ScriptedProvider::finds("searxng", &["https://www.spam.org/x", "https://a.org/"]);
    let found = search_without_domain("spam.org", &[&searxng])
        .await
        .unwrap();
    let urls: Vec<&str> = found.candidates.iter().map(|c| c.url.as_str()).collect();
    assert_eq!(urls, ["https://a.org/"]);

    let error = search_without_domain("org", &[&searxng]).await.unwrap_err();
    assert_eq!(error.code, error_code::SOURCES_FILTERED);
}

#[tokio::test(start_paused = true)]
async fn failed_engines_without_hits_are_not_reported_as_no_sources() {
    for (silence, code, retryable) in [
        (EngineFailure::Refused, error_code::SOURCES_BLOCKED, false),
        (EngineFailure::Late, error_code::TIMEOUT, true),
        (
            EngineFailure::Failed,
            error_code::UPSTREAM_UNAVAILABLE,
            false,
        ),
    ] {
        let silent = ProviderResponse {
            silence: Some(silence),
            ..ProviderResponse::default()
        };
        let searxng = ScriptedProvider::after("searxng", Duration::ZERO, Ok(silent));
        let error = search_error(&[&searxng], SearchEngine::Auto).await;
        assert_eq!((error.code, error.retryable), (code, retryable));
    }
}
