//! The worker's commands: their output on stdout and stderr, and their exit codes.

use std::fs;
use std::process::Output;

use privachat_tests::process::isolated;
use privachat_tests::upstream::{searxng, site};
use privachat_tests::{Upstream, binaries};
use serde_json::{Value, json};
use tempfile::TempDir;

const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";
const QUESTION: &str = "What does asyncio.gather do?";

/// A folder for one command, with a document that answers the question.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("# asyncio.gather\n\n{FACT}\n");
    fs::create_dir(folder.path().join("docs")).unwrap();
    fs::write(folder.path().join("docs/gather.md"), text).unwrap();
    folder
}

fn run(folder: &TempDir, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    isolated(binaries!().worker)
        .current_dir(folder.path())
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The stdout of a command that succeeded.
fn success_output(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!stdout(output).contains('\u{1b}'), "no escapes in a pipe");
    assert!(!stderr(output).contains('\u{1b}'), "{output:?}");
    stdout(output)
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&success_output(output))
        .unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The stderr of a command that failed; its stdout is empty.
fn failure_message(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(stdout(output), "", "{output:?}");
    stderr(output)
}

const CORPUS: (&str, &str) = ("CORPUS_PATHS", "docs");

#[test]
fn ask_prints_the_answer_and_its_sources_and_keeps_progress_apart() {
    let output = run(&folder(), &[CORPUS], &["ask", QUESTION]);
    let shown = success_output(&output);
    assert!(shown.starts_with(FACT.trim_end_matches('.')), "{shown}");
    assert!(
        shown.contains("[1]") && shown.contains("docs/gather.md"),
        "{shown}"
    );
    assert!(shown.contains("extractive"), "{shown}");
    assert!(stderr(&output).contains("Searching"), "{output:?}");
    assert!(!shown.contains("Searching"), "{shown}");
}

#[test]
fn ask_json_is_the_response_of_the_api_and_nothing_else() {
    let arguments = ["ask", QUESTION, "--mode", "speed", "--json"];
    let response = json_of(&run(&folder(), &[CORPUS], &arguments));
    let members = [
        "session_id",
        "status",
        "query",
        "answer",
        "sub_queries",
        "sources",
        "citation_mapping",
        "mode",
        "execution_time",
        "confidence",
        "model_used",
        "trace_url",
        "grounding_score",
        "hallucination_count",
        "error",
        "created_at",
        "error_code",
        "warnings",
        "timings",
    ];
    for member in members {
        assert!(
            response.get(member).is_some(),
            "{member} is missing: {response}"
        );
    }
    assert_eq!(
        (&response["status"], &response["mode"]),
        (&json!("completed"), &json!("speed"))
    );
    assert_eq!(response["citation_mapping"][0]["citation_number"], 1);
}

#[test]
fn ask_without_a_provider_fails_and_names_the_missing_setting() {
    let output = run(&folder(), &[], &["ask", QUESTION]);
    assert_eq!(output.status.code(), Some(1));
    let message = format!("{}{}", stdout(&output), stderr(&output));
    assert!(
        message.contains("No search provider is configured"),
        "{message}"
    );
    assert!(message.contains("SEARXNG_BASE_URL"), "{message}");

    let output = run(&folder(), &[], &["ask", QUESTION, "--json"]);
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(response["error_code"], "no_provider");
}

#[test]
fn search_shows_the_results_of_one_provider() {
    let local = run(
        &folder(),
        &[CORPUS],
        &["search", "--provider", "local", "asyncio.gather"],
    );
    assert!(
        success_output(&local).contains("docs/gather.md"),
        "{local:?}"
    );

    let double = Upstream::always(searxng::sample("mixed-one-dead.json"));
    let settings = [("SEARXNG_BASE_URL", double.url())];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let search = ["search", "--provider", "searxng", "asyncio queue", "--json"];
    let output = run(&folder(), &settings, &search);
    let hits = json_of(&output);
    assert_eq!(
        hits[0]["url"],
        "http://127.0.0.1:8889/library/asyncio-queue.html"
    );
    assert_eq!(
        (&hits[0]["position"], &hits[0]["provider"]),
        (&json!(1), &json!("searxng"))
    );
    assert!(stderr(&output).contains("dead-refused"), "{output:?}");

    double.next(searxng::json_disabled());
    let refused = run(&folder(), &settings, &search);
    let message = failure_message(&refused, 1);
    assert!(
        message.contains("enable json under search.formats"),
        "{message}"
    );
}

#[test]
fn search_with_a_disabled_provider_fails() {
    let output = run(
        &folder(),
        &[],
        &["search", "--provider", "searxng", "anything"],
    );
    let message = failure_message(&output, 1);
    assert!(message.contains("searxng is not configured"), "{message}");
}

