//! Addresses, methods, headers and ids that clients of the old service rely on.

use privachat_tests::{Client, HttpResponse, Stack, binaries};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "11111111-1111-1111-1111-111111111111";
const GETS: [&str; 7] = [
    "/",
    "/livez",
    "/readyz",
    "/api/v1/health",
    "/api/v1/search/status/11111111-1111-1111-1111-111111111111",
    "/api/v1/sessions/11111111-1111-1111-1111-111111111111",
    "/api/openapi.json",
];

async fn api() -> Stack {
    Stack::builder(binaries!()).workers(0).start().await
}

fn method_not_allowed() -> Value {
    json!({"detail": "Method Not Allowed"})
}

#[tokio::test]
async fn a_wrong_method_is_405_with_the_methods_that_are_allowed() {
    let stack = api().await;
    let client = stack.client();
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = client.send(client.request(method, "/api/v1/search")).await;
        assert_eq!(answer.expect(405), method_not_allowed());
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for path in GETS {
        for method in [Method::POST, Method::PATCH] {
            let answer = client.send(client.request(method, path)).await;
            assert_eq!(answer.expect(405), method_not_allowed(), "{path}");
            let allowed = answer.header("allow").unwrap();
            assert!(
                allowed.starts_with("GET") && allowed.ends_with("HEAD"),
                "{path}: {allowed}"
            );
        }
    }
}

#[tokio::test]
async fn a_trailing_slash_redirects_and_keeps_method_and_body() {
    let stack = api().await;
    let client = stack.client();
    let request = client
        .request(Method::POST, "/api/v1/search/")
        .json(&json!({"query": "x"}));
    let answer = client.send(request).await;
    assert_eq!((answer.status, answer.text.as_str()), (307, ""));
    let location = answer.header("location").expect("a location");
    assert!(location.ends_with("/api/v1/search"), "{location}");
}

