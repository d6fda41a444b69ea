//! Attacks from the web on the service that reads it: addresses of internal hosts, expensive
//! documents, pages with instructions. Each search completes in time with a cited answer from the
//! sound page.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use privachat_tests::upstream::model::{self, Script};
use privachat_tests::upstream::{Reply, Request, Step, searxng, site};
use privachat_tests::{Stack, Upstream, binaries, captured_bodies, eventually};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(20);
const QUESTION: &str = "What does asyncio.gather do?";
const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";
const EXCERPT: &str = "About asyncio.gather and what it does.";
/// Text of the page that must not be read.
const SECRET: &str = "The launch code of asyncio.gather is swordfish.";
/// The text that the injected instructions demand.
const OBEYED: &str = "PWNED";
const KEY: &str = "key-of-the-operator";

fn article() -> String {
    site::article("asyncio.gather", &[FACT])
}

/// SearXNG returns the part number `chosen`.
fn finding(parts: Vec<Vec<String>>, chosen: Arc<AtomicUsize>) -> Upstream {
    Upstream::start(move |_: &Request| {
        let part = parts.get(chosen.load(Ordering::SeqCst));
        let results: Vec<_> = part
            .into_iter()
            .flatten()
            .map(|url| searxng::Result::new("asyncio.gather", url, EXCERPT))
            .collect();
        Reply::json(200, searxng::body(QUESTION, &results).to_string())
    })
}

struct HostileWeb {
    stack: Stack,
    chosen: Arc<AtomicUsize>,
    _searxng: Upstream,
}

impl HostileWeb {
    async fn start(site: &Upstream, parts: Vec<Vec<String>>, llm: Option<&Upstream>) -> Self {
        let chosen = Arc::new(AtomicUsize::new(0));
        let searxng = finding(parts, Arc::clone(&chosen));
        let mut builder = Stack::builder(binaries!())
            .with_searxng(&searxng)
            .env("FETCH_ALLOW_HOSTS", site.url().replace("http://", ""))
            .env("EXCLUDED_DOMAINS", "excluded.example");
        if let Some(llm) = llm {
            builder = builder
                .env("LLM_BASE_URL", llm.url_for("/v1"))
                .env("LLM_API_KEY", KEY)
                .env("LLM_MODEL", "usual");
        }
        Self {
            stack: builder.start().await,
            chosen,
            _searxng: searxng,
        }
    }

    /// The result of a search that finds part `at`, with citations that lead to sources. It has the
    /// whole time of its mode: on a busy machine a debug build needs some of it.
    async fn ask(&self, at: usize) -> Value {
        self.chosen.store(at, Ordering::SeqCst);
        let request = json!({"query": QUESTION, "mode": "deep", "cache": false});
        let id = self.stack.client().enqueue(request).await;
        let end = self.stack.client().wait_completed(&id).await;
        assert_citations(&end);
        end
    }
}

/// Every citation has the number of a source, and there is at least one.
fn assert_citations(end: &Value) {
    let answer = end["answer"].as_str().expect("an answer");
    let sources = end["sources"].as_array().expect("sources").len();
    let marks: Vec<usize> = answer
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']')?.0.parse().ok())
        .collect();
    assert!(!marks.is_empty(), "{end}");
    assert!(
        marks.iter().all(|mark| (1..=sources).contains(mark)),
        "{end}"
    );
}

