//! Compares a search with its longest necessary chain of calls: everything else should run in
//! parallel. The bench measures durations with upstreams that take a fixed time. The test uses
//! upstreams that answer on command, so that a busy machine cannot change the result.

use crate::{
    Binaries, Upstream,
    upstream::{Reply, Request, model, searxng, site},
};
use privachat_core::{mode::Mode, schema::SearchRequest};
use privachat_worker::{
    pipeline::{self, Deadline, NullSink, Outcome},
    settings::WorkerSettings,
    wiring,
};
use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Shorter than a search, which runs in parallel.
const PLAN: Duration = Duration::from_millis(1000);
const SEARCH: Duration = Duration::from_millis(1200);
const PAGE: Duration = Duration::from_millis(1400);
const ANSWER: Duration = Duration::from_millis(1600);
const QUESTION: &str = "What is gather?";
const SITES: u8 = 12;

/// Delays a reply.
type Hold = Arc<dyn Fn(Call, Reply) -> Reply + Send + Sync>;

/// A call on the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Plan,
    /// With the question as query.
    SearchForTheQuestion,
    /// With a query that the model planned.
    SearchForThePlan,
    Page,
    Answer,
}

impl Call {
    fn duration(self) -> Duration {
        match self {
            Self::Plan => PLAN,
            Self::SearchForTheQuestion | Self::SearchForThePlan => SEARCH,
            Self::Page => PAGE,
            Self::Answer => ANSWER,
        }
    }
}

/// Two pages of each site are read at once: each site has its own address.
fn sites(hold: &Hold) -> Vec<Upstream> {
    let hold = Arc::clone(hold);
    let page = move |request: &Request| {
        if request.path == "/robots.txt" {
            return Reply::new(404, "text/plain", "");
        }
        let text = [
            "Gather is a function that runs awaitable objects concurrently and waits for all of them.",
            "The order of its results corresponds to the order of the awaitables that it was given.",
        ];
        let page = Reply::html(site::article(&format!("Gather {}", request.path), &text));
        hold(Call::Page, page)
    };
    (2..2 + SITES)
        .map(|host| Upstream::on_host(&format!("127.0.0.{host}"), page.clone()))
        .collect()
}

/// The model's plan: the question itself, or a query of its own, which can be searched for only
/// after the plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Planned {
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

fn answers(request: &Request, planned: Planned, hold: &Hold) -> Reply {
    let parameters = request.json();
    if !parameters["response_format"].is_null() {
        let plan = serde_json::json!({"queries": [{"query": planned.query()}]});
        let reply = model::Script::says(&plan.to_string()).reply(request);
        return hold(Call::Plan, reply);
    }
    let script = model::Script::says("Gather runs awaitable objects concurrently [1].");
    if parameters["stream"] != true {
        // Other calls of the model are not on the path: they are answered at once.
        return script.reply(request);
    }
    hold(Call::Answer, script.reply(request))
}

/// The longest necessary chain of calls. The question is searched for while the model plans; only
/// queries of the plan have to wait for it. Speed mode neither plans nor reads pages.
fn chain(mode: Mode, planned: Planned) -> Duration {
    let search = match (mode, planned) {
        (Mode::Speed, _) => return SEARCH + ANSWER,
        (_, Planned::TheQuestion) => PLAN.max(SEARCH),
        (_, Planned::Another) => PLAN + SEARCH,
    };
    search + PAGE + ANSWER
}

/// The searches to run: a mode and the model's plan in it.
pub const SEARCHES: [(Mode, Planned); 5] = [
    (Mode::Speed, Planned::TheQuestion),
    (Mode::Balanced, Planned::TheQuestion),
    (Mode::Balanced, Planned::Another),
    (Mode::Deep, Planned::TheQuestion),
    (Mode::Deep, Planned::Another),
];

/// How long one search took, and how long its chain is.
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
}

/// Runs one search per mode, one after the other, with slow upstreams.
pub async fn measure(binaries: Binaries) -> Vec<Measured> {
    let hold: Hold = Arc::new(|call, reply| reply.late(call.duration()));
    let mut measured = Vec::new();
    for (mode, planned) in SEARCHES {
        let upstreams = Upstreams::start(&hold, planned);
        let start = Instant::now();
        let request = SearchRequest::new(QUESTION, mode);
        let outcome = upstreams.search(binaries, &request).await;
        measured.push(Measured {
            name: format!("{mode}, {planned:?} planned"),
            wall: start.elapsed(),
            chain: chain(mode, planned),
            outcome,
        });
    }
    measured
}

