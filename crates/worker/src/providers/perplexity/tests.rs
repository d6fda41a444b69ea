use super::*;
use crate::{
    providers::tests::{assert_valid, hint, json as answer, question, serve, soon},
    upstream::{
        client,
        fuzz::{arbitrary_json, damaged},
    },
};
use proptest::prelude::*;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

/// A response with the documented fields.
fn documented_response() -> Value {
    json!({
        "id": "1", "model": "sonar", "object": "chat.completion", "created": 1,
        "usage": {"prompt_tokens": 8, "completion_tokens": 12, "total_tokens": 20, "search_context_size": "low"},
        "citations": ["https://a.example/1", "not an address", "https://b.example/2"],
        "search_results": [
            {"title": "Second", "url": "https://b.example/2", "date": "2024-05-01", "snippet": "About b."},
            {"title": "First", "url": "https://a.example/1", "date": null},
            {"title": "Uncited", "url": "https://c.example/3"}
        ],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "<think>x</think>A is [1]. B is [3][2]."}}]
    })
}

fn client_for(server: &MockServer) -> Perplexity {
    let base = Url::parse(&server.uri()).unwrap();
    Perplexity::new(Some(&base), Secret::new("pplx-1"), client().unwrap())
}

async fn search(body: &Value) -> ProviderResponse {
    let server = serve(answer(body.to_string())).await;
    client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap()
}

