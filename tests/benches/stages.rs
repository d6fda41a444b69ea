//! The duration of each stage of a search, and the memory of a running search: the questions of
//! tests/quality through a real worker, over doubles that take a fixed time.
//! `cargo bench -p privachat-tests --bench stages --profile quick`
//!
//! Durations come from the records. Memory is the worker's resident set, read from /proc while all
//! searches wait in their last step, and its peak before.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    quality::dataset,
    upstream::{Reply, Request, model, searxng},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

const MODES: [&str; 3] = ["speed", "balanced", "deep"];
const STAGES: [&str; 6] = ["plan", "search", "read", "rank", "answer", "check"];
const QUESTIONS: usize = 10;
const LEVELS: [usize; 3] = [1, 8, 32];
const SEARCH: Duration = Duration::from_millis(300);
const PAGE: Duration = Duration::from_millis(200);
/// The model's delay before its first word.
const THINKING: Duration = Duration::from_millis(400);
/// Hosts with pages; a query finds one page of each.
const HOSTS: usize = 10;

struct Upstreams {
    searxng: Upstream,
    model: Upstream,
    /// Keeps the pages served.
    _sites: Vec<Upstream>,
}

impl Upstreams {
    /// `answer` is the model's reply when it is asked for an answer.
    fn start(answer: Reply) -> Self {
        let pages = pages(&dataset::folder().join("documents"));
        // Two pages of one host are read at once.
        let sites: Vec<Upstream> = (2..2 + HOSTS)
            .map(|host| {
                let served = pages.clone();
                Upstream::on_host(
                    &format!("127.0.0.{host}"),
                    move |request: &Request| match served.get(&request.path) {
                        Some(page) => Reply::html(page.clone()).late(PAGE),
                        None => Reply::new(404, "text/plain", ""),
                    },
                )
            })
            .collect();
        let bases: Vec<String> = sites.iter().map(Upstream::url).collect();
        let searxng = Upstream::start(move |request: &Request| {
            let query = request.parameter("q").unwrap_or_default();
            let found = best(&pages, query, &bases);
            Reply::json(200, searxng::body(query, &found).to_string()).late(SEARCH)
        });
        let model = Upstream::start(move |request: &Request| {
            let asked = request.json();
            // Plans are not streamed.
            if asked["stream"] == true && asked["response_format"].is_null() {
                return answer.clone();
            }
            model::Script::says(&plan(&asked))
                .reply(request)
                .late(THINKING)
        });
        Self {
            searxng,
            model,
            _sites: sites,
        }
    }

    async fn stack(&self) -> Stack {
        let slots = LEVELS[2];
        let hosts: Vec<String> = (2..2 + HOSTS)
            .map(|host| format!("127.0.0.{host}"))
            .collect();
        Stack::builder(binaries!())
            .with_searxng(&self.searxng)
            .env("LLM_BASE_URL", self.model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .env("FETCH_ALLOW_HOSTS", hosts.join(","))
            .worker_env("WORKER_SLOTS", slots)
            .worker_env("WORKER_SLOTS_BALANCED", slots)
            .worker_env("WORKER_SLOTS_DEEP", slots)
            .start()
            .await
    }

    /// Requests for answers to the model.
    fn answers(&self) -> usize {
        let requests = self.model.requests();
        let asked = requests.iter().map(Request::json);
        asked
            .filter(|asked| asked["stream"] == true && asked["response_format"].is_null())
            .count()
    }
}

/// A plan that searches for the question in the prompt.
fn plan(asked: &Value) -> String {
    let prompt = asked["messages"][1]["content"].as_str().unwrap_or_default();
    let question = prompt.lines().nth(1).unwrap_or_default();
    json!({"queries": [{"query": question}]}).to_string()
}

/// Path to HTML.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for kind in ["articles", "docs", "forum", "howto"] {
        for entry in fs::read_dir(folder.join(kind))
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.path().extension().is_some_and(|kind| kind == "html") {
                let name = entry.file_name().to_string_lossy().into_owned();
                pages.insert(
                    format!("/{kind}/{name}"),
                    fs::read_to_string(entry.path()).expect("a document"),
                );
            }
        }
    }
    pages
}

/// The pages with the most words of `query`.
fn best(pages: &BTreeMap<String, String>, query: &str, bases: &[String]) -> Vec<searxng::Result> {
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect();
    let mut scored: Vec<(usize, &String, String)> = pages
        .iter()
        .map(|(path, page)| {
            let text = text(page);
            let lower = text.to_lowercase();
            (
                words.iter().filter(|word| lower.contains(*word)).count(),
                path,
                text,
            )
        })
        .collect();
    scored.sort_by_key(|(score, path, _)| (std::cmp::Reverse(*score), *path));
    scored
        .into_iter()
        .zip(bases)
        .map(|((_, path, text), base)| {
            let snippet = extract(&text, &words);
            searxng::Result::new(path, &format!("{base}{path}"), &snippet)
        })
        .collect()
}