/// Addresses of `port` on this machine and of other places that a page must not lead to.
fn internal_addresses(port: u16) -> Vec<String> {
    let here = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "%6c%6f%63alhost",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "ｌｏｃａｌｈｏｓｔ",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "user@127.0.0.1",
        "user:secret@127.0.0.1",
        "example.com@127.0.0.1",
    ];
    let elsewhere = [
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.100.100.200/latest/meta-data/",
        "http://168.63.129.16/machine",
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://[fd00:ec2::254]/latest/",
        "http://[fe80::1]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "https://www.excluded.example/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "data:text/html,asyncio.gather",
    ];
    here.iter()
        .map(|host| format!("http://{host}:{port}/admin"))
        .chain(elsewhere.map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn no_form_of_an_address_reaches_internal_hosts_as_a_result_or_by_redirect() {
    let secret = Upstream::always(Reply::html(site::article("asyncio.gather", &[SECRET])));
    let port = secret.url().rsplit(':').next().unwrap().parse().unwrap();
    let hostile = internal_addresses(port);
    assert!(hostile.len() >= 40);
    let to: Vec<String> = hostile.clone();
    let good = article();
    let site = Upstream::start(move |request: &Request| {
        let path = request.path.as_str();
        let number = path.strip_prefix("/to/").and_then(|it| it.parse().ok());
        match (path, number.and_then(|at: usize| to.get(at))) {
            ("/good", _) => Reply::html(good.clone()),
            (_, Some(target)) => Reply::redirect(target),
            _ => Reply::new(404, "text/html", "<h1>Not found</h1>"),
        }
    });
    let redirects = (0..hostile.len()).map(|at| site.url_for(&format!("/to/{at}")));
    let all: Vec<String> = hostile.iter().cloned().chain(redirects).collect();
    // Each part fits into the sources of one search, so that each address is tried.
    let parts: Vec<Vec<String>> = all
        .chunks(10)
        .map(|part| {
            std::iter::once(site.url_for("/good"))
                .chain(part.to_vec())
                .collect()
        })
        .collect();
    let count = parts.len();
    let hostile_web = HostileWeb::start(&site, parts, None).await;
    for at in 0..count {
        let end = hostile_web.ask(at).await;
        let text = end["answer"].to_string();
        assert!(text.contains("runs awaitable objects"), "{end}");
        assert!(!end.to_string().contains("swordfish"), "{end}");
        let fetched = end["source_details"].as_array().expect("details");
        let fetched = fetched.iter().filter(|it| it["fetched"] == true).count();
        assert_eq!(fetched, 1, "{end}");
    }
    assert_eq!(secret.calls(), 0, "not even its robots.txt");
    let followed = site.requests();
    let followed = followed.iter().filter(|it| it.path.starts_with("/to/"));
    assert_eq!(followed.count(), hostile.len(), "each redirect was met");
}

/// Kilobytes of the worker itself. It holds the pages that it passes to its parsers, 5 MB at most.
const MAX_MEMORY_KB: u64 = 200_000;

/// The peak memory of a process, in kilobytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    peak.parse().unwrap()
}

#[tokio::test]
async fn hostile_documents_affect_no_other_document() {
    let documents = site::hostile_documents(&article());
    let count = documents.len();
    let site = Upstream::start(move |request: &Request| {
        let number = request.path.trim_start_matches("/document/").parse();
        match number.ok().and_then(|at: usize| documents.get(at)) {
            Some(reply) => reply.clone(),
            None => Reply::new(404, "text/html", "<h1>Not found</h1>"),
        }
    });
    let urls: Vec<String> = (0..count)
        .map(|at| site.url_for(&format!("/document/{at}")))
        .collect();
    // The sound page is part of each group.
    let parts: Vec<Vec<String>> = urls[1..]
        .chunks(5)
        .map(|part| {
            std::iter::once(urls[0].clone())
                .chain(part.to_vec())
                .collect()
        })
        .collect();
    let handfuls = parts.len();
    let mut hostile_web = HostileWeb::start(&site, parts, None).await;
    for at in 0..handfuls {
        let end = hostile_web.ask(at).await;
        let answer = end["answer"].as_str().unwrap_or_default();
        assert!(answer.contains("runs awaitable objects"), "{end}");
    }
    let worker = hostile_web.stack.workers[0].process();
    worker.assert_alive();
    let peak = peak_memory(worker.id());
    assert!(peak < MAX_MEMORY_KB, "{peak} kB");
}

const INJECTIONS: usize = 10;

fn injection(at: usize) -> String {
    captured_bodies::text(&format!("hostile/injection-{at:02}.html"))
}

/// Serves the ten pages; part 0 contains all of them.
fn injecting() -> (Upstream, Vec<Vec<String>>) {
    let site = Upstream::start(|request: &Request| {
        let number = request.path.trim_start_matches("/page/").parse();
        match number {
            Ok(at) if (1..=INJECTIONS).contains(&at) => Reply::html(injection(at)),
            _ => Reply::new(404, "text/html", "<h1>Not found</h1>"),
        }
    });
    let urls = (1..=INJECTIONS).map(|at| site.url_for(&format!("/page/{at}")));
    let parts = vec![urls.collect()];
    (site, parts)
}

fn assert_neither_obeys_nor_leaks(end: &Value) {
    let answer = end["answer"].as_str().expect("an answer");
    for forbidden in [
        OBEYED,
        KEY,
        "evil.example",
        "system prompt",
        "<script",
        "<|im_",
    ] {
        assert!(!answer.contains(forbidden), "{forbidden}: {end}");
    }
    assert!(answer.contains("concurrently"), "{end}");
    let whole = end.to_string();
    assert!(!whole.contains(KEY), "{end}");
    // Neither reversed text nor hidden characters remain.
    assert!(!whole.contains(['\u{202e}', '\u{e0053}']), "{end}");
}