#[test]
fn read_shows_the_main_content_of_a_file_or_of_a_page() {
    let folder = folder();
    let shown = success_output(&run(&folder, &[], &["read", "docs/gather.md"]));
    assert!(
        shown.contains("# asyncio.gather") && shown.contains(FACT),
        "{shown}"
    );

    let site = site::serving([("/page", site::article("A page", &[FACT]))]);
    let host = site.url().replace("http://", "");
    let page = site.url_for("/page");
    let allowed = [("FETCH_ALLOW_HOSTS", host.as_str())];
    let document = json_of(&run(&folder, &allowed, &["read", &page, "--json"]));
    assert_eq!(
        (&document["title"], &document["url"]),
        (&json!("A page"), &json!(page))
    );
    let blocks = document["blocks"].to_string();
    assert!(
        blocks.contains(FACT) && !blocks.contains("Home"),
        "{blocks}"
    );

    let private = failure_message(&run(&folder, &[], &["read", &page]), 1);
    assert!(private.contains("not allowed"), "{private}");
    let missing = failure_message(&run(&folder, &[], &["read", "docs/none.md"]), 1);
    assert!(missing.contains("docs/none.md cannot be read"), "{missing}");
    let gone = failure_message(
        &run(&folder, &allowed, &["read", &site.url_for("/gone")]),
        1,
    );
    assert!(gone.contains("HTTP 404"), "{gone}");
}

#[test]
fn check_compares_each_claim_with_its_sources() {
    let folder = folder();
    let input = json!({
        "answer": "asyncio.gather runs awaitable objects concurrently [1]. It was written in 1874 by bears [1].",
        "sources": [{"title": "gather", "url": "https://example.org/", "text": FACT}],
    });
    fs::write(folder.path().join("answer.json"), input.to_string()).unwrap();
    let report = json_of(&run(&folder, &[], &["check", "answer.json", "--json"]));
    let supported: Vec<_> = report["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["supported"])
        .collect();
    assert_eq!(supported, [true, false], "{report}");
    assert_eq!(report["hallucination_count"], 1);
    let shown = success_output(&run(&folder, &[], &["check", "answer.json"]));
    assert!(shown.contains("1874"), "{shown}");

    fs::write(folder.path().join("answer.json"), "{\"answer\": 1}").unwrap();
    let message = failure_message(&run(&folder, &[], &["check", "answer.json"]), 1);
    assert!(
        message.contains("answer.json has not the expected form"),
        "{message}"
    );
}

#[test]
fn settings_that_cannot_be_read_are_all_named_without_their_values() {
    let settings = [
        ("SEARXNG_BASE_URL", "no-such-scheme"),
        ("WORKER_SLOTS", "plenty"),
    ];
    let message = failure_message(&run(&folder(), &settings, &["check-config"]), 1);
    assert!(
        message.contains("SEARXNG_BASE_URL") && message.contains("WORKER_SLOTS"),
        "{message}"
    );
    assert!(
        !message.contains("plenty") && !message.contains("no-such-scheme"),
        "{message}"
    );
}

#[test]
fn help_lists_the_commands_and_the_settings() {
    let help = success_output(&run(&folder(), &[], &["--help"]));
    for part in [
        "ask",
        "search",
        "read",
        "check-config",
        "check",
        "REDIS_URL",
        "CORPUS_PATHS",
    ] {
        assert!(help.contains(part), "{part} is not in {help}");
    }
    assert!(success_output(&run(&folder(), &[], &["ask", "--help"])).contains("--mode"));
}

#[test]
fn unusable_arguments_are_refused_with_a_usage_line() {
    let unusable: [&[&str]; 7] = [
        &["dance"],
        &["ask"],
        &["ask", QUESTION, "--mode", "fast"],
        &["ask", QUESTION, "--timeout", "0"],
        &["search", "no provider named"],
        &["search", "--provider", "bing", "x"],
        &["check"],
    ];
    for arguments in unusable {
        let message = failure_message(&run(&folder(), &[], arguments), 2);
        assert!(message.contains("error:"), "{message}");
    }
    let long = "word ".repeat(1001);
    for question in ["  ", long.as_str()] {
        let message = failure_message(&run(&folder(), &[CORPUS], &["ask", question]), 1);
        assert!(message.contains("the question is"), "{message}");
    }
}

#[test]
fn no_command_prints_terminal_escapes_from_sources() {
    let folder = folder();
    let hidden = "\u{1b}[31m\u{7}\u{9b}31m\u{202e}\u{e0041}";
    let text = format!("# asyncio{hidden}.gather\n\n{FACT}{hidden}\n\n    co{hidden}de\n");
    fs::write(folder.path().join("docs/gather.md"), text).unwrap();
    let entity = "&#27;[31m&#7;&#x9b;31m";
    let double = searxng::finding(vec![searxng::Result::new(
        &format!("asyncio{hidden}{entity}"),
        "https://docs.example.org/gather",
        &format!("{FACT}{hidden}{entity}"),
    )]);
    let url = double.url();
    let settings = [CORPUS, ("SEARXNG_BASE_URL", url.as_str())];
    for command in [
        &["read", "docs/gather.md"][..],
        &["read", "docs/gather.md", "--json"],
        &["search", "--provider", "searxng", "asyncio"],
        &["search", "--provider", "local", "asyncio.gather"],
        &["ask", QUESTION],
        &["ask", QUESTION, "--mode", "speed", "--json"],
        &["check-config"],
    ] {
        let output = run(&folder, &settings, command);
        let printed = [stdout(&output), stderr(&output)].concat();
        assert!(
            printed.contains("asyncio") || command.contains(&"check-config"),
            "{printed}"
        );
        for c in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{e0041}'] {
            assert!(!printed.contains(c), "{c:?} of {command:?}: {printed:?}");
        }
    }
}
