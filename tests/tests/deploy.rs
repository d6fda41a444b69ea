//! What the deploy files promise to each other.

use std::collections::BTreeSet;

use privachat_core::settings::SETTINGS;
use privachat_tests::sources;

/// Names that compose fills in itself or that belong to the images of others.
const NOT_OURS: [&str; 2] = ["POSTGRES_USER", "POSTGRES_DB"];

fn example_settings() -> BTreeSet<String> {
    let example = sources::file(".env.example").text;
    let named = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='));
    named
        .map(|(name, _)| name)
        .filter(|name| is_setting(name))
        .map(String::from)
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
        .filter(|name| is_setting(name))
        .map(String::from)
        .collect()
}

fn seconds(text: &str) -> u32 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a number of seconds")
}

#[test]
fn every_setting_that_the_binaries_know_is_explained_in_the_example() {
    let example = example_settings();
    let known = SETTINGS.iter().map(|setting| setting.name);
    let unexplained: Vec<&str> = known.filter(|name| !example.contains(*name)).collect();
    assert!(
        unexplained.is_empty(),
        "not in .env.example: {unexplained:?}"
    );
}

#[test]
fn every_setting_of_the_compose_file_is_explained_in_the_example() {
    let example = example_settings();
    let unexplained: Vec<String> = compose_settings()
        .into_iter()
        .filter(|name| !example.contains(name) && !NOT_OURS.contains(&name.as_str()))
        .collect();
    assert!(
        unexplained.is_empty(),
        "not in .env.example: {unexplained:?}"
    );
}

#[test]
fn compose_passes_on_every_setting_that_the_example_explains() {
    // Read by compose itself, or meaningless in a container, or one name for several workers.
    let outside = ["CORPUS", "API_ADDR_FILE", "DATA_DIR", "WORKER_NAME"];
    let passed = compose_settings();
    let forgotten: Vec<String> = example_settings()
        .into_iter()
        .filter(|name| !passed.contains(name) && !outside.contains(&name.as_str()))
        .collect();
    assert!(
        forgotten.is_empty(),
        "not in docker-compose.yml: {forgotten:?}"
    );
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
