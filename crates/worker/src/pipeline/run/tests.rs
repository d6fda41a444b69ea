use super::*;
use crate::pipeline::{
    fetcher::FetchError,
    model::{Completion, CompletionEvent, LanguageModel, ModelError, Prompt},
    provider::{ProviderResponse, SearchProvider},
    search::Providers,
    test_support::{Recorder, ScriptedPages, ScriptedProvider, hit},
};
use async_trait::async_trait;
use privachat_core::mode::Mode;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

const RUST: &str = "Rust is a programming language that focuses on safety and speed.";
const URL: &str = "https://a.org/";

struct FixedModel(Duration, Result<Completion, ModelError>);

#[async_trait]
impl LanguageModel for FixedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn complete(
        &self,
        _: &Prompt,
        deadline: Deadline,
        _: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let answered = deadline.limit(tokio::time::sleep(self.0)).await;
        answered.ok_or(ModelError::TimedOut)?;
        self.1.clone()
    }
}

fn context(
    providers: &[&Arc<ScriptedProvider>],
    pages: ScriptedPages,
    model: Option<FixedModel>,
) -> Context {
    let all = providers
        .iter()
        .map(|provider| Arc::clone(provider) as Arc<dyn SearchProvider>);
    Context {
        model: model.map(|model| Arc::new(model) as Arc<dyn LanguageModel>),
        ..Context::new(Providers::new(all.collect()), Arc::new(pages))
    }
}

struct SearchRun {
    result: Result<Outcome, PipelineError>,
    took: Duration,
    sink: Recorder,
}

async fn run_search(context: &Context, mode: Mode) -> SearchRun {
    let request = SearchRequest::new("What is Rust?", mode);
    let sink = Recorder::default();
    let start = Instant::now();
    let deadline = Deadline::after(request.time_limit());
    let result = run(context, &request, deadline, &sink).await;
    SearchRun {
        result,
        took: start.elapsed(),
        sink,
    }
}

fn forever() -> Duration {
    Duration::from_secs(3600)
}

#[tokio::test(start_paused = true)]
async fn a_search_returns_answer_sources_and_events() {
    let searxng = ScriptedProvider::finds("searxng", &[URL]);
    let pages = ScriptedPages::default().with(URL, Duration::from_secs(2), Ok(RUST));
    let ended = run_search(&context(&[&searxng], pages, None), Mode::Balanced).await;
    let outcome = ended.result.unwrap();

    assert!(outcome.answer.contains("[1]"), "{}", outcome.answer);
    assert_eq!(outcome.model_used, "extractive");
    assert_eq!(outcome.sources.len(), outcome.source_details.len());
    assert_eq!(outcome.sources[0].url, URL);
    assert_eq!(outcome.sub_queries[0].query, "What is Rust?");
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    assert_eq!(outcome.timings.len(), 6);
    assert_eq!(outcome.timings[&Stage::Read].as_secs(), 2);

    let events = ended.sink.0.lock().unwrap();
    let mut stages: Vec<Stage> = Vec::new();
    for event in events.iter() {
        if let Event::Stage(progress) = event {
            stages.push(progress.stage);
        }
    }
    stages.dedup();
    use Stage::{Answer, Check, Plan, Rank, Read, Search};
    assert_eq!(stages, [Plan, Search, Read, Rank, Answer, Check]);
    let lists = events
        .iter()
        .filter(|event| matches!(event, Event::Sources { .. }));
    assert_eq!(lists.count(), 2, "when found and when ranked");
}

