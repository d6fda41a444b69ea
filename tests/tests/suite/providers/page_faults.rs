//! Pages that are too large, too slow, forbidden or of another type than declared: the search
//! completes with the others, reports how many were not read, and the worker's memory stays
//! bounded.

use std::io::Write;
use std::process::{Command, Stdio};

use privachat_tests::upstream::{Reply, Request, searxng, site};
use privachat_tests::{Stack, Upstream, binaries};
use serde_json::{Value, json};

const QUESTION: &str = "What does asyncio.gather do?";
const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";
const EXCERPT: &str = "About asyncio.gather and what it does.";

/// Kilobytes: an idle worker and a few pages of the largest size that is allowed, and less than the
/// 100 MB of the page that is too large.
const MAX_MEMORY_KB: u64 = 90_000;

fn good_page() -> (&'static str, String) {
    let filler =
        "Coroutines that are passed to it are wrapped in tasks and scheduled by the event loop.";
    ("/good", site::article("asyncio.gather", &[FACT, filler]))
}

struct SiteStack {
    stack: Stack,
    _searxng: Upstream,
}

impl SiteStack {
    /// SearXNG returns `/good` of `site`, then `others`; the worker may read pages of `site`.
    async fn start(site: &Upstream, others: Vec<String>) -> Self {
        let urls = std::iter::once(site.url_for("/good")).chain(others);
        let results = urls.map(|url| searxng::Result::new("asyncio.gather", &url, EXCERPT));
        let searxng = searxng::finding(results.collect());
        let allowed = site.url().replace("http://", "");
        let stack = Stack::builder(binaries!())
            .env("WIKIPEDIA_BASE_URL", "off")
            .env("SEARXNG_BASE_URL", searxng.url())
            .env("FETCH_ALLOW_HOSTS", allowed)
            .start()
            .await;
        Self {
            stack,
            _searxng: searxng,
        }
    }

    /// The result of a search that reads five pages, and its only warning.
    async fn read(&self) -> (Value, String) {
        let request = json!({"query": QUESTION, "mode": "balanced", "timeout": 10});
        let id = self.stack.client().enqueue(request).await;
        let end = self.stack.client().wait_completed(&id).await;
        let answer = end["answer"].as_str().unwrap_or_default();
        assert!(
            answer.contains("runs awaitable objects concurrently"),
            "{end}"
        );
        assert!(answer.contains("[1]"), "{end}");
        let warnings = end["warnings"].as_array().expect("warnings").clone();
        assert_eq!(warnings.len(), 1, "{end}");
        (end, warnings[0].as_str().unwrap_or_default().to_owned())
    }
}

fn assert_parts(warning: &str, parts: &[&str]) {
    for part in parts {
        assert!(warning.contains(part), "{part:?} is not in {warning:?}");
    }
}

/// The peak memory of a process, in kilobytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    peak.parse().unwrap()
}

/// 100 MB of paragraphs, compressed.
fn bomb() -> Vec<u8> {
    let mut gzip = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip");
    let mut input = gzip.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let block = "<p>Words and more words.</p>\n".repeat(1 << 15);
        for _ in 0..110 {
            input.write_all(block.as_bytes()).unwrap();
        }
    });
    let packed = gzip.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    packed
}

#[tokio::test]
async fn a_huge_page_a_redirect_loop_a_binary_and_a_404_affect_no_other_page() {
    let site = site::serving([good_page()]);
    let others = ["/huge", "/loop", "/binary", "/nowhere"];
    let others = others.map(|path| site.url_for(path)).to_vec();
    let mut site_stack = SiteStack::start(&site, others).await;
    let (end, warning) = site_stack.read().await;
    assert!(
        warning.starts_with("4 of 5 pages could not be read: "),
        "{warning}"
    );
    let kind = "1 cannot read the type application/octet-stream";
    assert_parts(
        &warning,
        &["1 larger than", "1 too many redirects", kind, "1 HTTP 404"],
    );
    assert!(!warning.contains("127.0.0.1"), "{warning}");
    assert_eq!(end["sources"][0]["url"], site.url_for("/good"), "{end}");

    let worker = site_stack.stack.workers[0].process().id();
    let peak = peak_memory(worker);
    assert!(peak < MAX_MEMORY_KB, "{peak} kB");
}

