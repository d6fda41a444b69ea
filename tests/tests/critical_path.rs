//! With upstreams that take a fixed time a search takes no longer than its longest necessary chain
//! of calls: everything else happens at once.

use privachat_core::{mode::Mode, schema::SearchRequest};
use privachat_tests::{
    Upstream,
    upstream::{Reply, Request, model, searxng, site},
};
use privachat_worker::{
    pipeline::{self, Deadline, Silent},
    settings::WorkerSettings,
    wiring,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const SEARCH: Duration = Duration::from_millis(1200);
const PAGE: Duration = Duration::from_millis(1400);
const ANSWER: Duration = Duration::from_millis(1600);
const SITES: u8 = 12;

/// Two pages of each site are read at once: each has an address of its own.
fn sites() -> Vec<Upstream> {
    let page = |request: &Request| {
        if request.path == "/robots.txt" {
            return Reply::new(404, "text/plain", "");
        }
        let text = [
            "Gather is a function that runs awaitable objects concurrently and waits for all of them.",
            "The order of its results corresponds to the order of the awaitables that it was given.",
        ];
        Reply::html(site::article(&format!("Gather {}", request.path), &text)).late(PAGE)
    };
    (2..2 + SITES)
        .map(|host| Upstream::on(&format!("127.0.0.{host}"), page))
        .collect()
}

fn answers(request: &Request) -> Reply {
    // What else a model is asked on the way is not on the path: it answers at once.
    let asked = request.json();
    let script = model::Script::says("Gather runs awaitable objects concurrently [1].");
    if asked["stream"] != true || !asked["response_format"].is_null() {
        return model::Script::says(r#"{"queries": []}"#).reply(request);
    }
    script.reply(request).late(ANSWER)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wall_time_of_each_mode_is_its_longest_necessary_chain() {
    let sites = sites();
    let results: Vec<searxng::Result> = sites
        .iter()
        .map(|site| {
            let text = "Gather is a function that runs awaitable objects concurrently.";
            searxng::Result::new("Gather", &site.at("/gather"), text)
        })
        .collect();
    let searxng = Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &results).to_string()).late(SEARCH)
    });
    let model = Upstream::start(answers);
    let hosts: Vec<String> = (2..2 + SITES)
        .map(|host| format!("127.0.0.{host}"))
        .collect();
    let settings: HashMap<&str, String> = HashMap::from([
        ("SEARXNG_BASE_URL", searxng.url()),
        ("WIKIPEDIA_BASE_URL", "off".to_owned()),
        ("LLM_BASE_URL", model.at("/v1")),
        ("LLM_MODEL", "double".to_owned()),
        ("FETCH_ALLOW_HOSTS", hosts.join(",")),
    ]);
    let settings = WorkerSettings::read(&|name| settings.get(name).cloned()).unwrap();

    let mut slow = Vec::new();
    for mode in Mode::ALL {
        let context = wiring::context(&settings.pipeline).unwrap().context;
        let chain = match mode {
            Mode::Speed => SEARCH + ANSWER,
            Mode::Balanced | Mode::Deep => SEARCH + PAGE + ANSWER,
        };
        let request = SearchRequest::new("What is gather?", mode);
        let start = Instant::now();
        let deadline = Deadline::after(request.time_limit());
        let outcome = pipeline::run(&context, &request, deadline, &Silent).await;
        let wall = start.elapsed();
        let outcome = outcome.unwrap();
        let ratio = wall.as_secs_f64() / chain.as_secs_f64();
        println!(
            "{mode}: wall {wall:.3?}, longest necessary chain {chain:.3?}, ratio {ratio:.3}; {:?}",
            outcome.timings
        );
        assert_eq!(outcome.model_used, "double", "{:?}", outcome.warnings);
        let read = outcome
            .source_details
            .iter()
            .filter(|source| source.fetched);
        assert_eq!(read.count() > 0, mode != Mode::Speed);
        if ratio > 1.05 {
            slow.push(format!("{mode}: {ratio:.3}"));
        }
    }
    assert!(slow.is_empty(), "longer than 1.05 × the chain: {slow:?}");
}
