//! Settings: what is rejected at the start, and what --help lists.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use privachat_core::settings::SETTINGS;
use privachat_tests::process::{Process, isolated};
use privachat_tests::{Binaries, binaries};

const BOTH: [(&str, &str); 9] = [
    ("REDIS_URL", "gopher://planted-1"),
    ("DATABASE_URL", "mysql://planted-2"),
    ("JOB_TTL_SECONDS", "planted-3"),
    ("LOG_FORMAT", "planted-4"),
    ("LOG_LEVEL", "privachat=planted-5"),
    ("SEARXNG_BASE_URL", "planted-6"),
    ("SERPER_BASE_URL", "ftp://planted-7"),
    ("WIKIPEDIA_BASE_URL", "planted-8"),
    ("ALLOWED_HOSTS", "https://planted-0"),
];
const API: [(&str, &str); 3] = [
    ("API_PORT", "70000"),
    ("MAX_QUEUE_LENGTH", "-5"),
    ("SHUTDOWN_DELAY_SECONDS", "301"),
];
const WORKER: [(&str, &str); 18] = [
    ("WORKER_SLOTS", "0"),
    ("WORKER_SLOTS_BALANCED", "planted-9"),
    ("WORKER_SLOTS_DEEP", "1.5"),
    ("JOB_LEASE_SECONDS", "0"),
    ("JOB_MAX_ATTEMPTS", "0"),
    ("DRAIN_SECONDS", "-1"),
    ("CORPUS_BASE_URL", "planted-10"),
    ("LLM_BASE_URL", "planted-11"),
    ("PERPLEXITY_BASE_URL", "planted-12"),
    ("LLM_CONTEXT_TOKENS", "planted-13"),
    ("LLM_ANSWER_TOKENS", "1"),
    ("EMBEDDING_BASE_URL", "planted-14"),
    ("RERANK_BASE_URL", "planted-15"),
    ("CACHE_TTL_SECONDS", "86401"),
    ("PAGE_CACHE_TTL_SECONDS", "planted-16"),
    ("FETCH_ROBOTS", "planted-17"),
    ("HISTORY_DAYS", "-1"),
    ("HISTORY_MAX", "planted-18"),
];

fn run(binary: &str, arguments: &[&str]) -> Output {
    isolated(binary)
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// The output and exit code of a start with these settings.
async fn refused(binary: &str, settings: &[(&str, &str)]) -> (String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = isolated(binary);
    command
        .current_dir(folder.path())
        .envs(settings.iter().copied());
    let mut process = Process::spawn("binary", command, folder.path());
    let code = process.exit_code(Duration::from_secs(10)).await;
    (process.output(), code)
}

fn assert_refused(printed: &str, settings: &[(&str, &str)]) {
    for (name, value) in settings {
        assert!(printed.contains(name), "{name} is not named in: {printed}");
        let planted = value.split("//").last().unwrap_or(value);
        if planted.contains("planted") {
            assert!(
                !printed.contains(planted),
                "{planted} is shown in: {printed}"
            );
        }
    }
    assert!(!printed.contains("planted"), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
}

#[tokio::test]
async fn the_api_refuses_bad_settings_with_every_name_and_no_value() {
    // Only the worker checks base addresses of engines.
    let shared = &BOTH[..5];
    let bad: Vec<_> = shared.iter().chain(&API).copied().collect();
    let (printed, code) = refused(binaries!().api, &bad).await;
    assert_eq!(code, 1, "{printed}");
    assert_refused(&printed, &bad);
}

#[tokio::test]
async fn the_worker_refuses_bad_settings_with_every_name_and_no_value() {
    let bad: Vec<_> = BOTH.iter().chain(&WORKER).copied().collect();
    let (printed, code) = refused(binaries!().worker, &bad).await;
    assert_eq!(code, 1, "{printed}");
    assert_refused(&printed, &bad);
}

#[tokio::test]
async fn both_binaries_read_a_setting_from_the_file_named_in_its_file_variant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "gopher://planted-1\n").unwrap();
    let Binaries { api, worker } = binaries!();
    for binary in [api, worker] {
        let named = [("REDIS_URL_FILE", file.to_str().unwrap())];
        let (printed, code) = refused(binary, &named).await;
        assert_eq!(code, 1, "{printed}");
        assert_refused(&printed, &[("REDIS_URL", "gopher://planted-1")]);
    }
}

#[tokio::test]
async fn one_bad_setting_is_one_line_with_the_allowed_values() {
    let Binaries { api, worker } = binaries!();
    for (binary, name, value) in [
        (api, "API_PORT", "none"),
        (worker, "DRAIN_SECONDS", "soon"),
        (worker, "SEARXNG_BASE_URL", "localhost:8888"),
    ] {
        let (printed, code) = refused(binary, &[(name, value)]).await;
        assert_eq!(code, 1);
        let lines: Vec<&str> = printed.lines().filter(|line| line.contains(name)).collect();
        assert!(
            lines.len() == 1 && lines[0].contains("must be"),
            "{printed}"
        );
        assert!(!printed.contains(value), "{printed}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_a_failure_that_names_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (printed, code) = refused(
        binaries!().api,
        &[("API_PORT", &port), ("REDIS_URL", "redis://127.0.0.1:9/0")],
    )
    .await;
    assert_eq!(code, 1);
    assert!(printed.contains("API_PORT"), "{printed}");
}

#[test]
fn help_lists_every_setting_with_its_default() {
    let Binaries { api, worker } = binaries!();
    for binary in [api, worker] {
        let help = run(binary, &["--help"]);
        assert!(help.status.success());
        let text = String::from_utf8(help.stdout).unwrap();
        for setting in SETTINGS {
            let line = text
                .lines()
                .find(|line| line.split_whitespace().next() == Some(setting.name));
            let line =
                line.unwrap_or_else(|| panic!("{} is not in the help of {binary}", setting.name));
            assert!(
                line.contains(setting.meaning) && line.contains(setting.default),
                "{line}"
            );
        }
    }
}

#[test]
fn the_help_of_the_worker_lists_its_commands() {
    let text = String::from_utf8(run(binaries!().worker, &["--help"]).stdout).unwrap();
    for command in ["ask", "search", "read", "check-config"] {
        assert!(
            text.lines()
                .any(|line| line.split_whitespace().next() == Some(command)),
            "{command}: {text}"
        );
    }
}

#[test]
fn both_binaries_print_their_version_and_refuse_unknown_arguments() {
    let Binaries { api, worker } = binaries!();
    for binary in [api, worker] {
        let version = run(binary, &["--version"]);
        let text = String::from_utf8(version.stdout).unwrap();
        assert!(
            version.status.success() && text.contains(env!("CARGO_PKG_VERSION")),
            "{text}"
        );
        let unknown = run(binary, &["--no-such-flag"]);
        assert_eq!(unknown.status.code(), Some(2));
        assert!(Path::new(binary).is_file() && !unknown.stderr.is_empty());
    }
}
