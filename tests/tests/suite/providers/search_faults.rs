//! Search engines that are down, slow, wrong or empty: how the search ends, and which errors and
//! warnings it has.

use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::{Reply, mediawiki, searxng};
use privachat_tests::{Stack, Upstream, binaries};
use serde_json::{Value, json};
use tempfile::TempDir;

const QUESTION: &str = "What does asyncio.gather do?";
const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";

/// The shortest time limit is 10 s. A search that waits for an upstream instead does not end.
const MAX_SECONDS: f64 = 60.0;

fn stack() -> StackBuilder {
    Stack::builder(binaries!()).env("WIKIPEDIA_BASE_URL", "off")
}

fn with_searxng(double: &Upstream) -> StackBuilder {
    stack().env("SEARXNG_BASE_URL", double.url())
}

/// The result of one search on that stack.
async fn ended(stack: StackBuilder) -> Value {
    let stack = stack.start().await;
    search(&stack).await
}

async fn search(stack: &Stack) -> Value {
    let request = json!({"query": QUESTION, "mode": "speed", "timeout": 10});
    let id = stack.client().enqueue(request).await;
    let end = stack.client().wait_terminal(&id).await;
    let took = end["execution_time"].as_f64().expect("a time");
    assert!(took < MAX_SECONDS, "{end}");
    end
}

/// The result when SearXNG sends this reply.
async fn ended_after(reply: Reply) -> Value {
    let double = Upstream::always(reply);
    let end = ended(with_searxng(&double)).await;
    assert!(double.calls() > 0);
    end
}

fn assert_failed(end: &Value, code: &str, error: &str, hint: &str) {
    assert_eq!(end["status"], "failed", "{end}");
    assert_eq!(end["error_code"], code, "{end}");
    for (member, part) in [("error", error), ("error_hint", hint)] {
        let text = end[member].as_str().unwrap_or_default();
        assert!(text.contains(part), "{member} lacks {part:?}: {end}");
    }
    assert_eq!(end["query"], QUESTION);
    assert!(end["answer"].is_null() && end["sources"].is_null(), "{end}");
}

fn assert_answered(end: &Value, source: &str) {
    assert_eq!(end["status"], "completed", "{end}");
    let answer = end["answer"].as_str().unwrap_or_default();
    assert!(answer.contains("[1]"), "{end}");
    let mapping = end["citation_mapping"].as_array().expect("citations");
    let cited = mapping.iter().any(|citation| {
        citation["source_url"]
            .as_str()
            .is_some_and(|url| url.contains(source))
    });
    assert!(cited, "{source} is not cited: {end}");
}

fn assert_warned(end: &Value, part: &str) {
    let warnings = end["warnings"].as_array().expect("warnings");
    let warned = warnings.iter().any(|warning| {
        let warning = warning.as_str().unwrap_or_default();
        warning.contains(part)
    });
    assert!(warned, "no warning has {part:?}: {end}");
}

/// A folder with one document that answers the question.
fn corpus() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("# asyncio.gather\n\n{FACT}\n");
    std::fs::write(folder.path().join("gather.md"), text).unwrap();
    folder
}

fn with_corpus(builder: StackBuilder, folder: &TempDir) -> StackBuilder {
    builder
        .env("CORPUS_PATHS", folder.path().display())
        .env("DATA_DIR", folder.path().join(".data").display())
}

fn found() -> Vec<searxng::Result> {
    vec![searxng::Result::new(
        "asyncio.gather",
        "https://docs.example.org/gather",
        FACT,
    )]
}

#[tokio::test]
async fn searxng_that_is_down_is_a_failure_that_names_the_setting() {
    let gone = Upstream::always(Reply::hang());
    let builder = with_searxng(&gone);
    drop(gone);
    let end = ended(builder).await;
    let error = "searxng is not available (connection refused)";
    assert_failed(&end, "upstream_unavailable", error, "SEARXNG_BASE_URL");
    assert_warned(&end, error);
}

#[tokio::test]
async fn a_silent_searxng_does_not_lose_the_results_of_others() {
    let double = Upstream::always(Reply::hang());
    let folder = corpus();
    let (alone, with_others) = tokio::join!(
        ended(with_searxng(&double)),
        ended(with_corpus(with_searxng(&double), &folder)),
    );
    let error = "searxng did not answer in time";
    assert_failed(&alone, "timeout", error, "timeout");
    assert_answered(&with_others, "gather.md");
    assert_warned(&with_others, error);
}

#[tokio::test]
async fn a_web_page_instead_of_json_is_named_in_the_error() {
    let page = Reply::html("<!DOCTYPE html><title>SearXNG</title><p>Results</p>");
    let end = ended_after(page).await;
    let error = "HTML instead of JSON";
    assert_failed(&end, "upstream_unavailable", error, "SEARXNG_BASE_URL");
}

