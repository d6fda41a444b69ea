//! 200 searches over randomly slow and broken upstreams: all end in time, and each with results has
//! a cited answer. `DEADLINES_SEED` repeats a run. A binary of its own, because it measures the
//! memory of its process.

use futures_util::{StreamExt, stream};
use privachat_core::{mode::Mode, schema::SearchRequest};
use privachat_tests::{
    Stack, Upstream, binaries,
    upstream::{Reply, Request, faulty, mediawiki, model, searxng, serper, site},
};
use privachat_worker::{
    pipeline::{self, Context, Deadline, NullSink, Outcome, PipelineError},
    settings::WorkerSettings,
    wiring,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

const SEARCHES: u64 = 200;
const AT_ONCE: usize = 16;
/// Extra time for a busy machine. A search that waits for something that never comes does not end
/// at all.
const TOLERANCE: Duration = Duration::from_secs(20);
/// A result that comes within this time is used, however busy the machine is.
const FOUND_WITHIN: Duration = Duration::from_millis(100);
const SEED: u64 = 20_261_124;
/// Megabytes per running search, with its doubles: some replies have 64.
const MAX_MEGABYTES_PER_SEARCH: usize = 24;
/// Connections of a search to one engine: one per sub-query, and one retry.
const MAX_CONNECTIONS_PER_SEARCH: usize = 8;
/// Percent of replies that are sound and quick.
const SOUNDNESS: u64 = 55;

struct Upstreams {
    searxng: Upstream,
    serper: Upstream,
    wiki: Upstream,
    model: Upstream,
    /// Keeps the pages served.
    _sites: Vec<Upstream>,
}

fn results(sites: &[String]) -> Vec<searxng::Result> {
    sites
        .iter()
        .map(|site| {
            let text = "Gather is a function that runs awaitable objects concurrently.";
            searxng::Result::new("Gather", &format!("{site}/gather"), text)
        })
        .collect()
}

fn page(_: &Request) -> Reply {
    let text = [
        "Gather is a function that runs awaitable objects in the sequence concurrently and waits for all.",
        "If all awaitables are completed successfully, the result is an aggregate list of returned values.",
    ];
    Reply::html(site::article("Gather", &text))
}

impl Upstreams {
    fn start(seed: u64) -> Self {
        let sites: Vec<Upstream> = (2..8)
            .map(|host| {
                Upstream::on_host(
                    &format!("127.0.0.{host}"),
                    faulty::wrap(seed, SOUNDNESS, page),
                )
            })
            .collect();
        let urls: Vec<String> = sites.iter().map(Upstream::url).collect();
        let (of_searxng, of_serper) = (results(&urls), results(&urls));
        let searxng = move |request: &Request| {
            let query = request.parameter("q").unwrap_or_default();
            Reply::json(200, searxng::body(query, &of_searxng).to_string())
        };
        let serper = move |request: &Request| {
            let body = serper::body(&serper::query(request), &of_serper);
            Reply::json(200, body.to_string())
        };
        let script = model::Script::says("Gather runs awaitable objects concurrently [1].");
        Self {
            searxng: Upstream::start(faulty::wrap(seed, SOUNDNESS, searxng)),
            serper: Upstream::start(faulty::wrap(seed + 1, SOUNDNESS, serper)),
            wiki: Upstream::start(faulty::wrap(seed + 2, SOUNDNESS, |_| mediawiki::error())),
            model: Upstream::start(faulty::wrap(seed + 3, SOUNDNESS, move |request| {
                script.reply(request)
            })),
            _sites: sites,
        }
    }

    fn settings(&self) -> HashMap<&'static str, String> {
        let hosts: Vec<String> = (2..8).map(|host| format!("127.0.0.{host}")).collect();
        HashMap::from([
            ("SEARXNG_BASE_URL", self.searxng.url()),
            ("SERPER_BASE_URL", self.serper.url()),
            ("SERPER_API_KEY", "k".to_owned()),
            ("WIKIPEDIA_BASE_URL", self.wiki.url()),
            ("LLM_BASE_URL", self.model.url_for("/v1")),
            ("LLM_MODEL", "double".to_owned()),
            ("FETCH_ALLOW_HOSTS", hosts.join(",")),
        ])
    }

    /// A separate context per search, so that no circuit breaker hides an upstream from it.
    fn context(&self) -> Context {
        let settings = self.settings();
        let mut settings = WorkerSettings::read(&|name| settings.get(name).cloned()).unwrap();
        settings.pipeline.parser_program = Some(binaries!().worker.into());
        wiring::build(&settings.pipeline).unwrap().context
    }

    /// For each question, whether SearXNG, the first engine, returned its results at once.
    fn found(&self, seed: u64) -> HashMap<String, bool> {
        let requests = self.searxng.requests();
        requests
            .iter()
            .filter_map(|request| {
                let is_sound =
                    faulty::fault(seed, SOUNDNESS, request).is_sound_within(FOUND_WITHIN);
                Some((request.parameter("q")?.to_owned(), is_sound))
            })
            .collect()
    }
}

/// The peak memory of this process.
fn peak_megabytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    kilobytes.unwrap().trim().parse::<usize>().unwrap() / 1024
}

struct SearchEnd {
    question: String,
    mode: Mode,
    budget: Duration,
    took: Duration,
    result: Result<Outcome, PipelineError>,
}

