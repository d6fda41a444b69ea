//! Validation of requests and the errors for invalid ones.

use privachat_tests::{Client, HttpResponse, Stack, binaries, captured_bodies};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

const SEARCH: &str = "/api/v1/search";

async fn api() -> Stack {
    Stack::builder(binaries!())
        .workers(0)
        .env("CORPUS_PATHS", "docs")
        .env("WIKIPEDIA_BASE_URL", "off")
        .start()
        .await
}

async fn post_json(client: &Client, body: impl Into<reqwest::Body>) -> HttpResponse {
    let request = client
        .request(Method::POST, SEARCH)
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    client.send(request).await
}

/// Posts an asynchronous search with one more field.
async fn post_with(client: &Client, member: &str, value: Value) -> HttpResponse {
    let mut request = json!({"query": "x", "async_mode": true});
    request[member] = value;
    client.post_search(request).await
}

/// The kinds and the fields of the reported errors.
fn faults(answer: &HttpResponse) -> Vec<(String, String)> {
    let body = answer.expect(422);
    let detail = body["detail"].as_array().expect("a list of faults").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    detail
        .iter()
        .map(|fault| (text(&fault["type"]), text(&fault["loc"][1])))
        .collect()
}

fn fault(kind: &str, member: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), member.to_owned())]
}

/// Recorded answers in rows of the form `--- path :: body`, the answer, `[status type]`.
fn recorded() -> Vec<(String, Value)> {
    let text = captured_bodies::text("old-service/validation.txt");
    let rows = text.split("--- ").filter_map(|row| {
        let (head, rest) = row.split_once('\n')?;
        let (_, body) = head.split_once(" :: ")?;
        let answer = rest.lines().next()?;
        Some((body.to_owned(), serde_json::from_str(answer).ok()?))
    });
    rows.collect()
}

#[tokio::test]
async fn every_recorded_bad_request_is_answered_as_the_old_service_did() {
    // Two engines were added, and the message names them.
    let grown = |mut recorded: Value| {
        let old = "'searxng', 'serperdev', 'perplexity' or 'auto'";
        let new = "'searxng', 'serperdev', 'perplexity', 'auto', 'wikipedia' or 'local'";
        let text = recorded.to_string().replace(old, new);
        recorded = serde_json::from_str(&text).unwrap();
        recorded
    };
    let stack = api().await;
    let rows = recorded();
    assert_eq!(rows.len(), 21, "rows of the recording");
    for (body, expected) in rows {
        let answer = post_json(stack.client(), body.clone()).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.expect(422), grown(expected), "answer to {body}");
    }
}

#[tokio::test]
async fn all_errors_of_a_request_come_in_one_answer_in_the_order_of_the_fields() {
    let stack = api().await;
    let answer = stack
        .client()
        .post_search(json!({
            "query": " ", "mode": 1, "max_sources": 51, "timeout": "soon", "model": {}, "search_engine": "bing",
            "prompt_strategy": "z", "enable_diversity": null, "enable_recency": 2, "enable_query_aware": [],
            "async_mode": "maybe", "ttl_seconds": 59, "cache": "perhaps",
        }))
        .await;
    let expected = [
        ("value_error", "query"),
        ("literal_error", "mode"),
        ("less_than_equal", "max_sources"),
        ("int_parsing", "timeout"),
        ("string_type", "model"),
        ("literal_error", "search_engine"),
        ("literal_error", "prompt_strategy"),
        ("bool_type", "enable_diversity"),
        ("bool_parsing", "enable_recency"),
        ("bool_type", "enable_query_aware"),
        ("bool_parsing", "async_mode"),
        ("greater_than_equal", "ttl_seconds"),
        ("bool_parsing", "cache"),
    ];
    let expected = expected.map(|(kind, member)| (kind.to_owned(), member.to_owned()));
    assert_eq!(faults(&answer), expected);
}

#[tokio::test]
async fn every_bound_holds_and_includes_its_value() {
    let stack = api().await;
    for (member, least, most) in [
        ("max_sources", 5, 50),
        ("timeout", 10, 300),
        ("ttl_seconds", 60, 604_800),
    ] {
        for good in [least, most] {
            post_with(stack.client(), member, json!(good))
                .await
                .expect(200);
        }
        let below = post_with(stack.client(), member, json!(least - 1)).await;
        assert_eq!(faults(&below), fault("greater_than_equal", member));
        let above = post_with(stack.client(), member, json!(most + 1)).await;
        assert_eq!(faults(&above), fault("less_than_equal", member));
        let huge = post_with(stack.client(), member, json!(u64::MAX)).await;
        assert_eq!(faults(&huge), fault("less_than_equal", member));
    }
}

#[tokio::test]
async fn numbers_and_booleans_may_have_the_forms_that_the_old_service_accepted() {
    let stack = api().await;
    for ten in [
        json!(10),
        json!(10.0),
        json!("10"),
        json!(" 10 "),
        json!("10.0"),
    ] {
        post_with(stack.client(), "max_sources", ten)
            .await
            .expect(200);
    }
    for word in [
        "true", "True", "yes", "on", "y", "t", "1", "false", "no", "OFF", "n", "f", "0",
    ] {
        post_with(stack.client(), "enable_recency", json!(word))
            .await
            .expect(200);
    }
    for number in [json!(0), json!(1), json!(1.0)] {
        post_with(stack.client(), "cache", number).await.expect(200);
    }
    for word in ["yes", "on", "1", "true"] {
        let answer = post_with(stack.client(), "async_mode", json!(word))
            .await
            .expect(200);
        assert_eq!(answer["status"], "pending", "async_mode {word:?}");
    }
}