/// A gate that holds back replies; opening it releases all that wait.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<Turns>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    /// How often it was opened.
    opened: usize,
    /// Set when replies are no longer held back.
    is_over: bool,
    /// Each call, and how often the gate had been opened before it came.
    came: Vec<(usize, Call)>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks the replying thread: each request of an upstream has its own.
    fn hold(&self, call: Call) {
        let mut turns = self.lock();
        let turn = turns.opened;
        turns.came.push((turn, call));
        let waiting = |turns: &mut Turns| turns.opened == turn && !turns.is_over;
        drop(self.opened.wait_while(turns, waiting));
    }

    /// Releases the waiting replies; later ones wait for the next opening.
    pub fn open(&self) {
        self.lock().opened += 1;
        self.opened.notify_all();
    }

    /// Releases all replies from now on.
    pub fn open_for_good(&self) {
        self.lock().is_over = true;
        self.opened.notify_all();
    }

    /// The calls that came after the gate had been opened `turn` times.
    pub fn calls_of_turn(&self, turn: usize) -> Vec<Call> {
        let turns = self.lock();
        let of_turn = turns.came.iter().filter(|(at, _)| *at == turn);
        let mut calls: Vec<Call> = of_turn.map(|(_, call)| *call).collect();
        calls.sort();
        calls
    }

    /// Runs one search whose calls all wait at this gate.
    pub async fn search(
        self: &Arc<Self>,
        binaries: Binaries,
        mode: Mode,
        planned: Planned,
    ) -> Outcome {
        let gate = Arc::clone(self);
        let hold: Hold = Arc::new(move |call, reply| {
            gate.hold(call);
            reply
        });
        let upstreams = Upstreams::start(&hold, planned);
        let request = SearchRequest {
            // Long only when a call never comes, however busy the machine is.
            timeout: Some(300),
            ..SearchRequest::new(QUESTION, mode)
        };
        let outcome = upstreams.search(binaries, &request).await;
        self.open_for_good();
        outcome
    }
}

/// All upstreams of a search.
struct Upstreams {
    searxng: Upstream,
    model: Upstream,
    /// Keeps the pages served.
    _sites: Vec<Upstream>,
}

impl Upstreams {
    fn start(hold: &Hold, planned: Planned) -> Self {
        let sites = sites(hold);
        let results: Vec<searxng::Result> = sites
            .iter()
            .map(|site| {
                let text = "Gather is a function that runs awaitable objects concurrently.";
                searxng::Result::new("Gather", &site.url_for("/gather"), text)
            })
            .collect();
        let (for_searches, for_model) = (Arc::clone(hold), Arc::clone(hold));
        let searxng = Upstream::start(move |request: &Request| {
            let query = request.parameter("q").unwrap_or_default();
            let call = if query == QUESTION {
                Call::SearchForTheQuestion
            } else {
                Call::SearchForThePlan
            };
            let body = searxng::body(query, &results).to_string();
            for_searches(call, Reply::json(200, body))
        });
        let model = Upstream::start(move |request: &Request| answers(request, planned, &for_model));
        Self {
            searxng,
            model,
            _sites: sites,
        }
    }

    async fn search(&self, binaries: Binaries, request: &SearchRequest) -> Outcome {
        let hosts: Vec<String> = (2..2 + SITES)
            .map(|host| format!("127.0.0.{host}"))
            .collect();
        let settings: HashMap<&str, String> = HashMap::from([
            ("SEARXNG_BASE_URL", self.searxng.url()),
            ("WIKIPEDIA_BASE_URL", "off".to_owned()),
            ("LLM_BASE_URL", self.model.url_for("/v1")),
            ("LLM_MODEL", "double".to_owned()),
            ("FETCH_ALLOW_HOSTS", hosts.join(",")),
        ]);
        let mut settings = WorkerSettings::read(&|name| settings.get(name).cloned()).unwrap();
        settings.pipeline.parser_program = Some(binaries.worker.into());
        let context = wiring::build(&settings.pipeline).unwrap().context;
        let deadline = Deadline::after(request.time_limit());
        let outcome = pipeline::run(&context, request, deadline, &NullSink).await;
        outcome.unwrap()
    }
}
