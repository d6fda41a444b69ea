//! Liveness and readiness: the worker's probes, and the commands that query them.

use std::process::Output;
use std::time::Duration;

use privachat_tests::process::isolated;
use privachat_tests::scrape::{speed, watched, web, worker_port};
use privachat_tests::{Client, binaries, eventually};

const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_draining_worker_is_alive_and_not_ready() {
    let web = web();
    let mut stack = watched(binaries!(), &web).await;
    let port = worker_port(&stack).await;
    let hangs = stack.client().enqueue(speed("hang on")).await;
    web.wait_for_calls(1).await;
    stack.workers[0].process().term();
    let stopping = eventually("it reports that it stops", TIMEOUT, async || {
        let answer = port.get("/readyz").await;
        (answer.status == 503).then(|| answer.json())
    })
    .await;
    assert!(
        stopping["reason"].as_str().unwrap().contains("stopping"),
        "{stopping}"
    );
    assert_eq!(port.status_of("/livez").await, Some(200));
    stack
        .client()
        .delete(&format!("/api/v1/search/{hangs}"))
        .await;
    assert_eq!(stack.workers[0].process().exit_code(TIMEOUT).await, 0);
    assert_eq!(port.status_of("/livez").await, None);
}

fn run(binary: &str, settings: &[(&str, &str)]) -> Output {
    isolated(binary)
        .env("WIKIPEDIA_BASE_URL", "off")
        .envs(settings.iter().copied())
        .arg("healthcheck")
        .output()
        .unwrap()
}

/// The single line that names the problem.
fn failure_line(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[tokio::test]
async fn the_healthcheck_of_each_binary_reports_readiness() {
    let web = web();
    let mut stack = watched(binaries!(), &web).await;
    let worker = worker_port(&stack).await;
    let port_of = |client: &Client| client.base().rsplit(':').next().unwrap().to_owned();
    let api_port = port_of(stack.client());
    let worker_port = port_of(&worker);
    let api = [("API_PORT", api_port.as_str()), ("API_HOST", "0.0.0.0")];
    let worker = [
        ("METRICS_PORT", worker_port.as_str()),
        ("METRICS_HOST", "0.0.0.0"),
    ];

    for (binary, settings) in [(binaries!().api, api), (binaries!().worker, worker)] {
        let healthy = run(binary, &settings);
        assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
        assert!(healthy.stderr.is_empty(), "{healthy:?}");
    }
    let not_ready = || {
        for (binary, settings) in [(binaries!().api, api), (binaries!().worker, worker)] {
            let message = failure_line(&run(binary, &settings));
            assert!(message.to_lowercase().contains("redis"), "{message}");
        }
    };
    stack.redis.pause();
    not_ready();
    stack.redis.resume();
    stack.redis.kill();
    not_ready();
    stack.api.process().kill();
    stack.workers[0].process().kill();
    for (binary, settings) in [(binaries!().api, api), (binaries!().worker, worker)] {
        let message = failure_line(&run(binary, &settings));
        assert!(message.contains("does not answer"), "{message}");
    }
    let unset = failure_line(&run(binaries!().worker, &[]));
    assert!(unset.contains("METRICS_PORT"), "{unset}");
}

#[tokio::test]
async fn a_port_in_use_is_named_at_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let web = web();
    let mut stack = watched(binaries!(), &web).await;
    let worker = stack.add_worker_with(&[("METRICS_PORT", &port.to_string())]);
    assert_eq!(worker.process().exit_code(TIMEOUT).await, 1);
    let message = worker.process().output();
    assert!(
        message.contains("set METRICS_HOST or METRICS_PORT"),
        "{message}"
    );
}
