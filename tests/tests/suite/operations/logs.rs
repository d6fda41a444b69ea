//! Request ids and session ids in the logs of both processes.

use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, Upstream, binaries};
use reqwest::Method;
use serde_json::{Value, json};

fn lines(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn of_session<'a>(lines: &'a [Value], id: &'a str) -> Vec<&'a Value> {
    lines
        .iter()
        .filter(|line| line["session_id"] == id)
        .collect()
}

#[tokio::test]
async fn both_processes_log_the_request_and_the_search_in_every_line() {
    let engine: Upstream = searxng::finding(searxng::about_python());
    // One transient failure, so that the worker logs more.
    (0..3).for_each(|_| engine.next(Reply::json(503, "{}")));
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&engine)
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
    let [answered] = of_request[..] else {
        panic!("one line for a request that is answered at once: {api:#?}");
    };
    assert_eq!(
        (
            &answered["message"],
            &answered["mode"],
            &answered["replayed"]
        ),
        (&json!("answered"), &json!("speed"), &json!(false))
    );
    assert!(
        of_request.iter().all(|line| line["session_id"] == id),
        "{of_request:#?}"
    );

    // Polls are logged at level `debug` only.
    assert!(api.iter().all(|line| line["method"] != "GET"), "{api:#?}");

    let worker = lines(&stack.workers[0].process().output());
    let of_search = of_session(&worker, id);
    for message in ["started", "attempt failed; trying again", "ended"] {
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

#[tokio::test]
async fn a_sync_search_is_logged_when_accepted_and_when_answered() {
    let engine = searxng::finding(searxng::about_python());
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&engine)
        .env("LOG_FORMAT", "json")
        .start()
        .await;
    let search = json!({"query": "What is Python?", "mode": "speed"});
    stack.client().post_search(search).await.expect(200);
    let api = lines(&stack.api.process().output());
    let logged = api.iter().filter(|line| line["mode"] == "speed");
    let logged: Vec<&Value> = logged.map(|line| &line["message"]).collect();
    assert_eq!(logged, ["accepted", "answered"], "{api:#?}");
}

#[tokio::test]
async fn a_read_request_is_logged_when_refused_or_at_debug_level() {
    let logged = async |level: &str| {
        let mut stack = Stack::builder(binaries!())
            .workers(0)
            .env("LOG_FORMAT", "json")
            .env("LOG_LEVEL", level)
            .start()
            .await;
        let status = "/api/v1/search/status";
        let unknown = format!("{status}/00000000-0000-4000-8000-000000000000");
        stack.client().get(&unknown).await.expect(404);
        stack.client().get("/api/v1/sessions").await.expect(200);
        let lines = lines(&stack.api.process().output());
        let answered = lines.iter().filter(|line| line["message"] == "answered");
        let routes = answered.map(|line| line["route"].as_str().unwrap().to_owned());
        let of_ours = |route: &String| route.contains("/status/") || route.ends_with("/sessions");
        routes.filter(of_ours).collect::<Vec<_>>()
    };
    let status = "/api/v1/search/status/{session_id}";
    assert_eq!(logged("info").await, [status]);
    let wanted = "info,privachat_api::request_log=debug";
    assert_eq!(logged(wanted).await, [status, "/api/v1/sessions"]);
}