/// The sentence with the most of `words`, as an engine's snippet.
fn extract(text: &str, words: &[String]) -> String {
    let held = |sentence: &&str| {
        let lower = sentence.to_lowercase();
        words.iter().filter(|word| lower.contains(*word)).count()
    };
    let best = text.split_inclusive(". ").max_by_key(held);
    best.unwrap_or_default().chars().take(240).collect()
}

/// Those of tests/quality that a page here answers.
fn questions() -> Vec<String> {
    let halves = dataset::questions();
    let all = halves.tuned.into_iter().chain(halves.reported);
    let here = all.filter(|question| {
        let is_html = |name: &String| name.ends_with(".html") && !name.starts_with("de/");
        question.documents.len() == 1 && question.documents.iter().all(is_html)
    });
    here.map(|question| question.question)
        .take(QUESTIONS)
        .collect()
}

/// The text of the body, without tags.
fn text(page: &str) -> String {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let parts = body.split('<').filter_map(|part| part.split_once('>'));
    let words: Vec<&str> = parts
        .flat_map(|(_, text)| text.split_whitespace())
        .collect();
    words.join(" ")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

async fn stages() {
    let words = "The documents say so [1]. They say it twice [2].";
    let says = model::Script::says(words);
    let request = Request {
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: br#"{"stream": true, "model": "double"}"#.to_vec(),
    };
    let upstreams = Upstreams::start(says.reply(&request).late(THINKING));
    let stack = upstreams.stack().await;
    let questions = questions();
    println!("| mode | {} | total |", STAGES.join(" | "));
    println!("|---|{}", "---:|".repeat(STAGES.len() + 1));
    for mode in MODES {
        let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for question in &questions {
            let asked = json!({"query": question, "mode": mode, "cache": false});
            let id = stack.client().enqueue(asked).await;
            let end = stack.client().wait_terminal(&id).await;
            if end["status"] != "completed" {
                eprintln!("{mode}, not counted: {question}: {}", end["error"]);
                continue;
            }
            for stage in STAGES {
                let time = end["timings"][stage].as_f64().unwrap_or_default();
                times.entry(stage).or_default().push(time);
            }
            times
                .entry("total")
                .or_default()
                .push(end["execution_time"].as_f64().unwrap_or_default());
        }
        let cells: Vec<String> = STAGES
            .into_iter()
            .chain(["total"])
            .map(|stage| {
                format!(
                    "{:.0}",
                    1000.0 * median(times.remove(stage).unwrap_or_default())
                )
            })
            .collect();
        println!("| {mode} | {} |", cells.join(" | "));
    }
}

/// A number of /proc/<process>/status, in kilobytes.
fn kilobytes(process: u32, name: &str) -> usize {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).expect("the worker's status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("kilobytes").parse().expect("a number")
}

async fn memory(mode: &str) {
    let questions = questions();
    for level in LEVELS {
        let upstreams = Upstreams::start(Reply::hang());
        let mut stack = upstreams.stack().await;
        let process = stack.workers[0].process().id();
        let ask = async |number: usize| -> String {
            let question = &questions[0];
            let asked = json!({"query": format!("{question} {number}"), "mode": mode, "cache": false, "timeout": 120});
            stack.client().enqueue(asked).await
        };
        // What the first search allocates once does not count.
        let first = ask(0).await;
        held(&upstreams, 1).await;
        cancel(&stack, &first).await;
        // Resets the peak.
        fs::write(format!("/proc/{process}/clear_refs"), "5")
            .expect("the peak of a process of ours");
        let idle = kilobytes(process, "VmRSS");

        let ids = join_all((1..=level).map(&ask)).await;
        held(&upstreams, 1 + level).await;
        let (running, peak) = (kilobytes(process, "VmRSS"), kilobytes(process, "VmHWM"));
        println!(
            "| {mode} | {level} | {:.1} | {:.1} | {:.1} | {} | {} |",
            idle as f64 / 1024.0,
            running as f64 / 1024.0,
            peak as f64 / 1024.0,
            running.saturating_sub(idle) / level,
            peak.saturating_sub(idle) / level,
        );
        for id in &ids {
            cancel(&stack, id).await;
        }
    }
}

/// Waits until the model holds back this many answers.
async fn held(upstreams: &Upstreams, count: usize) {
    eventually(
        "all searches wait for their answer",
        Duration::from_secs(90),
        async || (upstreams.answers() >= count).then_some(()),
    )
    .await;
}

async fn cancel(stack: &Stack, id: &str) {
    let answer = stack.client().delete(&format!("/api/v1/search/{id}")).await;
    assert!(answer.status < 300, "{}", answer.text);
    let end: Value = stack.client().wait_terminal(id).await;
    assert_eq!(end["status"], "failed");
}

#[tokio::main]
async fn main() {
    println!(
        "ms, medians of {QUESTIONS} questions; engine {SEARCH:?}, page {PAGE:?}, model {THINKING:?}:\n"
    );
    stages().await;
    println!(
        "\n| mode | running | idle MB | running MB | peak MB | KB each | KB each at the peak |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for mode in MODES {
        memory(mode).await;
    }
}
