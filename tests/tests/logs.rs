//! One request id and one session id through both processes.

use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, Upstream, binaries};
use reqwest::Method;
use serde_json::{Value, json};

fn lines(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn about<'a>(lines: &'a [Value], id: &'a str) -> Vec<&'a Value> {
    lines
        .iter()
        .filter(|line| line["session_id"] == id)
        .collect()
}

#[tokio::test]
async fn both_processes_name_the_request_and_the_search_in_every_line_of_it() {
    let engine: Upstream = searxng::finding(searxng::about_python());
    // Fails in passing once, so that the worker has more to say.
    (0..3).for_each(|_| engine.next(Reply::json(503, "{}")));
    let mut stack = Stack::builder(binaries!())
        .searching(&engine)
        .env("LOG_FORMAT", "json")
        .env("FETCH_ALLOW_HOSTS", "nowhere.invalid")
        .start()
        .await;
    let post = stack
        .client()
        .request(Method::POST, "/api/v1/search")
        .header("x-request-id", "mine-7")
        .json(&json!({"query": "What is Python?", "mode": "speed", "async_mode": true}));
    let accepted = stack.client().send(post).await.expect(200);
    let id = accepted["session_id"].as_str().unwrap();
    stack.client().wait_completed(id).await;

    let api = lines(&stack.api.process().output());
    let of_request: Vec<&Value> = api
        .iter()
        .filter(|line| line["request_id"] == "mine-7")
        .collect();
    let says =
        |lines: &[&Value], message: &str| lines.iter().any(|line| line["message"] == message);
    assert!(
        says(&of_request, "accepted") && says(&of_request, "answered"),
        "{api:#?}"
    );
    assert!(
        of_request.iter().all(|line| line["session_id"] == id),
        "{of_request:#?}"
    );

    let worker = lines(&stack.workers[0].process().output());
    let of_search = about(&worker, id);
    for message in [
        "started",
        "failed for a passing reason; trying again",
        "ended",
    ] {
        assert!(says(&of_search, message), "{message}: {worker:#?}");
    }
    assert!(
        of_search.iter().all(|line| line["request_id"] == "mine-7"),
        "{of_search:#?}"
    );
    for line in of_request.into_iter().chain(of_search) {
        let names: Vec<&String> = line.as_object().unwrap().keys().take(6).collect();
        let expected = [
            "timestamp",
            "level",
            "target",
            "request_id",
            "session_id",
            "message",
        ];
        assert_eq!(names, expected);
    }
}
