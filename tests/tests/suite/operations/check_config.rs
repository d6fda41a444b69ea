//! `check-config`: the problems that it finds and the advice that it gives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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
    let (wiki_url, engine_url, llm_url) = (wiki.url(), engine.url(), llm.url_for("/v1"));
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
        "ok    history     SQLite file ./data/privachat.db: will be created",
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
async fn check_config_inspects_redis_and_says_what_to_change() {
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
    // It works as long as that Redis runs.
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

/// Keeps every connection on this machine.
const OFFLINE: (&str, &str) = ("HTTPS_PROXY", "http://127.0.0.1:1");

#[tokio::test]
async fn without_internet_check_config_warns_of_wikipedia_and_fails_when_it_is_the_only_provider() {
    let redis = RedisServer::with_aof().await;
    let redis_url = redis.url();
    let check = |more: &[(&str, &str)]| {
        let settings = [
            ("WIKIPEDIA_BASE_URL", ""),
            ("REDIS_URL", &redis_url),
            OFFLINE,
        ];
        let output = check_config(&folder(), &[&settings, more].concat());
        (output.status.code(), stdout(&output))
    };
    let (code, shown) = check(&[CORPUS]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("warn  wikipedia"), "{shown}");
    assert!(shown.contains("set WIKIPEDIA_BASE_URL=off"), "{shown}");
    let (code, shown) = check(&[]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("FAIL  wikipedia"), "{shown}");
    // The operator chose this and needs the warning.
    let (code, shown) = check(&[
        CORPUS,
        ("WIKIPEDIA_BASE_URL", "https://wiki.invalid/w/api.php"),
    ]);
    assert_eq!(code, Some(1), "{shown}");
}

#[tokio::test]
async fn check_config_names_settings_that_compose_does_not_read_from_dotenv() {
    let redis = RedisServer::with_aof().await;
    let redis_url = redis.url();
    let settings = [
        ("REDIS_URL", redis_url.as_str()),
        ("DOTENV_REDIS_URL", "redis://:hunter2@elsewhere/0"),
        ("DOTENV_DRAIN_SECONDS", "5"),
        ("DOTENV_SEARXNG_BASE_URL", ""),
        CORPUS,
    ];
    let output = check_config(&folder(), &settings);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for name in ["REDIS_URL", "DRAIN_SECONDS"] {
        let row = format!("warn  settings    {name} in .env is not used");
        assert!(shown.contains(&row), "{shown}");
    }
    assert!(
        !shown.contains("hunter2") && !shown.contains("SEARXNG_BASE_URL in"),
        "{shown}"
    );
}

/// Runs `check-config` as a user who may read public files only.
fn check_config_as_a_stranger(folder: &TempDir, settings: &[(&str, &str)]) -> Output {
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    open(folder.path());
    let data = folder.path().join("data");
    fs::create_dir_all(&data).unwrap();
    open(&data);
    let mut command = if rustix::process::geteuid().is_root() {
        // That user has no access to the build folder.
        let program = folder.path().join("privachat-worker");
        fs::copy(binaries!().worker, &program).unwrap();
        open(&program);
        let mut command = isolated("setpriv");
        command
            .args(["--reuid=65532", "--regid=65532", "--clear-groups", "--"])
            .arg(program);
        command
    } else {
        isolated(binaries!().worker)
    };
    command
        .current_dir(folder.path())
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .arg("check-config")
        .output()
        .unwrap()
}

#[test]
fn check_config_counts_unreadable_files_of_the_corpus() {
    let place = folder();
    let docs = place.path().join("docs");
    fs::write(docs.join("secret.md"), "# Secret").unwrap();
    fs::create_dir(docs.join("closed")).unwrap();
    let close = |name: &str, mode| {
        fs::set_permissions(docs.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    close("secret.md", 0o000);
    close("closed", 0o000);
    let check = || stdout(&check_config_as_a_stranger(&place, &[CORPUS]));
    let shown = check();
    assert!(shown.contains("ok    local       1 files"), "{shown}");
    assert!(
        shown.contains("warn  local       2 of its files and folders cannot be read, 1 can"),
        "{shown}"
    );
    assert!(shown.contains("chmod -R a+rX"), "{shown}");
    close("tides.md", 0o000);
    let shown = check();
    assert!(
        shown.contains("FAIL  local       3 of its files"),
        "{shown}"
    );
    assert!(shown.contains("chmod -R a+rX"), "{shown}");
    // So that the folder can be removed.
    close("closed", 0o700);
}

#[tokio::test]
async fn a_corpus_in_which_nothing_can_be_found_is_a_failure() {
    let redis = RedisServer::with_aof().await;
    let redis_url = redis.url();
    let place = folder();
    fs::remove_file(place.path().join("docs/tides.md")).unwrap();
    let settings = [("REDIS_URL", redis_url.as_str()), CORPUS];
    let output = check_config(&place, &settings);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let shown = stdout(&output);
    assert!(
        shown.contains("FAIL  local       the corpus holds no document"),
        "{shown}"
    );
}

#[test]
fn check_config_fails_and_names_each_setting_that_is_wrong() {
    let engine = Upstream::always(searxng::json_disabled());
    let llm = Upstream::always(model::bad_key());
    let (engine_url, llm_url) = (engine.url(), llm.url_for("/v1"));
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
async fn check_config_names_the_obstacle_to_an_encrypted_database_connection() {
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
