//! What the deploy files promise to each other.

use std::collections::{BTreeMap, BTreeSet};

use privachat_core::settings::SETTINGS;
use privachat_tests::sources;
use serde_json::Value;

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
    let names = names(&compose).into_iter();
    names.filter(|name| !name.starts_with("GF_")).collect()
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

/// Whether a setting holds, or may hold, what nobody else may know.
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
fn the_manifests_of_kubernetes_set_what_is_a_setting() {
    let known = settings();
    for (file, holds_secrets) in [("config.yaml", false), ("secret.yaml", true)] {
        let names = names(&sources::file(&format!("deploy/kubernetes/{file}")).text);
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
    let schema = sources::file("deploy/helm/privachat/values.schema.json").text;
    serde_json::from_str(&schema).expect("the schema of the chart's values")
}

fn choices(schema: &Value) -> BTreeSet<String> {
    let choices = schema["enum"].as_array().expect("an enum");
    let names = choices.iter().filter_map(Value::as_str);
    names.map(String::from).collect()
}

#[test]
fn the_chart_takes_every_setting_that_a_pod_may_have_and_no_other() {
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

    let values = names(&sources::file("deploy/helm/privachat/values.yaml").text);
    assert!(values.len() >= 20, "{values:?}");
    assert!(values.is_subset(&expected), "{values:?}");
}

#[test]
fn on_kubernetes_each_process_is_given_the_secrets_that_compose_gives_it() {
    let compose = sources::file("docker-compose.yml").text;
    let (_, shared) = compose
        .split_once("x-shared-settings:")
        .expect("what both processes share");
    let (shared, _) = shared.split_once("\n\n").expect("its end");
    let base = sources::file("deploy/kubernetes/secret.yaml").text;
    let definitions = &chart_schema()["definitions"];
    let secrets = |text: &str| -> BTreeSet<String> {
        let names = names(text).into_iter();
        names.filter(|name| is_secret(name)).collect()
    };
    assert_eq!(choices(&definitions["sharedSecret"]), secrets(shared));
    for process in ["api", "worker"] {
        let expected = &secrets(shared) | &secrets(&service(&compose, process));
        let chart = choices(&definitions[format!("{process}Secret")]);
        assert_eq!(chart, expected, "the chart: {process}");
        let own = base
            .split("\n---\n")
            .find(|part| part.contains(&format!("name: privachat-{process}\n")))
            .map(secrets)
            .unwrap_or_default();
        assert!(own.len() >= 3, "{process}: {own:?}");
        assert!(own.is_subset(&expected), "{process}: {own:?}");
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