#[tokio::test]
async fn a_decompression_bomb_is_cut_at_the_limit() {
    let packed = bomb();
    assert!(packed.len() < 1_000_000);
    let (_, good) = good_page();
    let site = Upstream::start(move |request: &Request| match request.path.as_str() {
        "/good" => Reply::html(good.clone()),
        "/bomb" => Reply::html(packed.clone()).header("Content-Encoding", "gzip"),
        "/check" => {
            let page = "<html><title>Just a moment...</title><p>Verify you are human</p></html>";
            Reply::new(403, "text/html; charset=utf-8", page)
        }
        "/wall" => {
            Reply::html("<html><title>Sign in</title><form><input type=\"password\"></form></html>")
        }
        _ => Reply::new(404, "text/html", "<h1>Not found</h1>"),
    });
    let others = ["/bomb", "/check", "/wall"]
        .map(|path| site.url_for(path))
        .to_vec();
    let mut site_stack = SiteStack::start(&site, others).await;
    let (end, warning) = site_stack.read().await;
    assert!(
        warning.starts_with("3 of 4 pages could not be read: "),
        "{warning}"
    );
    assert_parts(&warning, &["1 larger than", "a bot check", "a login page"]);
    assert!(!end["answer"].to_string().contains("human"), "{end}");

    let worker = site_stack.stack.workers[0].process().id();
    let peak = peak_memory(worker);
    assert!(peak < MAX_MEMORY_KB, "{peak} kB");
}

#[tokio::test]
async fn private_addresses_are_not_fetched_as_results_or_after_a_redirect() {
    let site = site::serving([good_page()]);
    let secret = Upstream::always(Reply::html(site::article("Secret", &["The secret is 42."])));
    let others = vec![
        secret.url_for("/admin"),
        site.url_for(&format!("/to?url={}", secret.url_for("/admin"))),
        secret.url_for("/admin").replace("127.0.0.1", "localhost"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    let site_stack = SiteStack::start(&site, others).await;
    let (end, warning) = site_stack.read().await;
    assert!(
        warning.starts_with("4 of 5 pages could not be read: "),
        "{warning}"
    );
    assert_parts(&warning, &["4 not allowed"]);
    assert_eq!(secret.calls(), 0, "not even its robots.txt");
    assert!(!end.to_string().contains("The secret"), "{end}");
}

#[tokio::test]
async fn slow_pages_are_cut_and_their_excerpts_used() {
    let site = site::serving([good_page()]);
    let others = ["/slow", "/hang"].map(|path| site.url_for(path)).to_vec();
    let site_stack = SiteStack::start(&site, others).await;
    let (end, warning) = site_stack.read().await;
    assert_eq!(warning, "2 of 3 pages could not be read: 2 too slow");
    let details = end["source_details"].as_array().expect("details");
    let fetched = details.iter().filter(|it| it["fetched"] == true).count();
    assert_eq!(fetched, 1, "{end}");
}

#[tokio::test]
async fn a_search_whose_pages_all_fail_is_answered_from_the_excerpts() {
    let site = site::serving([("/robots.txt", "User-agent: *\nDisallow: /\n")]);
    let searxng = searxng::finding(vec![
        searxng::Result::new("gather", &site.url_for("/a"), FACT),
        searxng::Result::new("gather", "https://nowhere.invalid/b", FACT),
    ]);
    let stack = Stack::builder(binaries!())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("FETCH_ALLOW_HOSTS", site.url().replace("http://", ""))
        .start()
        .await;
    let site_stack = SiteStack {
        stack,
        _searxng: searxng,
    };
    let (_, warning) = site_stack.read().await;
    assert!(
        warning.starts_with("2 of 2 pages could not be read: "),
        "{warning}"
    );
    assert_parts(&warning, &["not allowed: robots.txt", "not reachable"]);
}

#[tokio::test]
async fn robots_txt_is_not_fetched_when_switched_off() {
    let (path, page) = good_page();
    let forbidding = "User-agent: *\nDisallow: /\n".to_owned();
    let site = site::serving([("/robots.txt", forbidding), (path, page)]);
    let searxng = searxng::finding(vec![searxng::Result::new(
        "gather",
        &site.url_for(path),
        EXCERPT,
    )]);
    let stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .env("FETCH_ALLOW_HOSTS", site.url().replace("http://", ""))
        .env("FETCH_ROBOTS", "off")
        .start()
        .await;
    let request = json!({"query": QUESTION, "mode": "balanced", "timeout": 10});
    let id = stack.client().enqueue(request).await;
    let end = stack.client().wait_completed(&id).await;
    assert_eq!(end["source_details"][0]["fetched"], true, "{end}");
    assert_eq!(site.calls(), 1, "the page alone");
}