#[tokio::test]
async fn json_switched_off_is_a_failure_that_says_what_to_enable() {
    let end = ended_after(searxng::json_disabled()).await;
    let hint = "enable json under search.formats in SearXNG's settings.yml";
    assert_failed(&end, "upstream_unavailable", "HTTP 403", hint);
}

#[tokio::test]
async fn the_limiter_of_searxng_is_a_failure_that_says_how_to_switch_it_off() {
    let end = ended_after(searxng::limited()).await;
    let hint = "server.limiter: false";
    assert_failed(&end, "upstream_unavailable", "limits the rate", hint);
}

#[tokio::test]
async fn a_refused_parameter_is_named() {
    let end = ended_after(searxng::bad_parameter()).await;
    let error = "parameter language";
    assert_failed(&end, "upstream_unavailable", error, "check its version");
}

#[tokio::test]
async fn a_server_error_a_cut_and_a_reply_that_is_not_http_are_unavailable() {
    let broken = Reply::new(502, "text/html", "<h1>Bad Gateway</h1>");
    let (error, cut, nonsense) = tokio::join!(
        ended_after(broken),
        ended_after(Reply::cut()),
        ended_after(Reply::nonsense()),
    );
    for (end, reason) in [
        (error, "HTTP 502"),
        (cut, "not available"),
        (nonsense, "not available"),
    ] {
        assert_failed(&end, "upstream_unavailable", reason, "SEARXNG_BASE_URL");
    }
}

#[tokio::test]
async fn no_results_are_not_a_failure() {
    for sample in ["noresults.json", "answer-avg.json", "keyvalue-command.json"] {
        let end = ended_after(searxng::sample(sample)).await;
        let error = "Nothing was found for this question by searxng";
        assert_failed(&end, "no_sources", error, "other words");
    }
}

#[tokio::test]
async fn when_all_engines_of_searxng_are_dead_the_warning_names_each() {
    let end = ended_after(searxng::dead_engines()).await;
    assert_failed(&end, "sources_blocked", "Nothing was found", "later");
    assert_eq!(
        end["attempt"], 1,
        "engines that are suspended are not back in a moment"
    );
    let engines = "dead-429 (too many requests), dead-500 (HTTP error), dead-notjson (parsing error), \
                   dead-refused (HTTP connection error), dead-slow (timeout)";
    assert_warned(&end, engines);
}

#[tokio::test]
async fn results_of_working_engines_are_used_and_the_failed_one_is_named() {
    let end = ended_after(searxng::sample("mixed-one-dead.json")).await;
    assert_eq!(end["status"], "completed", "{end}");
    assert_warned(&end, "dead-refused (Suspended: HTTP connection error)");
}

#[tokio::test]
async fn captured_results_are_used_and_cited() {
    let end = ended_after(searxng::sample("normal.json")).await;
    assert_answered(&end, "http://127.0.0.1:8889/");
    assert_eq!(end["warnings"], json!([]));
    assert_eq!(end["model_used"], "extractive");
}

#[tokio::test]
async fn a_broken_engine_is_replaced_by_the_next_one_of_the_chain() {
    let limited = Upstream::always(searxng::limited());
    let hits = json!({"organic": [
        {"title": "asyncio.gather", "link": "https://docs.example.org/gather", "snippet": FACT, "position": 1},
    ]});
    let serper = Upstream::always(Reply::json(200, hits.to_string()));
    let builder = with_searxng(&limited)
        .env("SERPER_BASE_URL", serper.url())
        .env("SERPER_API_KEY", "key-of-the-test");
    let end = ended(builder).await;
    assert_answered(&end, "docs.example.org");
    assert_warned(&end, "searxng limits the rate of requests");
    assert!(!end.to_string().contains("key-of-the-test"));
}

#[tokio::test]
async fn local_documents_answer_when_the_web_search_fails() {
    let double = Upstream::always(searxng::json_disabled());
    let folder = corpus();
    let end = ended(with_corpus(with_searxng(&double), &folder)).await;
    assert_answered(&end, "gather.md");
    assert_warned(&end, "searxng refuses the request (HTTP 403)");
}

#[tokio::test]
async fn an_engine_is_paused_after_repeated_failures_and_a_success_resets_the_count() {
    let double = searxng::finding(found());
    // A single engine is tried twice more before the search fails.
    let fail = |searches: usize| {
        for _ in 0..searches * 3 {
            double.next(searxng::limited());
        }
    };
    fail(4);
    // Retries of a search would take the replies meant for the next one.
    let builder = with_searxng(&double).env("JOB_MAX_ATTEMPTS", 1);
    let stack = builder.start().await;
    for _ in 0..4 {
        assert_eq!(search(&stack).await["status"], "failed");
    }
    assert_answered(&search(&stack).await, "docs.example.org");
    for _ in 0..5 {
        fail(1);
        assert_eq!(search(&stack).await["status"], "failed");
    }
    let calls = double.calls();
    let resting = search(&stack).await;
    let error = "it failed repeatedly; the next try is in";
    assert_failed(&resting, "upstream_unavailable", error, "SEARXNG_BASE_URL");
    assert_eq!(double.calls(), calls, "a resting engine is not asked");
}