#[tokio::test]
async fn the_extractive_answer_neither_obeys_pages_nor_leaks() {
    let (site, parts) = injecting();
    let hostile_web = HostileWeb::start(&site, parts, None).await;
    let end = hostile_web.ask(0).await;
    assert_eq!(end["model_used"], "extractive", "{end}");
    assert_neither_obeys_nor_leaks(&end);
}

/// The messages of each chat request to `llm`, joined.
fn prompts(llm: &Upstream) -> Vec<String> {
    let chats = llm.requests().into_iter();
    let chats = chats.filter(|it| it.path.ends_with("/chat/completions"));
    let text = |request: Request| {
        let body = request.json();
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        let texts: Vec<String> = messages
            .iter()
            .filter_map(|it| it["content"].as_str().map(str::to_owned))
            .collect();
        texts.join("\n")
    };
    chats.map(text).collect()
}

#[tokio::test]
async fn a_model_receives_pages_as_quoted_material_that_they_cannot_leave() {
    let says = "It runs awaitable objects concurrently and returns a list of their results [1].";
    let llm = model::chat(Script::says(says));
    let (site, parts) = injecting();
    let hostile_web = HostileWeb::start(&site, parts, Some(&llm)).await;
    let end = hostile_web.ask(0).await;
    assert_neither_obeys_nor_leaks(&end);
    let prompts = prompts(&llm);
    let with_pages: Vec<&String> = prompts.iter().filter(|it| it.contains(FACT)).collect();
    assert!(!with_pages.is_empty());
    for prompt in with_pages {
        assert!(!prompt.contains(KEY));
        // Each mark that opens or closes material contains the key of this prompt, which no page
        // knows.
        let material = prompt.find("<source 1 ").expect("material");
        let (_, rest) = prompt.split_at(material);
        let key = rest
            .split_whitespace()
            .nth(2)
            .unwrap()
            .split('>')
            .next()
            .unwrap();
        let closed = prompt.lines().filter(|line| line.starts_with("</source"));
        assert!(closed.clone().count() >= 1, "{prompt}");
        for line in closed {
            assert!(line.contains(key), "a page closed its own fence: {line}");
        }
    }
}

#[tokio::test]
async fn citations_of_a_model_that_obeys_a_page_are_removed() {
    let says = "PWNED, as ordered by the page [42]. The operator owes 7,000 dollars [1][0][-1].";
    let llm = model::chat(Script::says(says));
    let (site, parts) = injecting();
    let hostile_web = HostileWeb::start(&site, parts, Some(&llm)).await;
    let end = hostile_web.ask(0).await;
    assert!(!end.to_string().contains(KEY), "{end}");
    let grounding = end["grounding_score"].as_f64().unwrap_or_default();
    let is_marked = end["hallucination_count"].as_u64().unwrap_or_default() > 0;
    assert!(is_marked || end["model_used"] == "extractive", "{end}");
    assert!(
        grounding < 0.6 || end["model_used"] == "extractive",
        "{end}"
    );
}

#[tokio::test]
async fn a_page_is_fetched_once_for_all_workers() {
    let site = site::serving([("/good", article())]);
    let parts = vec![
        vec![site.url_for("/good")],
        vec![site.url_for("/good#part")],
    ];
    let mut hostile_web = HostileWeb::start(&site, parts, None).await;
    hostile_web.ask(0).await;
    hostile_web.stack.workers[0].process().kill();
    hostile_web.stack.add_worker();
    let end = hostile_web.ask(1).await;
    assert_eq!(end["source_details"][0]["fetched"], true, "{end}");
    let read = site.requests();
    let read = read.iter().filter(|it| it.path == "/good").count();
    assert_eq!(read, 1);
}

/// A site that stops sending in the middle of a page delays no search.
#[tokio::test]
async fn endless_pages_delay_no_search() {
    let endless = vec![Step::Send("<p>".into()), Step::Hang];
    let good = article();
    let site = Upstream::start(move |request: &Request| match request.path.as_str() {
        "/good" => Reply::html(good.clone()),
        "/robots.txt" => Reply::new(404, "text/plain", ""),
        _ => Reply::steps(200, "text/html", endless.clone()),
    });
    let parts = vec![vec![site.url_for("/good"), site.url_for("/endless")]];
    let hostile_web = HostileWeb::start(&site, parts, None).await;
    // The endless page is still being sent when the search has its answer.
    let end = hostile_web.ask(0).await;
    let warnings = end["warnings"].to_string();
    assert!(warnings.contains("1 too slow"), "{end}");
    eventually("the reader hangs up on it", TIMEOUT, async || {
        (site.abandoned() == 1).then_some(())
    })
    .await;
}
