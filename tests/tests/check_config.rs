//! `check-config`: what it finds, and what it says to do.

use std::fs;
use std::process::Output;

use privachat_tests::process::isolated;
use privachat_tests::redis::{self, RedisServer};
use privachat_tests::upstream::{Reply, Request, mediawiki, model, searxng};
use privachat_tests::{PostgresServer, Upstream, binaries};
use serde_json::json;
use tempfile::TempDir;

const CORPUS: (&str, &str) = ("CORPUS_PATHS", "docs");

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("docs")).unwrap();
    let text = "# Tides\n\nTides are caused by the gravity of the Moon.\n";
    fs::write(folder.path().join("docs/tides.md"), text).unwrap();
    folder
}

fn check_config(folder: &TempDir, settings: &[(&str, &str)]) -> Output {
    isolated(binaries!().worker)
        .current_dir(folder.path())
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .arg("check-config")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn check_config_succeeds_when_everything_answers() {
    let redis = RedisServer::with_aof().await;
    let redis_url = redis.url();
    let wiki = Upstream::start(|request: &Request| match request.parameter("meta") {
        Some("siteinfo") => {
            let general = json!({"query": {"general": {"sitename": "Testpedia"}}});
            Reply::json(200, general.to_string())
        }
        _ => mediawiki::error(),
    });
    let engine = Upstream::always(searxng::sample("normal.json"));
    let llm = model::chat(model::Script::says("yes"));
    let (wiki_url, engine_url, llm_url) = (wiki.url(), engine.url(), llm.at("/v1"));
    let settings = [
        ("WIKIPEDIA_BASE_URL", wiki_url.as_str()),
        ("SEARXNG_BASE_URL", engine_url.as_str()),
        ("LLM_BASE_URL", llm_url.as_str()),
        ("LLM_MODEL", "mock-gpt"),
        ("REDIS_URL", redis_url.as_str()),
        CORPUS,
    ];
    let place = folder();
    let output = check_config(&place, &settings);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown = stdout(&output);
    let rows = [
        "ok    redis       version ",
        "ok    history     SQLite file ./data/privachat.db: will be made",
        "ok    local       1 files, not indexed yet",
        "ok    wikipedia   Testpedia",
        "ok    searxng",
        "ok    parser      documents are parsed without access to files and network",
        "ok    model",
        "off   serperdev",
    ];
    for row in rows {
        assert!(shown.contains(row), "{row:?} is not in {shown}");
    }
    assert!(
        !shown.contains("FAIL") && !shown.contains("warn"),
        "{shown}"
    );
    assert!(!place.path().join("data/privachat.db").exists());
}

#[tokio::test]
async fn check_config_looks_at_redis_and_says_what_to_change() {
    let arguments = ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"];
    let forgetful = RedisServer::with(redis::Options {
        arguments: arguments.map(str::to_owned).to_vec(),
        ..redis::Options::default()
    })
    .await;
    let replica = RedisServer::with(redis::Options {
        aof: true,
        tcp: true,
        arguments: ["--replicaof", "127.0.0.1", "1"]
            .map(str::to_owned)
            .to_vec(),
    })
    .await;
    let volatile = RedisServer::start().await;
    let check = |redis_url: &str, corpus: &str| {
        let settings = [("REDIS_URL", redis_url), ("CORPUS_PATHS", corpus)];
        let output = check_config(&folder(), &settings);
        (output.status.code(), stdout(&output))
    };
    let (code, shown) = check(&forgetful.url(), "docs");
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("FAIL  redis       maxmemory-policy is allkeys-lru"),
        "{shown}"
    );
    assert!(shown.contains("set it to noeviction"), "{shown}");
    let (code, shown) = check(&replica.url(), "docs");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("name its master"), "{shown}");
    let (code, shown) = check("redis://user:hunter2@127.0.0.1:1/0", "docs");
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("FAIL  redis       Redis does not answer"),
        "{shown}"
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("127.0.0.1"),
        "{shown}"
    );
    // It works, for as long as that Redis runs.
    let (code, shown) = check(&volatile.url(), "docs");
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("warn  redis       appendonly is off"),
        "{shown}"
    );
    let (code, shown) = check(&volatile.url(), "/nonexistent");
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("FAIL  local       /nonexistent in CORPUS_PATHS is not there"),
        "{shown}"
    );
}

#[test]
fn check_config_fails_and_names_each_setting_that_is_wrong() {
    let engine = Upstream::always(searxng::json_disabled());
    let llm = Upstream::always(model::bad_key());
    let (engine_url, llm_url) = (engine.url(), llm.at("/v1"));
    let settings = [
        ("SEARXNG_BASE_URL", engine_url.as_str()),
        ("LLM_BASE_URL", llm_url.as_str()),
        ("LLM_MODEL", "mock-gpt"),
        ("LLM_API_KEY", "key-of-the-test"),
    ];
    let output = check_config(&folder(), &settings);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let shown = stdout(&output);
    for part in [
        "FAIL  searxng",
        "search.formats",
        "FAIL  model",
        "LLM_API_KEY",
        "off   wikipedia",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    assert!(shown.contains("No search provider works"), "{shown}");
    assert!(!shown.contains("key-of-the-test"), "{shown}");
}

#[tokio::test]
async fn check_config_says_what_stands_in_the_way_of_an_encrypted_database() {
    let server = PostgresServer::shared().await;
    let check = |parameters: &str| {
        let url = server
            .database()
            .replace("privachat@", "privachat:hunter2@")
            + parameters;
        let output = check_config(&folder(), &[("DATABASE_URL", &url)]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let shown = stdout(&output);
        assert!(!shown.contains("hunter2"), "{shown}");
        shown
    };
    let shown = check("?sslmode=require");
    assert!(
        shown.contains("FAIL  history     the history database offers no encryption"),
        "{shown}"
    );
    assert!(shown.contains("sslmode=disable"), "{shown}");
    let shown = check("?sslmode=verify-full&sslrootcert=nowhere/ca.pem");
    assert!(
        shown.contains("FAIL  history     sslrootcert in DATABASE_URL names nowhere/ca.pem"),
        "{shown}"
    );
}
