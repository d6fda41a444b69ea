use super::*;
use crate::{
    providers::tests::{assert_valid, body, hint, json as answer, question, serve, soon},
    upstream::{
        client,
        fuzz::{arbitrary_json, damaged},
    },
};
use chrono::TimeZone;
use proptest::prelude::*;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

/// A response with the documented fields.
fn documented_response() -> Value {
    json!({
        "searchParameters": {"q": "x", "type": "search", "engine": "google"},
        "answerBox": {"title": "Population", "answer": "5.1 million", "snippet": "Estimated in 2023.", "link": "https://stats.example/nz"},
        "knowledgeGraph": {"title": "New Zealand", "type": "Country", "description": "An island country.", "descriptionSource": "Wikipedia", "descriptionLink": "https://en.wikipedia.org/wiki/New_Zealand", "attributes": {"Capital": "Wellington"}},
        "organic": [
            {"title": "New Zealand", "link": "https://en.wikipedia.org/wiki/New_Zealand", "snippet": "New Zealand is an island country in the Pacific.", "position": 1},
            {"title": "News", "link": "https://news.example/a", "snippet": "…", "date": "3 days ago", "position": 2},
            {"title": "Old", "link": "https://old.example/b", "snippet": "…", "date": "Jan 2, 2024", "position": 3},
            {"title": "No link", "position": 4}
        ],
        "peopleAlsoAsk": []
    })
}

fn client_for(server: &MockServer) -> Serper {
    let base = Url::parse(&server.uri()).unwrap();
    Serper::new(Some(&base), Secret::new("k-1"), client().unwrap())
}

async fn failure(answer: ResponseTemplate) -> ProviderError {
    let server = serve(answer).await;
    client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap_err()
}

#[test]
fn answer_box_and_knowledge_panel_come_first() {
    let now = Utc.with_ymd_and_hms(2026, 11, 23, 0, 0, 0).unwrap();
    let hits = parse_hits(&documented_response(), now).finish(10);
    let urls: Vec<&str> = hits.iter().map(|hit| hit.url.as_str()).collect();
    let expected = [
        "https://stats.example/nz",
        "https://en.wikipedia.org/wiki/New_Zealand",
        "https://news.example/a",
        "https://old.example/b",
    ];
    assert_eq!(urls, expected);
    let [answer, panel, news, old] = hits.as_slice() else {
        panic!("{hits:?}");
    };
    assert_eq!(answer.snippet, "5.1 million. Estimated in 2023.");
    assert_eq!(
        panel.snippet,
        "New Zealand is an island country in the Pacific."
    );
    assert_eq!(
        news.published,
        Utc.with_ymd_and_hms(2026, 11, 20, 0, 0, 0).single()
    );
    assert_eq!(
        old.published,
        Utc.with_ymd_and_hms(2024, 1, 2, 0, 0, 0).single()
    );
}

#[tokio::test]
async fn request_has_the_key_and_the_documented_parameters() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/search"))
        .and(header("x-api-key", "k-1"))
        .and(body_json(
            json!({"q": "wetter", "num": 10, "hl": "de", "gl": "de", "tbs": "qdr:m"}),
        ))
        .respond_with(answer(documented_response().to_string()))
        .expect(1)
        .mount(&server)
        .await;
    let query = ProviderQuery {
        language: Some("de".to_owned()),
        time_range: Some(TimeRange::Month),
        ..question("wetter")
    };
    let found = client_for(&server).search(&query, soon()).await.unwrap();
    assert_eq!(found.hits.len(), 4);
}

#[tokio::test]
async fn bad_key_error_names_the_setting_and_not_the_key() {
    let unauthorised = body(
        403,
        r#"{"message":"Unauthorized.","statusCode":403}"#,
        "application/json",
    );
    let error = failure(unauthorised).await;
    assert!(hint(&error).contains("SERPER_API_KEY"));
    assert!(!format!("{error:?}").contains("k-1"));
}

#[tokio::test]
async fn exhausted_account_is_recognised() {
    let empty = body(
        400,
        r#"{"message":"Not enough credits","statusCode":400}"#,
        "application/json",
    );
    assert!(hint(&failure(empty).await).contains("credit"));
    assert!(hint(&failure(ResponseTemplate::new(402)).await).contains("credit"));
}

#[tokio::test]
async fn rate_limit_passes_on_retry_after() {
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "4");
    let expected = ProviderError::RateLimited {
        provider: "serperdev",
        retry_after: Some(std::time::Duration::from_secs(4)),
    };
    assert_eq!(failure(limited).await, expected);
}

#[tokio::test]
async fn response_without_results_is_an_empty_list() {
    let server = serve(answer(r#"{"organic": []}"#)).await;
    assert_eq!(
        client_for(&server)
            .search(&question("x"), soon())
            .await
            .unwrap(),
        ProviderResponse::default()
    );
    assert_eq!(
        client_for(&server).probe(soon()).await.unwrap(),
        "0 results"
    );
}

const MEMBERS: [&str; 9] = [
    "answerBox",
    "answer",
    "snippet",
    "title",
    "link",
    "date",
    "description",
    "descriptionLink",
    "website",
];

proptest! {
    #[test]
    fn hits_are_valid_for_any_response(
        organic in arbitrary_json(&MEMBERS), answer in arbitrary_json(&MEMBERS), panel in arbitrary_json(&MEMBERS),
    ) {
        let body = json!({
            "organic": [organic, {"link": "https://a.example/1", "snippet": answer}],
            "answerBox": answer, "knowledgeGraph": panel,
        });
        assert_valid(&super::parse_hits(&body, Utc::now()).finish(10));
    }

    #[test]
    fn hits_of_a_damaged_response_are_valid(
        body in damaged(vec![documented_response().to_string().into_bytes()], &MEMBERS),
    ) {
        if let Ok(body) = serde_json::from_slice(&body) {
            assert_valid(&super::parse_hits(&body, Utc::now()).finish(10));
        }
    }
}

#[tokio::test]
async fn date_filter_is_dropped_when_it_finds_nothing() {
    let server = MockServer::start().await;
    let today = us_date(Utc::now().date_naive());
    let dates = format!("cdr:1,cd_min:1/1/2023,cd_max:{today}");
    let dated = json!({"q": "prize 2023", "num": 10, "tbs": dates});
    let any = json!({"q": "prize 2023", "num": 10});
    for (body, found) in [
        (dated, json!({"organic": []})),
        (any, documented_response()),
    ] {
        Mock::given(body_json(body))
            .respond_with(answer(found.to_string()))
            .expect(1)
            .mount(&server)
            .await;
    }
    let query = ProviderQuery {
        year: Some(2023),
        ..question("prize 2023")
    };
    let found = client_for(&server).search(&query, soon()).await.unwrap();
    assert_eq!(found.hits.len(), 4);
}

#[tokio::test]
async fn malformed_result_affects_no_other() {
    let good = r#"{"organic": [BROKEN {"title": "TEXT", "link": "https://a.example/", "position": 12.5},
        {"title": "Other", "link": "https://b.example/", "snippet": "Words"}]}"#;
    crate::providers::tests::assert_tolerates_malformed(good, 2, async |base| {
        let base = Url::parse(&base).unwrap();
        let serper = Serper::new(Some(&base), Secret::new("k"), client().unwrap());
        serper.search(&question("x"), soon()).await
    })
    .await;
}