#[tokio::test(start_paused = true)]
async fn speed_reads_no_page() {
    let searxng = ScriptedProvider::finds("searxng", &[URL]);
    let ended = run_search(
        &context(&[&searxng], ScriptedPages::default(), None),
        Mode::Speed,
    )
    .await;
    let outcome = ended.result.unwrap();
    assert!(outcome.warnings.is_empty());
    assert!(!outcome.source_details[0].fetched);
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_in_time_when_provider_pages_and_model_hang() {
    let model = || Some(FixedModel(forever(), Ok(Completion::default())));
    for mode in Mode::ALL {
        let slow_search =
            ScriptedProvider::after("local", forever(), Ok(ProviderResponse::default()));
        let searxng = ScriptedProvider::finds("searxng", &[URL, "https://b.org/"]);
        let pages = ScriptedPages::default()
            .with(URL, forever(), Ok(RUST))
            .with("https://b.org/", forever(), Ok(RUST));
        let context = context(&[&searxng, &slow_search], pages, model());
        let ended = run_search(&context, mode).await;
        let outcome = ended.result.unwrap();
        let limit = mode.limits().timeout;
        assert!(
            ended.took <= limit + Duration::from_millis(100),
            "{mode}: {:?}",
            ended.took
        );
        assert!(outcome.answer.contains("[1]"));
        assert_eq!(outcome.model_used, "extractive");
        assert!(
            outcome
                .warnings
                .contains(&"local did not answer in time".to_owned())
        );
        assert_eq!(
            outcome.warnings,
            ended.sink.warnings(),
            "warnings are sent as they happen"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_failure_is_in_time_when_every_provider_hangs() {
    let searxng = ScriptedProvider::after("searxng", forever(), Ok(ProviderResponse::default()));
    let ended = run_search(
        &context(&[&searxng], ScriptedPages::default(), None),
        Mode::Speed,
    )
    .await;
    let error = ended.result.unwrap_err();
    assert_eq!((error.code, error.retryable), (error_code::TIMEOUT, true));
    assert_eq!(error.warnings, ["searxng did not answer in time"]);
    assert!(ended.took <= Mode::Speed.limits().timeout);
}

#[tokio::test(start_paused = true)]
async fn without_its_model_a_search_still_answers() {
    let refused = ModelError::Refused {
        reason: "HTTP 401".to_owned(),
        hint: "Check LLM_API_KEY.".to_owned(),
    };
    let searxng = ScriptedProvider::finds("searxng", &[URL]);
    let pages = ScriptedPages::default().with(URL, Duration::ZERO, Err(FetchError::Status(500)));
    let context = context(
        &[&searxng],
        pages,
        Some(FixedModel(Duration::ZERO, Err(refused))),
    );
    let ended = run_search(&context, Mode::Balanced).await;
    let outcome = ended.result.unwrap();
    assert_eq!(outcome.model_used, "extractive");
    assert_eq!(
        outcome.warnings[0],
        "1 of 1 pages could not be read: 1 HTTP 500"
    );
    assert_eq!(outcome.warnings.len(), 2, "{:?}", outcome.warnings);
}

#[tokio::test(start_paused = true)]
async fn irrelevant_results_are_filtered() {
    let mut off_topic = hit("searxng", URL);
    off_topic.snippet = "Tulips bloom in spring.".to_owned();
    off_topic.title = "Gardens".to_owned();
    let found = ProviderResponse {
        hits: vec![off_topic],
        ..ProviderResponse::default()
    };
    let searxng = ScriptedProvider::after("searxng", Duration::ZERO, Ok(found));
    let ended = run_search(
        &context(&[&searxng], ScriptedPages::default(), None),
        Mode::Speed,
    )
    .await;
    let error = ended.result.unwrap_err();
    assert_eq!(
        (error.stage, error.code),
        (Stage::Rank, error_code::SOURCES_FILTERED)
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_a_search_drops_its_provider_calls() {
    let searxng = ScriptedProvider::after("searxng", forever(), Ok(ProviderResponse::default()));
    let local = ScriptedProvider::after("local", forever(), Ok(ProviderResponse::default()));
    let context = context(&[&searxng, &local], ScriptedPages::default(), None);
    let request = SearchRequest::new("What is Rust?", Mode::Deep);
    let sink = Recorder::default();
    {
        let search = run(&context, &request, Deadline::after(forever()), &sink);
        let cut = Deadline::after(Duration::from_secs(1)).limit(search).await;
        assert!(cut.is_none());
    }
    let dropped = |provider: &ScriptedProvider| provider.dropped.load(Ordering::SeqCst);
    assert_eq!((dropped(&searxng), dropped(&local)), (1, 1));
}

/// Returns the given plan after a delay; fails when asked for an answer.
struct PlanOnlyModel(Duration, &'static str);

#[async_trait]
impl LanguageModel for PlanOnlyModel {
    fn name(&self) -> &'static str {
        "planner"
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        _: Deadline,
        _: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        if !prompt.wants_json {
            return Err(ModelError::Unavailable {
                reason: "HTTP 502".to_owned(),
            });
        }
        tokio::time::sleep(self.0).await;
        Ok(Completion {
            text: self.1.to_owned(),
            ..Completion::default()
        })
    }
}

/// Searches with a model that plans for 2 s and an engine that takes 3 s: the outcome, the queries
/// sent, and the time of planning and searching.
async fn run_with_planner(says: &'static str) -> (Outcome, Vec<String>, Duration) {
    let found = ProviderResponse {
        hits: vec![hit("searxng", URL)],
        ..ProviderResponse::default()
    };
    let searxng = ScriptedProvider::after("searxng", Duration::from_secs(3), Ok(found));
    let pages = ScriptedPages::default().with(URL, Duration::ZERO, Ok(RUST));
    let context = Context {
        model: Some(Arc::new(PlanOnlyModel(Duration::from_secs(2), says))),
        ..context(&[&searxng], pages, None)
    };
    let ended = run_search(&context, Mode::Balanced).await;
    let outcome = ended.result.unwrap();
    let searched = outcome.timings[&Stage::Plan] + outcome.timings[&Stage::Search];
    let asked = searxng.queries.lock().unwrap();
    let asked = asked.iter().map(|query| query.text.clone()).collect();
    (outcome, asked, searched)
}

#[tokio::test(start_paused = true)]
async fn the_question_is_searched_once_and_while_the_model_plans() {
    let says = r#"{"queries": [{"query": "what is rust", "intent": "definition"}]}"#;
    let (outcome, asked, searched) = run_with_planner(says).await;
    assert_eq!(asked, ["What is Rust?"]);
    assert_eq!(searched, Duration::from_secs(3), "planning adds no time");
    assert_eq!(outcome.sub_queries.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_speculative_search_becomes_a_further_sub_query() {
    let says = r#"{"queries": [{"query": "Rust language", "intent": "definition"}]}"#;
    let (outcome, asked, searched) = run_with_planner(says).await;
    assert_eq!(asked, ["What is Rust?", "Rust language"]);
    assert_eq!(searched, Duration::from_secs(5));
    let shown: Vec<_> = outcome
        .sub_queries
        .iter()
        .map(|query| (query.query.as_str(), query.priority))
        .collect();
    assert_eq!(shown, [("Rust language", 1), ("What is Rust?", 2)]);
}

#[tokio::test(start_paused = true)]
async fn the_question_is_searched_again_when_the_plan_limits_the_age() {
    let says = r#"{"queries": [{"query": "What is Rust?", "time": "month"}]}"#;
    let (outcome, asked, _) = run_with_planner(says).await;
    assert_eq!(asked, ["What is Rust?", "What is Rust?"]);
    assert_eq!(outcome.sub_queries.len(), 1);
}