#[tokio::test]
async fn null_stands_for_the_default_except_where_a_boolean_is_expected() {
    let stack = api().await;
    let request = json!({
        "query": "x", "mode": null, "max_sources": null, "timeout": null, "model": null, "search_engine": null,
        "prompt_strategy": null, "ttl_seconds": null, "async_mode": true,
    });
    let accepted = stack.client().post_search(request).await.expect(200);
    assert_eq!(accepted["mode"], "balanced");
    for member in [
        "enable_diversity",
        "enable_recency",
        "enable_query_aware",
        "async_mode",
        "cache",
    ] {
        let answer = post_with(stack.client(), member, Value::Null).await;
        assert_eq!(faults(&answer), fault("bool_type", member));
    }
}

#[tokio::test]
async fn unknown_members_are_ignored() {
    let stack = api().await;
    post_with(stack.client(), "no_such_member", json!({"a": [1]}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_query_has_1_to_5000_code_points_counted_before_it_is_trimmed() {
    let stack = api().await;
    let padded = format!("{}x{}", " ".repeat(2500), " ".repeat(2499));
    for (query, echoed) in [
        ("x".to_owned(), "x".to_owned()),
        ("ü".repeat(5000), "ü".repeat(5000)),
        ("🦀".repeat(5000), "🦀".repeat(5000)),
        (padded.clone(), "x".to_owned()),
        ("\n\t what? \u{3000}".to_owned(), "what?".to_owned()),
    ] {
        let accepted = post_with(stack.client(), "query", json!(query))
            .await
            .expect(200);
        assert_eq!(accepted["query"], echoed);
    }
    // Such a character takes twelve bytes when escaped.
    let escaped = format!(
        r#"{{"query":"{}","async_mode":true}}"#,
        "\\ud83e\\udd80".repeat(5000)
    );
    post_json(stack.client(), escaped).await.expect(200);

    for query in ["x".repeat(5001), "🦀".repeat(5001), format!("{padded} ")] {
        let answer = post_with(stack.client(), "query", json!(query)).await;
        assert_eq!(faults(&answer), fault("string_too_long", "query"));
        let detail = answer.json()["detail"][0].clone();
        assert_eq!(detail["msg"], "String should have at most 5000 characters");
        assert_eq!(detail["ctx"], json!({"max_length": 5000}));
    }
}

#[tokio::test]
async fn a_query_of_nothing_but_white_space_is_blank_in_every_script() {
    let stack = api().await;
    for query in [" ", "\n\t\r", "\u{a0}", "\u{3000}", "\u{2003}\u{2028}"] {
        let answer = post_with(stack.client(), "query", json!(query)).await;
        assert_eq!(faults(&answer), fault("value_error", "query"), "{query:?}");
    }
}

#[tokio::test]
async fn control_characters_are_accepted_escaped_and_refused_raw() {
    let stack = api().await;
    let odd = "a\u{1}b\u{7}c\u{202e}d\u{feff}e";
    let accepted = post_with(stack.client(), "query", json!(odd))
        .await
        .expect(200);
    assert_eq!(accepted["query"], odd);
    let id = accepted["session_id"].as_str().unwrap();
    assert_eq!(stack.client().status(id).await.expect(200)["query"], odd);

    let raw = post_json(stack.client(), &b"{\"query\":\"a\x07b\"}"[..]).await;
    let detail = raw.expect(422)["detail"][0].clone();
    assert_eq!(detail["type"], "json_invalid");
    assert_eq!(detail["ctx"]["error"], "Invalid control character");
}

#[tokio::test]
async fn an_engine_that_is_not_configured_is_refused_with_the_missing_setting() {
    let stack = api().await;
    for (engine, setting) in [
        ("searxng", "SEARXNG_BASE_URL"),
        ("serperdev", "SERPER_API_KEY"),
        ("perplexity", "PERPLEXITY_API_KEY"),
        ("wikipedia", "WIKIPEDIA_BASE_URL"),
    ] {
        let answer = post_with(stack.client(), "search_engine", json!(engine)).await;
        assert_eq!(
            faults(&answer),
            fault("search_engine_unavailable", "search_engine")
        );
        let detail = answer.json()["detail"][0].clone();
        assert!(
            detail["msg"].as_str().unwrap().contains(setting),
            "{detail}"
        );
        assert_eq!(
            (&detail["input"], &detail["ctx"]["setting"]),
            (&json!(engine), &json!(setting))
        );
    }
    for engine in ["local", "auto"] {
        post_with(stack.client(), "search_engine", json!(engine))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn an_idempotency_key_has_1_to_255_visible_characters() {
    let stack = api().await;
    let client = stack.client();
    let keyed = |key: String| {
        client
            .request(Method::POST, SEARCH)
            .header("Idempotency-Key", key)
            .json(&json!({"query": "x", "async_mode": true}))
    };
    client.send(keyed("k".repeat(255))).await.expect(200);
    for bad in [String::new(), "k".repeat(256), "schlüssel".to_owned()] {
        let refused = client.send(keyed(bad)).await.expect(400);
        assert_eq!(refused["error"], "bad_idempotency_key");
    }
}
