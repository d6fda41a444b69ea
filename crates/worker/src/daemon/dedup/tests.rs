use super::*;
use crate::pipeline::{
    Providers, SearchProvider,
    provider::ProviderResponse,
    test_support::{Recorder, ScriptedPages, ScriptedProvider, hit},
};
use privachat_core::{connection::Redis, mode::Mode};
use std::sync::atomic::Ordering;

const URL: &str = "https://a.org/";

/// Single flight on this provider, in a worker whose Redis is away.
fn runs(searxng: &Arc<ScriptedProvider>) -> SingleFlight {
    let provider = Arc::clone(searxng) as Arc<dyn SearchProvider>;
    let context = Context::new(
        Providers::new(vec![provider]),
        Arc::new(ScriptedPages::default()),
    );
    let redis = Redis::open("redis+unix:///nowhere/no.sock").unwrap();
    SingleFlight::new(context, Cache::new(redis), Duration::ZERO)
}

/// A provider that takes a second.
fn slow() -> Arc<ScriptedProvider> {
    let found = ProviderResponse {
        hits: vec![hit("searxng", URL)],
        ..ProviderResponse::default()
    };
    ScriptedProvider::after("searxng", Duration::from_secs(1), Ok(found))
}

fn request() -> SearchRequest {
    SearchRequest::new("What is Rust?", Mode::Speed)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(15))
}

/// The events, without their delays.
fn told(recorder: &Recorder) -> Vec<String> {
    let events = recorder.0.lock().unwrap();
    events.iter().map(|event| format!("{event:?}")).collect()
}

#[tokio::test(start_paused = true)]
async fn equal_searches_share_one_run_and_each_gets_all_events() {
    let searxng = slow();
    let runs = runs(&searxng);
    let sinks: [Recorder; 3] = Default::default();
    let request = request();
    let [first, second, third] = [0, 1, 2].map(|number| {
        // The last joins when the run is half done, and still gets the first events.
        let late = Duration::from_millis(if number == 2 { 500 } else { 0 });
        let (runs, request, sinks) = (&runs, &request, &sinks);
        async move {
            tokio::time::sleep(late).await;
            runs.run(request, true, soon(), &sinks[number]).await
        }
    });
    let (first, second, third) = tokio::join!(first, second, third);
    assert_eq!(searxng.calls(), 1);
    let answer = first.result.unwrap().answer;
    assert!(answer.contains("[1]"), "{answer}");
    assert!(!first.cached && !second.cached);
    assert_eq!(second.result.unwrap().answer, answer);
    assert_eq!(third.result.unwrap().answer, answer);
    assert!(!told(&sinks[0]).is_empty());
    assert_eq!(told(&sinks[0]), told(&sinks[1]));
    assert_eq!(told(&sinks[0]), told(&sinks[2]));
}

#[tokio::test(start_paused = true)]
async fn a_run_survives_the_cancel_of_the_search_that_started_it() {
    let searxng = slow();
    let runs = runs(&searxng);
    let (request, sinks) = (request(), [Recorder::default(), Recorder::default()]);
    let leader = Deadline::after(Duration::from_millis(300));
    let leader = leader.limit(runs.run(&request, true, soon(), &sinks[0]));
    let follower = runs.run(&request, true, soon(), &sinks[1]);
    let (leader, follower) = tokio::join!(leader, follower);
    assert!(leader.is_none(), "it was cancelled");
    assert!(follower.result.is_ok());
    assert_eq!(searxng.calls(), 1);
    assert_eq!(searxng.dropped.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_aborted_with_its_last_follower() {
    let searxng = slow();
    let runs = runs(&searxng);
    let (request, sink) = (request(), Recorder::default());
    let wait = |millis| {
        let run = runs.run(&request, true, soon(), &sink);
        async move {
            Deadline::after(Duration::from_millis(millis))
                .limit(run)
                .await
        }
    };
    let (first, second) = tokio::join!(wait(200), wait(300));
    assert!(first.is_none() && second.is_none());
    tokio::task::yield_now().await;
    assert_eq!(searxng.dropped.load(Ordering::SeqCst), 1);
    let again = runs.run(&request, true, soon(), &sink).await;
    assert!(again.result.is_ok());
    assert_eq!(searxng.calls(), 2, "an aborted run is not joined");
}

#[tokio::test(start_paused = true)]
async fn searches_that_differ_or_opt_out_do_not_share_a_run() {
    let searxng = slow();
    let runs = runs(&searxng);
    let alone = SearchRequest {
        cache: false,
        ..request()
    };
    let other = SearchRequest {
        max_sources: Some(7),
        ..request()
    };
    let same = SearchRequest {
        async_mode: true,
        ttl_seconds: Some(60),
        timeout: Some(20),
        ..request()
    };
    let sink = Recorder::default();
    let requests = [request(), same, other, alone.clone(), alone];
    let all = requests
        .iter()
        .map(|request| runs.run(request, true, soon(), &sink));
    let ended = futures_util::future::join_all(all).await;
    assert!(ended.iter().all(|ran| ran.result.is_ok()));
    assert_eq!(searxng.calls(), 4, "the first two are equal");
}

#[tokio::test(start_paused = true)]
async fn a_search_with_an_earlier_deadline_does_not_join_the_run() {
    let searxng = ScriptedProvider::after(
        "searxng",
        Duration::from_secs(60),
        Ok(ProviderResponse::default()),
    );
    let runs = runs(&searxng);
    let (request, sink) = (request(), Recorder::default());
    let short = Deadline::after(Duration::from_secs(2));
    let start = tokio::time::Instant::now();
    let hurried = async {
        let ran = runs.run(&request, true, short, &sink).await;
        (ran, start.elapsed())
    };
    let (_, (hurried, took)) = tokio::join!(runs.run(&request, true, soon(), &sink), hurried);
    assert_eq!(hurried.result.unwrap_err().code, error_code::TIMEOUT);
    assert!(took <= Duration::from_millis(2100), "{took:?}");
    assert_eq!(searxng.calls(), 2);
}

#[test]
fn only_complete_outcomes_answer_later_searches() {
    use super::cache_entry::CacheEntry;
    let outcome = |grounding_score: f64, warning: &str| Outcome {
        answer: "Yes. [1]".to_owned(),
        sub_queries: Vec::new(),
        sources: Vec::new(),
        source_details: Vec::new(),
        citations: Vec::new(),
        confidence: 0.5,
        model_used: "extractive".to_owned(),
        grounding_score,
        hallucination_count: 0,
        warnings: vec![warning.to_owned()],
        usage: None,
        timings: Default::default(),
    };
    let serves = |grounding, warning: &str, is_degraded, ttl| {
        let entry =
            CacheEntry::from_outcome(&outcome(grounding, warning), "run".to_owned(), is_degraded);
        let bytes = serde_json::to_vec(&entry).unwrap();
        CacheEntry::parse(&bytes).unwrap().is_usable(ttl)
    };
    let hour = Duration::from_secs(3600);
    assert!(serves(0.9, "1 of 5 pages could not be read", false, hour));
    assert!(!serves(
        0.9,
        "1 of 5 pages could not be read",
        false,
        Duration::ZERO
    ));
    assert!(!serves(0.9, "local did not answer in time", false, hour));
    assert!(!serves(0.9, "", true, hour), "the model was unavailable");
    assert!(!serves(0.0, "", false, hour), "no claim has support");
}