#[tokio::test]
async fn wikipedia_that_reports_an_error_in_a_200_is_a_failure_with_its_code() {
    let double = Upstream::always(mediawiki::error());
    let end = ended(stack().env("WIKIPEDIA_BASE_URL", double.url())).await;
    assert_failed(
        &end,
        "upstream_unavailable",
        "badvalue",
        "WIKIPEDIA_BASE_URL",
    );
}

#[tokio::test]
async fn wikipedia_without_a_match_has_found_nothing() {
    let double = mediawiki::finding(Vec::new());
    let end = ended(stack().env("WIKIPEDIA_BASE_URL", double.url())).await;
    let error = "Nothing was found for this question by wikipedia";
    assert_failed(&end, "no_sources", error, "other words");
}

#[tokio::test]
async fn wikipedia_answers_when_the_corpus_has_nothing_and_the_corpus_when_wikipedia_fails() {
    let (bare, folder) = (tempfile::tempdir().unwrap(), corpus());
    let article = mediawiki::Article::new("Asyncio.gather", FACT);
    let double = mediawiki::finding(vec![article]);
    let builder = with_corpus(stack().env("WIKIPEDIA_BASE_URL", double.url()), &bare);
    assert_answered(&ended(builder).await, "en.wikipedia.org");

    let broken = Upstream::always(mediawiki::error());
    let builder = with_corpus(stack().env("WIKIPEDIA_BASE_URL", broken.url()), &folder);
    let end = ended(builder).await;
    assert_answered(&end, "gather.md");
    assert_warned(&end, "wikipedia refuses the request (badvalue)");
}

#[tokio::test]
async fn without_a_provider_both_kinds_of_search_fail_with_the_missing_settings() {
    let stack = stack().start().await;
    let end = search(&stack).await;
    let error = "No search provider is configured";
    assert_failed(&end, "no_provider", error, "SEARXNG_BASE_URL");

    let request = json!({"query": QUESTION, "mode": "speed", "timeout": 10});
    let answer = stack.client().post_search(request).await.expect(500);
    assert_eq!(answer["error"], "search_execution_failed", "{answer}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains(error), "{answer}");
    assert!(answer.to_string().contains("SEARXNG_BASE_URL"), "{answer}");

    let named = json!({"query": QUESTION, "search_engine": "searxng"});
    let refused = stack.client().post_search(named).await.expect(422);
    assert!(
        refused.to_string().contains("SEARXNG_BASE_URL"),
        "{refused}"
    );
}

#[tokio::test]
async fn one_odd_result_affects_no_other_and_no_hidden_character_reaches_the_answer() {
    let good = format!(
        r#"{{"title": "gather", "url": "https://docs.example.org/gather", "content": "{FACT}"}}"#
    );
    let hidden = "\u{e0053}\u{e0061}\u{202e}\u{200b}\u{2066}&#27;[31m";
    let with_hidden = good.replace("gather", &format!("ga{hidden}ther")).replacen(
        &format!("/ga{hidden}ther"),
        "/gather",
        1,
    );
    let body = |results: &[&str]| format!(r#"{{"results": [{}]}}"#, results.join(", "));
    let odd = r#"{"title": "cut \ud83d", "url": "https://b.example/", "score": NaN}"#;
    let marked = format!("\u{feff}{}", body(&[odd, &good]));
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bad_byte = [
        br#"{"results": [{"title": "caf"#.as_slice(),
        &[0xe9],
        format!(r#"", "url": "https://b.example/"}}, {good}]}}"#).as_bytes(),
    ]
    .concat();
    for body in [
        body(&[odd, &good]).into_bytes(),
        body(&["{'a': 1} x", &good]).into_bytes(),
        wide,
        bad_byte,
        body(&[&with_hidden]).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let end = ended_after(Reply::json(200, body)).await;
        assert_answered(&end, "docs.example.org");
        let text = end.to_string();
        for c in ['\u{e0053}', '\u{202e}', '\u{200b}', '\u{2066}', '\u{1b}'] {
            assert!(!text.contains(c), "{c:?} of {shown}: {text}");
        }
        assert!(!text.contains("\\u001b"), "{text}");
        if shown.contains("'a'") {
            assert_warned(&end, "1 result of searxng could not be read");
        }
    }
}
