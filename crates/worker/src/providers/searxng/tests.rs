use super::*;
use crate::{
    providers::tests::{assert_valid, body, hint, json, parameter, question, serve, soon},
    upstream::{
        client, fixture,
        fuzz::{arbitrary_json, damaged},
    },
};
use proptest::prelude::*;
use std::time::Duration;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param},
};

mod requests;

fn captured(name: &str) -> Vec<u8> {
    fixture::bytes(&format!("searxng/{name}"))
}

fn client_for(server: &MockServer) -> Searxng {
    Searxng::new(&Url::parse(&server.uri()).unwrap(), client().unwrap())
}

async fn search_captured(name: &str) -> ProviderResponse {
    let server = serve(json(captured(name))).await;
    client_for(&server)
        .search(&question("asyncio queue"), soon())
        .await
        .unwrap()
}

async fn failure(answer: ResponseTemplate) -> ProviderError {
    let server = serve(answer).await;
    client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn captured_results_are_read_in_order() {
    let found = search_captured("normal.json").await;
    assert_eq!(found.hits.len(), 10);
    let first = found.hits.first().unwrap();
    assert_eq!(first.title, "Queues");
    assert_eq!(
        first.url,
        "http://127.0.0.1:8889/library/asyncio-queue.html"
    );
    assert!(first.snippet.contains("asyncio queues are designed"));
    let positions: Vec<usize> = found.hits.iter().map(|hit| hit.position).collect();
    assert_eq!(positions, (1..=10).collect::<Vec<_>>());
    assert!(found.notices.is_empty());
}

#[tokio::test]
async fn results_without_an_address_are_dropped() {
    assert_eq!(
        search_captured("keyvalue-command.json").await,
        ProviderResponse::default()
    );
    assert_eq!(
        search_captured("noresults.json").await,
        ProviderResponse::default()
    );
    assert_eq!(
        search_captured("answer-avg.json").await,
        ProviderResponse::default()
    );
}

#[tokio::test]
async fn infobox_is_a_hit() {
    let found = search_captured("infobox-suggestions.json").await;
    let [hit] = found.hits.as_slice() else {
        panic!("{:?}", found.hits);
    };
    assert_eq!((hit.title.as_str(), hit.position), ("asyncio", 1));
    assert_eq!(
        hit.snippet,
        "asyncio is a library to write concurrent code."
    );
}

#[tokio::test]
async fn unresponsive_engines_are_reported() {
    let mixed = search_captured("mixed-one-dead.json").await;
    assert_eq!(mixed.hits.len(), 10);
    let expected =
        "some engines of SearXNG did not answer: dead-refused (Suspended: HTTP connection error)";
    assert_eq!(mixed.notices, [expected]);

    let dead = search_captured("dead-engines.json").await;
    assert_eq!(
        (dead.silence, mixed.silence),
        (Some(EngineFailure::Refused), None)
    );
    assert!(dead.hits.is_empty());
    let notice = dead.notices.first().unwrap();
    assert!(
        notice.contains("found nothing") && notice.contains("dead-slow (timeout)"),
        "{notice}"
    );
}

#[tokio::test]
async fn slow_and_refusing_engines_are_distinguished() {
    for (messages, expected) in [
        (&["timeout"][..], EngineFailure::Late),
        (&["Suspended: timeout", "HTTP error"], EngineFailure::Late),
        (
            &["timeout", "Suspended: too many requests"],
            EngineFailure::Refused,
        ),
        (&["access denied"], EngineFailure::Refused),
        (&["Suspended: CAPTCHA"], EngineFailure::Refused),
        (
            &["parsing error", "HTTP connection error"],
            EngineFailure::Failed,
        ),
    ] {
        let engines: Vec<_> = messages.iter().map(|text| ["engine", text]).collect();
        let body = serde_json::json!({"results": [], "unresponsive_engines": engines});
        let server = serve(json(body.to_string())).await;
        let found = client_for(&server)
            .search(&question("x"), soon())
            .await
            .unwrap();
        assert_eq!(found.silence, Some(expected), "{messages:?}");
    }
}

#[tokio::test]
async fn malformed_fields_affect_only_their_result() {
    let text = r#"{"results": [
        {"url": "", "title": "empty"}, {"url": 5}, null, "x", {"title": "none"},
        {"url": "ftp://h/f", "title": "ftp"}, {"url": "javascript:alert(1)"},
        {"url": "https://a.example/1", "title": "<b>Bold</b> &amp; more", "content": null, "publishedDate": "2024-05-01T10:00:00", "category": "science"},
        {"url": "https://a.example/2", "title": null, "content": "a &lt;T&gt; <em>x</em>", "category": "news", "publishedDate": 7},
        {"url": "https://a.example/1", "title": "again", "content": "longer now"}
    ], "unresponsive_engines": [["a"], "b", [1, 2]], "infoboxes": null}"#;
    let server = serve(json(text)).await;
    let found = client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap();
    let [paper, news] = found.hits.as_slice() else {
        panic!("{:?}", found.hits);
    };
    assert_eq!(
        (paper.title.as_str(), paper.snippet.as_str()),
        ("Bold & more", "longer now")
    );
    assert_eq!(paper.source_type, SourceType::Academic);
    assert_eq!(
        paper.published.unwrap().to_rfc3339(),
        "2024-05-01T10:00:00+00:00"
    );
    assert_eq!(
        (news.title.as_str(), news.snippet.as_str()),
        ("a.example", "a <T> x")
    );
    assert_eq!((news.source_type, news.published), (SourceType::News, None));
    assert_eq!(
        found.notices,
        ["some engines of SearXNG did not answer: a (no answer)"]
    );
}