async fn search(context: Context, number: u64) -> SearchEnd {
    let mode = [Mode::Speed, Mode::Balanced, Mode::Deep][usize::try_from(number / 3 % 3).unwrap()];
    let budget = Duration::from_millis(2500 + 500 * (number % 3));
    let question = format!("What is gather {number}?");
    let request = SearchRequest::new(question.clone(), mode);
    let running = tokio::spawn(async move {
        let start = Instant::now();
        let deadline = Deadline::after(budget);
        let result = pipeline::run(&context, &request, deadline, &NullSink).await;
        (result, start.elapsed())
    });
    let (result, took) = running.await.unwrap();
    SearchEnd {
        question,
        mode,
        budget,
        took,
        result,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_searches_over_broken_upstreams_end_in_time_with_their_results() {
    let seed = std::env::var("DEADLINES_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let upstreams = Upstreams::start(seed);
    let before = peak_megabytes();
    let start = Instant::now();
    let ended: Vec<SearchEnd> = stream::iter(0..SEARCHES)
        .map(|number| search(upstreams.context(), number))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let found = upstreams.found(seed);

    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut latest = Duration::ZERO;
    for end in &ended {
        let SearchEnd {
            question,
            mode,
            budget,
            took,
            result,
        } = end;
        latest = latest.max(took.saturating_sub(*budget));
        if *took > *budget + TOLERANCE {
            wrong.push(format!("{question} ({mode}): {took:?} of {budget:?}"));
        }
        let was_found = found.get(question).copied().unwrap_or(false);
        let name = match result {
            Ok(outcome) => {
                let is_cited = outcome.answer.contains("[1]") && !outcome.citations.is_empty();
                if !is_cited {
                    wrong.push(format!(
                        "{question} ({mode}): no citation in {:?}",
                        outcome.answer
                    ));
                }
                format!("answered by {}", outcome.model_used)
            }
            Err(error) => {
                if was_found {
                    let (code, warnings) = (error.code, &error.warnings);
                    wrong.push(format!(
                        "{question} ({mode}): {code} though found: {warnings:?}"
                    ));
                }
                error.code.to_owned()
            }
        };
        *endings.entry(name).or_default() += 1;
    }
    let total = start.elapsed();
    println!(
        "seed {seed}: {SEARCHES} searches in {total:?}, the latest {latest:?} after its deadline: {endings:?}"
    );
    let each = (peak_megabytes() - before) / AT_ONCE;
    let open = upstreams.searxng.most_open();
    println!("{AT_ONCE} at once: {each} MB each at most, {open} connections to SearXNG in all");
    assert!(
        each <= MAX_MEGABYTES_PER_SEARCH,
        "{each} MB for each search"
    );
    assert!(
        open <= AT_ONCE * MAX_CONNECTIONS_PER_SEARCH,
        "{open} connections"
    );
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    let answered = ended.iter().filter(|end| end.result.is_ok()).count();
    assert!(answered > 100 && answered < 200, "both happen: {answered}");
}

/// Searches through an API and a worker, all at the same time.
const SERVICE_SEARCHES: u64 = 20;
/// Seconds; the shortest time limit that the API accepts.
const MIN_TIMEOUT_SECONDS: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_searches_through_api_and_worker_end_in_time_with_their_results() {
    let seed = std::env::var("DEADLINES_SEED").map_or(SEED + 1, |seed| seed.parse().unwrap());
    let upstreams = Upstreams::start(seed);
    let mut stack = Stack::builder(binaries!());
    for (name, value) in upstreams.settings() {
        stack = stack.env(name, value);
    }
    for slots in ["WORKER_SLOTS", "WORKER_SLOTS_BALANCED", "WORKER_SLOTS_DEEP"] {
        stack = stack.worker_env(slots, SERVICE_SEARCHES);
    }
    let stack = stack.start().await;
    let ended = (0..SERVICE_SEARCHES).map(async |number| {
        let mode = ["speed", "balanced", "deep"][usize::try_from(number % 3).unwrap()];
        let question = format!("What is gather {number}?");
        let request = json!({"query": question, "mode": mode, "timeout": MIN_TIMEOUT_SECONDS});
        let start = Instant::now();
        let id = stack.client().enqueue(request).await;
        let status = format!("/api/v1/search/status/{id}?wait=15");
        let end = loop {
            // Answered when the status changes.
            let now = stack.client().get(&status).await.expect(200);
            if now["status"] == "completed" || now["status"] == "failed" {
                break now;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{now}");
        };
        (question, start.elapsed(), end)
    });
    let ended = futures_util::future::join_all(ended).await;
    let found = upstreams.found(seed);

    let mut wrong = Vec::new();
    let mut latest = Duration::ZERO;
    for (question, wall, end) in &ended {
        latest = latest.max(*wall);
        let limit = Duration::from_secs(MIN_TIMEOUT_SECONDS);
        let took = Duration::from_secs_f64(
            end["execution_time"]
                .as_f64()
                .unwrap_or(f64::from(u16::MAX)),
        );
        if took > limit + TOLERANCE {
            wrong.push(format!(
                "{question}: ran {took:?}, waited for {wall:?}: {end}"
            ));
        }
        let cited = end["answer"]
            .as_str()
            .is_some_and(|answer| answer.contains("[1]"))
            && end["citation_mapping"]
                .as_array()
                .is_some_and(|list| !list.is_empty());
        let may_fail = !found.get(question).copied().unwrap_or(false);
        let is_right = match end["status"].as_str() {
            Some("completed") => cited,
            Some("failed") => may_fail,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{question}: {end}"));
        }
    }
    let answered = ended
        .iter()
        .filter(|(_, _, end)| end["status"] == "completed")
        .count();
    println!("seed {seed}: {answered} of {SERVICE_SEARCHES} answered, the last after {latest:?}");
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    assert!(answered > 0, "none was answered");
}
