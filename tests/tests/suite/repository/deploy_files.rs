//! The deploy files are consistent with each other.

use std::collections::{BTreeMap, BTreeSet};

use privachat_core::settings::SETTINGS;
use privachat_tests::project_files;
use serde_json::Value;

/// Read by compose or by `make run`, and by none of the binaries. scripts/deploy/compose.py
/// compares them with compose.
const NOT_OURS: [&str; 13] = [
    "CORPUS",
    "WORKERS",
    "SECRETS",
    "API_BIND",
    "PROXY_BIND",
    "HTTP_PORT",
    "HTTPS_PORT",
    "PROXY_DOMAIN",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
    "PRIVACHAT_IMAGES",
    "PRIVACHAT_VERSION",
    "PRIVACHAT_PROFILE",
];

fn settings() -> BTreeMap<&'static str, &'static str> {
    let table = SETTINGS.iter();
    table
        .map(|setting| (setting.name, setting.default))
        .collect()
}

/// `NAME=value` of each line, commented out or not.
fn example() -> BTreeMap<String, String> {
    let example = project_files::file(".env.example").text;
    let lines = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='));
    lines
        .filter(|(name, _)| is_setting(name) && !NOT_OURS.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn is_setting(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn seconds(text: &str) -> u32 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a number of seconds")
}

#[test]
fn the_example_explains_every_setting_with_its_default_and_no_other() {
    let known: BTreeMap<String, String> = settings()
        .into_iter()
        .map(|(name, default)| (name.to_owned(), default.to_owned()))
        .collect();
    assert_eq!(example(), known);
}

#[test]
fn the_example_sets_nothing() {
    let example = project_files::file(".env.example").text;
    for line in example.lines() {
        assert!(
            line.is_empty() || line.starts_with('#'),
            "{line}: set, not shown"
        );
    }
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let start = format!("{name}:");
    let found = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&start));
    found.unwrap_or_else(|| panic!("no {name}")).trim()
}

#[test]
fn a_pod_has_more_time_to_stop_than_it_needs() {
    let config = project_files::file("deploy/kubernetes/config.yaml").text;
    let drain = seconds(value(&config, "DRAIN_SECONDS"));
    let delay = seconds(value(&config, "SHUTDOWN_DELAY_SECONDS"));
    for (name, takes) in [("api", delay + drain), ("worker", drain)] {
        let pod = project_files::file(&format!("deploy/kubernetes/{name}.yaml")).text;
        let grace = seconds(value(&pod, "terminationGracePeriodSeconds"));
        assert!(
            grace >= takes + 15,
            "Kubernetes: {name} is killed after {grace} s, takes {takes} s"
        );
    }
}

/// Whether the value of a setting is or may contain a secret.
fn is_secret(name: &str) -> bool {
    let ends = ["_KEY", "_KEYS", "_SECRET", "_URL"];
    ends.iter().any(|end| name.ends_with(end)) && !name.ends_with("_BASE_URL")
}

/// `NAME` of each `NAME: value` line.
fn names(text: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.trim().split_once(':'));
    names
        .map(|(name, _)| name)
        .filter(|name| is_setting(name) && !NOT_OURS.contains(name))
        .map(String::from)
        .collect()
}

#[test]
fn the_kubernetes_manifests_set_existing_settings() {
    let known = settings();
    for (file, holds_secrets) in [("config.yaml", false), ("secret.yaml", true)] {
        let names = names(&project_files::file(&format!("deploy/kubernetes/{file}")).text);
        assert!(names.len() >= 5, "{file}: {names:?}");
        for name in names {
            assert!(
                known.contains_key(name.as_str()),
                "{file}: {name} is no setting"
            );
            assert_eq!(is_secret(&name), holds_secrets, "{file}: {name}");
        }
    }
}

fn chart_schema() -> Value {
    let schema = project_files::file("deploy/helm/privachat/values.schema.json").text;
    serde_json::from_str(&schema).expect("the schema of the chart's values")
}

fn choices(schema: &Value) -> BTreeSet<String> {
    let choices = schema["enum"].as_array().expect("an enum");
    let names = choices.iter().filter_map(Value::as_str);
    names.map(String::from).collect()
}

#[test]
fn the_chart_accepts_every_setting_of_a_pod_and_no_other() {
    // Files of this machine, and one name or folder for several pods.
    let outside = [
        "API_ADDR_FILE",
        "METRICS_ADDR_FILE",
        "WORKER_NAME",
        "DATA_DIR",
    ];
    let schema = chart_schema();
    let config = choices(&schema["properties"]["config"]["propertyNames"]);
    let mut secrets = choices(&schema["definitions"]["apiSecret"]);
    secrets.extend(choices(&schema["definitions"]["workerSecret"]));
    for (names, secret) in [(&config, false), (&secrets, true)] {
        for name in names {
            assert_eq!(is_secret(name), secret, "{name}");
        }
    }
    let known = settings().into_keys().map(String::from);
    let expected: BTreeSet<String> = known
        .filter(|name| !outside.contains(&name.as_str()))
        .collect();
    assert_eq!(&config | &secrets, expected);

    let values = names(&project_files::file("deploy/helm/privachat/values.yaml").text);
    assert!(values.len() >= 20, "{values:?}");
    assert!(values.is_subset(&expected), "{values:?}");
}

#[test]
fn the_image_is_built_with_the_oldest_supported_rust() {
    let image = project_files::file("deploy/Dockerfile").text;
    let manifest = project_files::file("Cargo.toml").text;
    let promised = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("rust-version");
    let built_by = image
        .lines()
        .find_map(|line| line.strip_prefix("FROM rust:"))
        .expect("the image of Rust");
    assert!(built_by.starts_with(promised), "{built_by}, {promised}");
}
