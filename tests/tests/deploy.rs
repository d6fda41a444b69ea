//! What the deploy files promise to each other.

use std::collections::{BTreeMap, BTreeSet};

use privachat_core::settings::SETTINGS;
use privachat_tests::sources;

/// Read by compose, by the images of others or by `make run`, and by no binary of ours.
const NOT_OURS: [&str; 5] = [
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "SEARXNG_SECRET",
    "CORPUS",
];

fn settings() -> BTreeMap<&'static str, &'static str> {
    let table = SETTINGS.iter();
    table
        .map(|setting| (setting.name, setting.default))
        .collect()
}

/// `NAME=value` of each line, commented out or not.
fn example() -> BTreeMap<String, String> {
    let example = sources::file(".env.example").text;
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

/// `NAME` of each `  NAME: value` line.
fn compose_settings() -> BTreeSet<String> {
    let compose = sources::file("docker-compose.yml").text;
    let names = compose
        .lines()
        .filter_map(|line| line.trim().split_once(':'));
    names
        .map(|(name, _)| name)
        .filter(|name| is_setting(name) && !NOT_OURS.contains(name))
        .map(String::from)
        .collect()
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
fn every_line_of_the_example_is_a_comment_a_setting_or_what_compose_needs() {
    let example = sources::file(".env.example").text;
    for line in example
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (name, _) = line.split_once('=').expect(line);
        assert!(NOT_OURS.contains(&name), "{line}: set, not shown");
    }
}

#[test]
fn compose_passes_on_every_setting_that_makes_sense_in_a_container_and_no_other() {
    // Files and folders of this machine, and one name for several workers.
    let outside = [
        "API_ADDR_FILE",
        "METRICS_ADDR_FILE",
        "DATA_DIR",
        "WORKER_NAME",
    ];
    let expected: BTreeSet<String> = settings()
        .into_keys()
        .filter(|name| !outside.contains(name))
        .map(String::from)
        .collect();
    assert_eq!(compose_settings(), expected);
}

#[test]
fn a_worker_is_given_longer_to_stop_than_it_takes_to_drain() {
    let compose = sources::file("docker-compose.yml").text;
    let (_, worker) = compose
        .split_once("\n  worker:\n")
        .expect("a service named worker");
    let value = |name: &str| {
        worker
            .lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .map(seconds)
    };
    let drain = value("DRAIN_SECONDS:").expect("DRAIN_SECONDS");
    let grace = value("stop_grace_period:").expect("stop_grace_period");
    assert!(
        grace >= drain + 10,
        "killed after {grace} s, drains for {drain} s"
    );
}

#[test]
fn ports_are_published_on_this_machine_alone_and_workers_can_be_scaled() {
    let compose = sources::file("docker-compose.yml").text;
    let published: Vec<&str> = compose
        .lines()
        .skip_while(|line| line.trim() != "ports:")
        .skip(1)
        .take(1)
        .collect();
    assert!(
        published.iter().all(|port| port.contains("\"127.0.0.1:")),
        "{published:?}"
    );
    assert_eq!(
        compose.matches("ports:").count(),
        1,
        "only the API is published"
    );
    assert!(!compose.contains("container_name:"));
}
