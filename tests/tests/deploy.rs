//! What the deploy files promise to each other.

use std::collections::{BTreeMap, BTreeSet};

use privachat_core::settings::SETTINGS;
use privachat_tests::sources;

/// Read by compose, by the images of others or by `make run`, and by no binary of ours.
const NOT_OURS: [&str; 7] = [
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_HOST_AUTH_METHOD",
    "PRIVACHAT_REVISION",
    "CORPUS",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
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
        .filter(|name| is_setting(name) && !NOT_OURS.contains(name) && !name.starts_with("GF_"))
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
fn the_example_sets_nothing_so_that_a_copy_of_it_changes_nothing() {
    let example = sources::file(".env.example").text;
    for line in example.lines() {
        assert!(
            line.is_empty() || line.starts_with('#'),
            "{line}: set, not shown"
        );
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
        "REDIS_CA_FILE",
        "DATABASE_CA_FILE",
        "UPSTREAM_CA_FILE",
    ];
    let expected: BTreeSet<String> = settings()
        .into_keys()
        .filter(|name| !outside.contains(name))
        .map(String::from)
        .collect();
    assert_eq!(compose_settings(), expected);
}

/// What stands below `  name:` up to the next line that is not indented deeper.
fn service(compose: &str, name: &str) -> String {
    let below = compose
        .lines()
        .skip_while(|line| *line != format!("  {name}:"));
    let lines: Vec<&str> = below
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .collect();
    assert!(!lines.is_empty(), "a service named {name}");
    lines.join("\n")
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let start = format!("{name}:");
    let found = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&start));
    found.unwrap_or_else(|| panic!("no {name}")).trim()
}

#[test]
fn a_process_is_given_longer_to_stop_than_it_takes() {
    let compose = sources::file("docker-compose.yml").text;
    let drain = seconds(value(&compose, "DRAIN_SECONDS"));
    let delay = seconds(value(&service(&compose, "api"), "SHUTDOWN_DELAY_SECONDS"));
    for (name, takes) in [("api", delay + drain), ("worker", drain)] {
        let grace = seconds(value(&service(&compose, name), "stop_grace_period"));
        assert!(
            grace >= takes + 15,
            "compose: {name} is killed after {grace} s, takes {takes} s"
        );
    }

    let config = sources::file("deploy/kubernetes/config.yaml").text;
    let drain = seconds(value(&config, "DRAIN_SECONDS"));
    let delay = seconds(value(&config, "SHUTDOWN_DELAY_SECONDS"));
    for (name, takes) in [("api", delay + drain), ("worker", drain)] {
        let pod = sources::file(&format!("deploy/kubernetes/{name}.yaml")).text;
        let grace = seconds(value(&pod, "terminationGracePeriodSeconds"));
        assert!(
            grace >= takes + 15,
            "Kubernetes: {name} is killed after {grace} s, takes {takes} s"
        );
    }
}

#[test]
fn ports_are_published_on_this_machine_alone_and_workers_can_be_scaled() {
    let compose = sources::file("docker-compose.yml").text;
    let published: Vec<&str> = compose
        .split("\n    ports:\n")
        .skip(1)
        .filter_map(|rest| rest.lines().next())
        .map(str::trim)
        .collect();
    assert_eq!(published.len(), 3, "the API, Prometheus and Grafana");
    for port in &published {
        assert!(port.starts_with("- \"127.0.0.1:"), "{port}");
    }
    assert!(!compose.contains("container_name:"));
    assert!(!service(&compose, "worker").contains("ports:"));
}

#[test]
fn every_service_of_compose_is_shut_in_and_has_a_limit_a_health_check_and_an_image_of_one_version()
{
    let compose = sources::file("docker-compose.yml").text;
    let names = [
        "redis",
        "postgres",
        "searxng",
        "api",
        "worker",
        "prometheus",
        "grafana",
    ];
    let (_, shared) = compose
        .split_once("x-service: &service")
        .expect("what all share");
    for held in [
        "read_only: true",
        "cap_drop:\n    - ALL",
        "no-new-privileges:true",
    ] {
        assert!(shared.contains(held), "{held}");
    }
    for name in names {
        let service = service(&compose, name);
        assert!(service.contains("<<: *service"), "{name}");
        assert!(!service.contains("read_only:"), "{name}");
        assert!(service.contains("healthcheck:"), "{name}");
        assert!(service.contains("memory: "), "{name}");
        match service
            .lines()
            .find_map(|line| line.trim().strip_prefix("image: "))
        {
            None => assert!(service.contains("build:"), "{name}"),
            Some(image) => {
                let (_, tag) = image.split_once(':').expect(image);
                assert!(tag.contains('.'), "{image}: names no version");
            }
        }
    }
    let services = compose.split("\nservices:\n").nth(1).expect("services");
    let services = services.split("\nnetworks:\n").next().unwrap_or_default();
    let headings = services.lines().filter(|line| {
        let name = line
            .strip_prefix("  ")
            .and_then(|line| line.strip_suffix(':'));
        name.is_some_and(|name| name.chars().all(char::is_alphanumeric))
    });
    assert_eq!(
        headings.count(),
        names.len(),
        "a service that is not looked at here"
    );
}

#[test]
fn nothing_has_to_be_set_for_compose() {
    let compose = sources::file("docker-compose.yml").text;
    for place in compose
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
    {
        assert!(place.contains(":-"), "${{{place}}}: no default");
    }
}

#[test]
fn the_manifests_of_kubernetes_set_what_is_a_setting() {
    let known = settings();
    for file in ["config.yaml", "secret.yaml"] {
        let text = sources::file(&format!("deploy/kubernetes/{file}")).text;
        let names = text.lines().filter_map(|line| line.trim().split_once(':'));
        let names: Vec<&str> = names
            .map(|(name, _)| name)
            .filter(|name| is_setting(name))
            .collect();
        assert!(names.len() >= 5, "{file}: {names:?}");
        for name in names {
            assert!(known.contains_key(name), "{file}: {name} is no setting");
            let secret = ["KEY", "KEYS", "URL"].iter().any(|end| name.ends_with(end))
                && !name.ends_with("_BASE_URL");
            assert_eq!(secret, file == "secret.yaml", "{file}: {name}");
        }
    }
}

#[test]
fn the_image_is_built_by_the_oldest_rust_that_is_promised() {
    let image = sources::file("deploy/Dockerfile").text;
    let manifest = sources::file("Cargo.toml").text;
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