#[tokio::test]
async fn unknown_paths_are_404_with_the_body_that_clients_know() {
    let stack = api().await;
    let paths = [
        "/nothing",
        "/api",
        "/api/v1/",
        "/api/v1/search/status",
        "/api/v1/research",
        "/api/v1/documents",
        "/%00",
        "/../etc/passwd",
    ];
    for path in paths {
        let answer = stack.client().get(path).await;
        assert_eq!(answer.expect(404), json!({"detail": "Not Found"}), "{path}");
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
}

#[tokio::test]
async fn an_id_may_have_every_form_of_a_uuid() {
    let stack = api().await;
    let id = stack.client().enqueue(json!({"query": "x"})).await;
    let plain = id.replace('-', "");
    for spelling in [
        id.clone(),
        plain.clone(),
        id.to_uppercase(),
        plain.to_uppercase(),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
    ] {
        let answer = stack.client().status(&spelling).await.expect(200);
        assert_eq!(answer["session_id"], id.as_str(), "{spelling}");
        let session = stack
            .client()
            .get(&format!("/api/v1/sessions/{spelling}"))
            .await
            .expect(200);
        assert_eq!(session["id"], id.as_str(), "{spelling}");
    }
}

#[tokio::test]
async fn an_unknown_id_is_404_and_named_in_its_usual_form() {
    let stack = api().await;
    let job =
        json!({"detail": format!("Job not found: session_id={UNKNOWN} (expired or invalid)")});
    let session = json!({"detail": {"error": "session_not_found", "message": format!("Session {UNKNOWN} not found")}});
    for spelling in [
        UNKNOWN.to_owned(),
        UNKNOWN.replace('-', ""),
        format!("%7B{UNKNOWN}%7D"),
        format!("urn:uuid:{UNKNOWN}"),
    ] {
        assert_eq!(stack.client().status(&spelling).await.expect(404), job);
        let answer = stack
            .client()
            .get(&format!("/api/v1/sessions/{spelling}"))
            .await;
        assert_eq!(answer.expect(404), session);
    }
}

#[tokio::test]
async fn a_malformed_id_is_422_in_the_words_that_clients_know() {
    let stack = api().await;
    let reason = "invalid length: expected length 32 for simple format, found 3";
    let expected = json!({"detail": [{
        "type": "uuid_parsing", "loc": ["path", "session_id"], "input": "abc",
        "msg": format!("Input should be a valid UUID, {reason}"), "ctx": {"error": reason},
    }]});
    for path in ["/api/v1/search/status/abc", "/api/v1/sessions/abc"] {
        assert_eq!(stack.client().get(path).await.expect(422), expected);
    }
    for odd in [
        "zzzzzzzz-1111-1111-1111-111111111111",
        "%F0%9F%A6%80",
        "%ff%fe",
        "11111111-1111-1111-1111-1111111111111",
    ] {
        let answer = stack.client().status(odd).await;
        assert_eq!(
            answer.expect(422)["detail"][0]["type"],
            "uuid_parsing",
            "{odd}"
        );
    }
}

#[tokio::test]
async fn the_wait_of_a_poll_is_a_number_of_seconds_within_its_bounds() {
    let stack = api().await;
    let id = stack.client().enqueue(json!({"query": "x"})).await;
    for bad in ["-1", "61", "soon", "1.5", ""] {
        let answer = stack
            .client()
            .get(&format!("/api/v1/search/status/{id}?wait={bad}"))
            .await;
        assert_eq!(
            answer.expect(422)["detail"][0]["loc"],
            json!(["query", "wait"]),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_the_clients_own_if_it_sent_a_sensible_one() {
    let stack = api().await;
    let client = stack.client();
    for path in
        GETS.into_iter()
            .chain(["/nothing", "/api/docs", "/api/v1/search", "/api/v1/search/"])
    {
        let first = client.get(path).await;
        let second = client.get(path).await;
        let id = first.header("x-request-id").expect(path);
        assert!(
            uuid::Uuid::try_parse(id).is_ok() && second.header("x-request-id") != Some(id),
            "{path}"
        );
        let echoed = client
            .send(
                client
                    .request(Method::GET, path)
                    .header("X-Request-Id", "mine-1"),
            )
            .await;
        assert_eq!(echoed.header("x-request-id"), Some("mine-1"), "{path}");
    }
    for odd in ["with space".to_owned(), "x".repeat(129)] {
        let answer = client
            .send(
                client
                    .request(Method::GET, "/livez")
                    .header("X-Request-Id", &odd),
            )
            .await;
        assert_ne!(answer.header("x-request-id"), Some(odd.as_str()));
    }
}

#[tokio::test]
async fn health_and_root_say_what_this_is() {
    let stack = Stack::builder(binaries!())
        .workers(0)
        .env("ENVIRONMENT", "staging")
        .start()
        .await;
    let health = stack.client().get("/api/v1/health").await.expect(200);
    assert_eq!(
        (&health["status"], &health["environment"]),
        (&json!("healthy"), &json!("staging"))
    );
    assert_eq!(
        members(&health),
        ["status", "service", "version", "environment"]
    );
    let root = stack.client().get("/").await.expect(200);
    assert_eq!(
        members(&root),
        ["service", "version", "docs", "health", "status"]
    );
    for link in ["docs", "health"] {
        let answer = stack.client().get(root[link].as_str().unwrap()).await;
        assert!(answer.status < 400, "{link}: {}", answer.status);
    }
}

fn members(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

async fn api_with_cors(origins: &str) -> Stack {
    Stack::builder(binaries!())
        .workers(0)
        .env("CORS_ORIGINS", origins)
        .start()
        .await
}

async fn preflight(client: &Client, origin: &str) -> HttpResponse {
    let request = client
        .request(Method::OPTIONS, "/api/v1/search")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type,x-foo");
    client.send(request).await
}

#[tokio::test]
async fn a_preflight_from_an_allowed_origin_lists_what_is_allowed() {
    let stack = api_with_cors("http://x.test,http://y.test").await;
    for origin in ["http://x.test", "http://y.test"] {
        let answer = preflight(stack.client(), origin).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        let methods = answer
            .header("access-control-allow-methods")
            .expect("methods");
        assert!(
            ["GET", "POST", "DELETE"]
                .iter()
                .all(|method| methods.contains(method)),
            "{methods}"
        );
        let headers = answer
            .header("access-control-allow-headers")
            .expect("headers")
            .to_lowercase();
        assert!(
            headers.contains("content-type") && headers.contains("x-foo"),
            "{headers}"
        );
        assert!(
            answer
                .headers
                .get_all("vary")
                .iter()
                .any(|vary| vary.to_str().unwrap().contains("Origin"))
        );
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_answers_and_refusals_alike() {
    let stack = api_with_cors("http://x.test").await;
    let client = stack.client();
    for (method, path, status) in [
        (Method::GET, "/api/v1/health", 200),
        (Method::POST, "/api/v1/search", 422),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/api/v1/search", 405),
    ] {
        let answer = client
            .send(
                client
                    .request(method, path)
                    .header("Origin", "http://x.test"),
            )
            .await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("http://x.test"),
            "{path}"
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .expect("exposed headers")
            .to_lowercase();
        assert!(
            exposed.contains("x-request-id") && exposed.contains("location"),
            "{exposed}"
        );
    }
}

#[tokio::test]
async fn other_origins_may_not_read() {
    let strict = api_with_cors("http://x.test").await;
    let foreign = preflight(strict.client(), "http://evil.test").await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    assert!(foreign.header("x-request-id").is_some());
    let get = strict
        .client()
        .request(Method::GET, "/api/v1/health")
        .header("Origin", "http://evil.test");
    let answer = strict.client().send(get).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);

    let closed = api().await;
    let unconfigured = preflight(closed.client(), "http://x.test").await;
    assert_eq!(unconfigured.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn any_origin_may_be_allowed_but_then_without_credentials() {
    let stack = api_with_cors("*").await;
    let answer = preflight(stack.client(), "http://anywhere.test").await;
    let allowed = answer.header("access-control-allow-origin");
    assert!(
        matches!(allowed, Some("*" | "http://anywhere.test")),
        "{allowed:?}"
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn the_address_file_names_the_chosen_port() {
    let stack = api().await;
    let written = std::fs::read_to_string(stack.folder().join("api.addr")).unwrap();
    assert_eq!(format!("http://{}", written.trim()), stack.client().base());
}
