//! API keys: without one, a client reaches only the public endpoints.

use privachat_tests::upstream::searxng;
use privachat_tests::{HttpResponse, Stack, Upstream, binaries};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use uuid::Uuid;

const KEY: &str = "planted-api-key-5c7e2a";
const OPEN: [&str; 4] = ["/", "/livez", "/readyz", "/api/v1/health"];

async fn guarded(web: &Upstream) -> Stack {
    Stack::builder(binaries!())
        .with_searxng(web)
        .api_env("API_KEYS", format!("first-key-of-somebody, alice:{KEY}"))
        .start()
        .await
}

fn assert_refused(refused: &HttpResponse, what: &str) {
    assert_eq!(refused.expect(401)["error"], "unauthorized", "{what}");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{what}");
    assert!(refused.header("x-request-id").is_some(), "{what}");
}

#[tokio::test]
async fn without_a_key_only_probes_and_documents_are_open() {
    let web = searxng::finding(searxng::about_python());
    let stack = guarded(&web).await;
    let client = stack.client();
    let document = client.get("/api/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 8);
    for (path, methods) in paths {
        let address = path.replace("{session_id}", &Uuid::new_v4().to_string());
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = client.send(client.request(method, &address)).await;
            if OPEN.contains(&path.as_str()) {
                assert_eq!(answer.status, 200, "{path}");
            } else {
                assert_refused(&answer, path);
            }
        }
    }
    assert_refused(&client.get("/api/v1/none").await, "an unknown path");
    assert_eq!(client.get("/sign-in").await.status, 200);
}

#[tokio::test]
async fn a_known_key_is_accepted_in_every_way_to_send_it() {
    let web = searxng::finding(searxng::about_python());
    let stack = guarded(&web).await;
    let client = stack.client();
    let list = || client.request(Method::GET, "/api/v1/sessions");
    let ways: [RequestBuilder; 3] = [
        list().bearer_auth(KEY),
        list().header("Authorization", format!("bearer {KEY}")),
        list().header("X-API-Key", "first-key-of-somebody"),
    ];
    for way in ways {
        client.send(way).await.expect(200);
    }
    for wrong in [
        "",
        "x",
        "planted-api-key-5c7e2b",
        "alice:planted-api-key-5c7e2a",
    ] {
        let sent = list().header("X-API-Key", wrong);
        assert_refused(&client.send(sent).await, wrong);
    }
}

#[tokio::test]
async fn a_browser_signs_in_once_and_its_cookie_is_hidden_from_scripts_and_other_sites() {
    let web = searxng::finding(searxng::about_python());
    let stack = guarded(&web).await;
    let client = stack.client();
    let sign_in = |key: &str| {
        let request = client.request(Method::POST, "/api/v1/sign-in");
        client.send(request.json(&json!({"key": key})))
    };
    assert_refused(&sign_in("none of them at all").await, "a wrong key");
    let signed = sign_in(KEY).await;
    assert_eq!(signed.status, 204);
    let cookie = signed.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let request = client
        .request(Method::POST, "/api/v1/search")
        .header("Cookie", pair)
        .json(&json!({"query": "What is Python?", "mode": "speed"}));
    let answer = client.send(request).await.expect(200);
    let id = answer["session_id"].as_str().unwrap();
    let stream = client.events_request(id, "").header("Cookie", pair);
    assert!(client.send(stream).await.text.contains("event: completed"));
    let out = client
        .request(Method::DELETE, "/api/v1/sign-in")
        .header("Cookie", pair);
    let out = client.send(out).await;
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn the_cookie_is_secure_when_the_browser_connection_is_encrypted() {
    let web = searxng::finding(searxng::about_python());
    let stack = guarded(&web).await;
    let cookie = async |scheme: &str| {
        let request = stack.client().request(Method::POST, "/api/v1/sign-in");
        let request = request
            .header("X-Forwarded-Proto", scheme)
            .json(&json!({"key": KEY}));
        let signed = stack.client().send(request).await;
        signed.header("set-cookie").unwrap().to_owned()
    };
    assert!(cookie("https").await.contains("; Secure"));
    assert!(!cookie("http").await.contains("Secure"));
}

#[tokio::test]
async fn a_cookie_opens_no_websocket_for_another_site_and_a_key_does() {
    let stack = Stack::builder(binaries!())
        .workers(0)
        .api_env("API_KEYS", format!("alice:{KEY}"))
        .api_env("CORS_ORIGINS", "*")
        .start()
        .await;
    let alice = stack.client().with_key(KEY);
    let id = alice
        .enqueue(json!({"query": "What is Python?", "mode": "speed"}))
        .await;
    let own = stack.client().base();
    let cookie = format!("privachat_key={KEY}");
    let bearer = format!("Bearer {KEY}");
    let elsewhere = "http://127.0.0.1:3000";
    for (origin, name, value, status) in [
        (own, "cookie", &cookie, 101),
        (elsewhere, "cookie", &cookie, 401),
        ("null", "cookie", &cookie, 401),
        (elsewhere, "authorization", &bearer, 101),
    ] {
        let path = format!("/api/v1/search/{id}/ws");
        let request = stack
            .client()
            .request(Method::GET, &path)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==")
            .header("origin", origin)
            .header(name, value);
        let status_of_answer = request.send().await.unwrap().status().as_u16();
        assert_eq!(status_of_answer, status, "{origin} with {name}");
    }
}

#[tokio::test]
async fn a_refused_key_is_logged_once_and_not_shown() {
    let web = searxng::finding(searxng::about_python());
    let mut stack = guarded(&web).await;
    let wrong = "planted-wrong-key-8d1f";
    let sent = stack.client().with_key(wrong);
    assert_refused(&sent.get("/api/v1/sessions").await, "a wrong key");
    let log = stack.api.process().output();
    assert_eq!(log.matches("unauthorized").count(), 1, "{log}");
    for key in [wrong, KEY, "first-key-of-somebody"] {
        assert!(!log.contains(key), "{log}");
    }
    assert!(log.contains("no key may read the queue"), "{log}");
}
