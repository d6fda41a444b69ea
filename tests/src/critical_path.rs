//! A search on upstreams that take a fixed time, held against its longest necessary chain of calls:
//! everything else should happen at once.

use crate::{
    Upstream,
    upstream::{Reply, Request, model, searxng, site},
};
use privachat_core::{mode::Mode, schema::SearchRequest};
use privachat_worker::{
    pipeline::{self, Deadline, Outcome, Silent},
    settings::WorkerSettings,
    wiring,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Less than a search takes, which runs beside it.
const PLAN: Duration = Duration::from_millis(1000);
const SEARCH: Duration = Duration::from_millis(1200);
const PAGE: Duration = Duration::from_millis(1400);
const ANSWER: Duration = Duration::from_millis(1600);
const QUESTION: &str = "What is gather?";
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

/// What the model plans: the question as it is, or a query of its own, which cannot be searched for
/// before the plan is there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Planned {
    TheQuestion,
    Another,
}

impl Planned {
    fn query(self) -> &'static str {
        match self {
            Self::TheQuestion => QUESTION,
            Self::Another => "gather awaitable objects",
        }
    }
}

fn answers(request: &Request, planned: Planned) -> Reply {
    let asked = request.json();
    if !asked["response_format"].is_null() {
        let plan = serde_json::json!({"queries": [{"query": planned.query()}]});
        return model::Script::says(&plan.to_string())
            .reply(request)
            .late(PLAN);
    }
    let script = model::Script::says("Gather runs awaitable objects concurrently [1].");
    if asked["stream"] != true {
        // What else a model is asked on the way is not on the path: it answers at once.
        return script.reply(request);
    }
    script.reply(request).late(ANSWER)
}

/// The longest necessary chain of calls. The question is searched for while the model plans; only
/// what it plans beyond that has to wait for it. Speed plans and reads nothing.
fn chain(mode: Mode, planned: Planned) -> Duration {
    let search = match (mode, planned) {
        (Mode::Speed, _) => return SEARCH + ANSWER,
        (_, Planned::TheQuestion) => PLAN.max(SEARCH),
        (_, Planned::Another) => PLAN + SEARCH,
    };
    search + PAGE + ANSWER
}

/// What was searched for: a mode, and what the model plans in it.
const SEARCHES: [(Mode, Planned); 5] = [
    (Mode::Speed, Planned::TheQuestion),
    (Mode::Balanced, Planned::TheQuestion),
    (Mode::Balanced, Planned::Another),
    (Mode::Deep, Planned::TheQuestion),
    (Mode::Deep, Planned::Another),
];

/// One search: how long it took, and how long it had to.
#[derive(Debug)]
pub struct Measured {
    pub name: String,
    pub wall: Duration,
    pub chain: Duration,
    pub outcome: Outcome,
}

impl Measured {
    pub fn ratio(&self) -> f64 {
        self.wall.as_secs_f64() / self.chain.as_secs_f64()
    }

    /// Whether a page was read.
    pub fn has_read(&self) -> bool {
        let mut sources = self.outcome.source_details.iter();
        sources.any(|source| source.fetched)
    }
}

/// Runs one search in each mode, one after the other.
pub async fn measure() -> Vec<Measured> {
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
    let mut measured = Vec::new();
    for (mode, planned) in SEARCHES {
        measured.push(search(&searxng, mode, planned).await);
    }
    measured
}

async fn search(searxng: &Upstream, mode: Mode, planned: Planned) -> Measured {
    let hosts: Vec<String> = (2..2 + SITES)
        .map(|host| format!("127.0.0.{host}"))
        .collect();
    let model = Upstream::start(move |request: &Request| answers(request, planned));
    let settings: HashMap<&str, String> = HashMap::from([
        ("SEARXNG_BASE_URL", searxng.url()),
        ("WIKIPEDIA_BASE_URL", "off".to_owned()),
        ("LLM_BASE_URL", model.at("/v1")),
        ("LLM_MODEL", "double".to_owned()),
        ("FETCH_ALLOW_HOSTS", hosts.join(",")),
    ]);
    let settings = WorkerSettings::read(&|name| settings.get(name).cloned()).unwrap();
    let context = wiring::context(&settings.pipeline).unwrap().context;
    let request = SearchRequest::new(QUESTION, mode);
    let start = Instant::now();
    let deadline = Deadline::after(request.time_limit());
    let outcome = pipeline::run(&context, &request, deadline, &Silent).await;
    Measured {
        name: format!("{mode}, {planned:?} planned"),
        wall: start.elapsed(),
        chain: chain(mode, planned),
        outcome: outcome.unwrap(),
    }
}