#[tokio::test]
async fn numbers_in_the_answer_match_the_hits() {
    let found = search(&documented_response()).await;
    let shown: Vec<(&str, &str)> = found
        .hits
        .iter()
        .map(|hit| (hit.title.as_str(), hit.url.as_str()))
        .collect();
    let expected = [
        ("First", "https://a.example/1"),
        ("Second", "https://b.example/2"),
        ("Uncited", "https://c.example/3"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(found.answer.as_deref(), Some("A is [1]. B is [2]."));
    assert_eq!(found.usage.unwrap().total_tokens, 20);
    let second = found.hits.get(1).unwrap();
    assert_eq!(second.snippet, "About b.");
    assert_eq!(
        second.published.unwrap().to_rfc3339(),
        "2024-05-01T00:00:00+00:00"
    );
}

#[tokio::test]
async fn one_list_of_sources_is_enough() {
    let mut body = documented_response();
    body.as_object_mut().unwrap().remove("citations");
    let by_results = search(&body).await;
    assert_eq!(by_results.hits.first().unwrap().title, "Second");
    let mut body = documented_response();
    body.as_object_mut().unwrap().remove("search_results");
    let by_citations = search(&body).await;
    assert_eq!(by_citations.hits.len(), 2);
    assert_eq!(by_citations.hits.first().unwrap().title, "a.example");
}

#[tokio::test]
async fn numbers_are_removed_without_sources() {
    let body = json!({"choices": [{"message": {"content": "It is so [1]."}}]});
    let found = search(&body).await;
    assert_eq!(found.answer.as_deref(), Some("It is so."));
    assert!(found.hits.is_empty());
}

#[tokio::test]
async fn request_has_the_key_and_the_date_filters() {
    for (time_range, year, filter, value) in [
        (Some(TimeRange::Day), None, "search_recency_filter", "day"),
        (None, Some(2023), "search_after_date_filter", "1/1/2023"),
    ] {
        let server = MockServer::start().await;
        let mut expected = json!({
            "model": "sonar",
            "messages": [{"role": "user", "content": "news"}],
        });
        expected[filter] = json!(value);
        Mock::given(method("POST"))
            .and(path("/chat/completions"))
            .and(header("authorization", "Bearer pplx-1"))
            .and(body_json(expected))
            .respond_with(answer(documented_response().to_string()))
            .expect(1)
            .mount(&server)
            .await;
        let query = ProviderQuery {
            time_range,
            year,
            ..question("news")
        };
        client_for(&server).search(&query, soon()).await.unwrap();
    }
}

#[tokio::test]
async fn bad_key_and_malformed_response_are_distinguished() {
    let server = serve(ResponseTemplate::new(401).set_body_string("<html>401</html>")).await;
    let error = client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap_err();
    assert!(hint(&error).contains("PERPLEXITY_API_KEY"));
    let probe = client_for(&server).probe(soon()).await.unwrap_err();
    assert!(probe.hint.unwrap().contains("PERPLEXITY_API_KEY"));
    let server = serve(answer(r#"{"choices": []}"#)).await;
    let error = client_for(&server)
        .search(&question("x"), soon())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Malformed { .. }));
}

const MEMBERS: [&str; 8] = [
    "search_results",
    "citations",
    "title",
    "url",
    "snippet",
    "date",
    "usage",
    "total_tokens",
];

/// Whether each number in brackets belongs to a hit.
fn numbers_have_sources(found: &ProviderResponse) -> bool {
    let answer = found.answer.as_deref().unwrap_or_default();
    let inside = answer
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'));
    inside
        .filter_map(|(inside, _)| inside.parse::<usize>().ok())
        .all(|number| (1..=found.hits.len()).contains(&number))
}

proptest! {
    #[test]
    fn every_number_has_a_source_for_any_response(
        results in arbitrary_json(&MEMBERS), citations in arbitrary_json(&MEMBERS), usage in arbitrary_json(&MEMBERS),
        text in "(\\[[0-9]{1,3}\\]|[a-z. \\[]|<think>|</think>){0,12}",
    ) {
        let body = json!({
            "choices": [{"message": {"content": text}}],
            "search_results": [results, {"url": "https://a.example/1", "title": citations}],
            "citations": ["https://a.example/1", citations, "https://b.example/2"],
            "usage": usage,
        });
        let found = parse_response(&body, Utc::now()).unwrap();
        assert_valid(&found.hits);
        prop_assert!(numbers_have_sources(&found), "{:?}", found.answer);
    }

    #[test]
    fn hits_of_a_damaged_response_are_valid(
        body in damaged(vec![documented_response().to_string().into_bytes()], &MEMBERS),
    ) {
        let body = serde_json::from_slice(&body);
        if let Some(found) = body.ok().and_then(|body| parse_response(&body, Utc::now()).ok()) {
            assert_valid(&found.hits);
            prop_assert!(numbers_have_sources(&found), "{:?}", found.answer);
        }
    }
}

#[tokio::test]
async fn malformed_result_affects_no_other() {
    let good = r#"{"choices": [{"message": {"content": "Yes TEXT [1][2]."}}], "cost": 12.5,
        "search_results": [BROKEN {"title": "A", "url": "https://a.example/"},
        {"title": "B", "url": "https://b.example/"}]}"#;
    crate::providers::tests::assert_tolerates_malformed(good, 2, async |base| {
        let base = Url::parse(&base).unwrap();
        let perplexity = Perplexity::new(Some(&base), Secret::new("k"), client().unwrap());
        let found = perplexity.search(&question("x"), soon()).await?;
        let answer = found.answer.as_deref().unwrap();
        assert!(
            answer.starts_with("Yes") && answer.ends_with("[1][2]."),
            "{answer}"
        );
        Ok(found)
    })
    .await;
}

#[tokio::test]
async fn answer_is_bounded_and_has_no_invisible_characters() {
    let hidden: String = crate::cleaning::tests::unwanted().collect();
    for text in [format!("Y{hidden}es."), "word ".repeat(100_000)] {
        let body = serde_json::json!({"choices": [{"message": {"content": text}}]});
        let found = parse_response(&body, Utc::now()).unwrap();
        let answer = found.answer.unwrap();
        assert!(!answer.contains(crate::cleaning::is_invisible));
        assert!(answer.len() <= MAX_ANSWER_BYTES);
    }
}