#[tokio::test]
async fn results_are_limited() {
    let server = serve(json(captured("normal.json"))).await;
    let query = ProviderQuery {
        limit: 3,
        ..question("x")
    };
    assert_eq!(
        client_for(&server)
            .search(&query, soon())
            .await
            .unwrap()
            .hits
            .len(),
        3
    );
    assert_eq!(
        parameter(&server, "categories").await.as_deref(),
        Some("general")
    );
    assert_eq!(parameter(&server, "language").await, None);
}

#[tokio::test]
async fn disabled_json_format_names_the_setting() {
    let error = failure(body(403, captured("json-disabled-403.html"), "text/html")).await;
    assert!(hint(&error).contains("json under search.formats"));
}

#[tokio::test]
async fn rate_limit_names_the_limiter_setting() {
    let error = failure(body(429, captured("limiter-429.html"), "text/html")).await;
    assert!(matches!(
        error,
        ProviderError::RateLimited {
            retry_after: None,
            ..
        }
    ));
    assert!(error.hint().unwrap().contains("limiter: false"));
}

#[tokio::test]
async fn redirect_is_not_followed_and_names_the_setting() {
    let answer = ResponseTemplate::new(302).insert_header("location", "https://elsewhere.example/");
    assert!(hint(&failure(answer).await).contains("SEARXNG_BASE_URL"));
}

#[tokio::test]
async fn bad_parameter_is_named_without_its_value() {
    let error = failure(body(400, captured("bad-language.json"), "application/json")).await;
    let shown = error.to_string();
    assert!(
        shown.contains("parameter language") && !shown.contains("!!"),
        "{shown}"
    );
    assert!(matches!(error, ProviderError::Refused { .. }));
}

#[tokio::test]
async fn unexpected_formats_are_malformed() {
    for (text, reason) in [
        ("<!doctype html><html>", "HTML instead of JSON"),
        ("{\"results\": [", "not JSON"),
        ("[]", "JSON, but not an object"),
        ("{\"hello\": 1}", "no list of results"),
        ("", "not JSON"),
    ] {
        let error = failure(json(text)).await;
        assert!(
            matches!(&error, ProviderError::Malformed { reason: told, .. } if told == reason),
            "{error}"
        );
    }
    let huge = failure(json(vec![b' '; 4_100_000])).await;
    assert!(matches!(huge, ProviderError::Malformed { .. }));
}

#[tokio::test]
async fn server_error_is_transient() {
    let error = failure(ResponseTemplate::new(502)).await;
    assert!(matches!(&error, ProviderError::Unavailable { reason, .. } if reason == "HTTP 502"));
    assert!(error.is_transient());
    let server = serve(ResponseTemplate::new(200).set_delay(Duration::from_secs(60))).await;
    let deadline = Deadline::after(Duration::from_millis(50));
    let late = client_for(&server)
        .search(&question("x"), deadline)
        .await
        .unwrap_err();
    assert_eq!(
        late,
        ProviderError::TimedOut {
            provider: "searxng"
        }
    );
}

#[tokio::test]
async fn probe_reports_results_and_settings() {
    let server = serve(json(captured("mixed-one-dead.json"))).await;
    let report = client_for(&server).probe(soon()).await.unwrap();
    assert!(report.starts_with("10 results; some engines"), "{report}");
    let server = serve(json(captured("dead-engines.json"))).await;
    assert!(client_for(&server).probe(soon()).await.is_err());
    let server = serve(body(403, captured("json-disabled-403.html"), "text/html")).await;
    let error = client_for(&server).probe(soon()).await.unwrap_err();
    assert!(error.hint.unwrap().contains("search.formats"));
}

const MEMBERS: [&str; 11] = [
    "results",
    "title",
    "url",
    "content",
    "publishedDate",
    "category",
    "infoboxes",
    "infobox",
    "id",
    "urls",
    "unresponsive_engines",
];

fn samples() -> Vec<Vec<u8>> {
    [
        "normal",
        "infobox-suggestions",
        "mixed-one-dead",
        "dead-engines",
    ]
    .map(|name| captured(&format!("{name}.json")))
    .to_vec()
}

#[tokio::test]
async fn notice_about_many_engines_is_short() {
    let engines: Vec<[String; 2]> = (0..500)
        .map(|number| [format!("engine {number}"), "timeout ".repeat(500)])
        .collect();
    let body = serde_json::json!({"results": [], "unresponsive_engines": engines});
    let server = serve(json(body.to_string())).await;
    let found = client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap();
    let [notice] = found.notices.as_slice() else {
        panic!("{} notices", found.notices.len());
    };
    assert!(notice.chars().count() <= 1000, "{notice}");
    assert!(notice.contains("engine 0 (timeout"), "{notice}");
    assert!(notice.ends_with("and 490 more"), "{notice}");
}

proptest! {
    #[test]
    fn hits_are_valid_for_any_response(
        results in arbitrary_json(&MEMBERS), infoboxes in arbitrary_json(&MEMBERS), engines in arbitrary_json(&MEMBERS),
        limit in 0_usize..5,
    ) {
        let body = serde_json::json!({
            "results": [results, {"url": "https://a.example/1", "title": infoboxes}],
            "infoboxes": [infoboxes], "unresponsive_engines": engines,
        });
        let reply = UpstreamResponse {
            status: reqwest::StatusCode::OK,
            retry_after: None, through_proxy: false,
            body: body.to_string().into_bytes(),
        };
        let found = parse_response(&reply, limit, Utc::now()).unwrap();
        assert_valid(&found.hits);
        prop_assert!(found.hits.len() <= limit);
    }

    #[test]
    fn damaged_response_is_read_or_rejected(body in damaged(samples(), &MEMBERS)) {
        let reply = UpstreamResponse { status: reqwest::StatusCode::OK, retry_after: None, through_proxy: false, body };
        if let Ok(found) = parse_response(&reply, 10, Utc::now()) {
            assert_valid(&found.hits);
            prop_assert!(found.hits.len() <= 10);
            for notice in found.notices {
                prop_assert!(notice.chars().count() <= 1000, "{}", notice);
            }
        }
    }

    #[test]
    fn arbitrary_bodies_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..80), status in 200_u16..600) {
        let status = reqwest::StatusCode::from_u16(status).unwrap();
        let reply = UpstreamResponse { status, retry_after: None, through_proxy: false, body };
        prop_assert!(parse_response(&reply, 5, Utc::now()).is_err());
    }
}

#[tokio::test]
async fn malformed_result_affects_no_other() {
    let good = r#"{"results": [BROKEN {"title": "TEXT", "url": "https://a.example/", "score": 12.5},
        {"title": "Other", "url": "https://b.example/", "content": "Words"}], "unresponsive_engines": []}"#;
    crate::providers::tests::assert_tolerates_malformed(good, 2, async |base| {
        let searxng = Searxng::new(&Url::parse(&base).unwrap(), client().unwrap());
        searxng.search(&question("x"), soon()).await
    })
    .await;
}
