use super::*;
use crate::{
    providers::tests::{assert_valid, hint, json, parameter, question, serve, soon},
    upstream::{
        client, fixture,
        fuzz::{arbitrary_json, damaged},
    },
};
use proptest::prelude::*;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header_regex, path, query_param},
};

fn client_for(server: &MockServer) -> Wikipedia {
    let base = Url::parse(&format!("{}/api.php", server.uri())).unwrap();
    Wikipedia::new(Some(base), client().unwrap())
}

async fn search(answer: impl Into<Vec<u8>>) -> ProviderResponse {
    let server = serve(json(answer)).await;
    client_for(&server)
        .search(&question("subprocess"), soon())
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
async fn article_without_an_address_is_linked_by_page_id() {
    let server = serve(json(fixture::json("mediawiki/generator.json"))).await;
    let found = client_for(&server)
        .search(&question("subprocess"), soon())
        .await
        .unwrap();
    let [hit] = found.hits.as_slice() else {
        panic!("{:?}", found.hits);
    };
    assert_eq!(hit.title, "Subprocess");
    assert_eq!(hit.url, format!("{}/index.php?curid=56", server.uri()));
    assert!(hit.snippet.starts_with("subprocess is documented here."));
}

#[tokio::test]
async fn articles_are_in_search_order_without_disambiguation_pages() {
    let text = r#"{"query": {"pages": [
        {"pageid": 3, "index": 3, "title": "Python", "fullurl": "https://en.wikipedia.org/wiki/Python", "pageprops": {"disambiguation": ""}},
        {"pageid": 2, "index": 2, "title": "C++", "fullurl": "https://en.wikipedia.org/wiki/C%2B%2B", "extract": "Templates such as vector<int> & more."},
        {"pageid": 1, "index": 1, "title": "Python (programming language)", "fullurl": "https://en.wikipedia.org/wiki/Python_(programming_language)", "extract": "Python is\na language."},
        {"title": "Gone", "missing": true, "index": 4}, {"title": "No number"}
    ]}}"#;
    let found = search(text).await;
    let shown: Vec<(&str, &str)> = found
        .hits
        .iter()
        .map(|hit| (hit.url.as_str(), hit.snippet.as_str()))
        .collect();
    let expected = [
        (
            "https://en.wikipedia.org/wiki/Python_(programming_language)",
            "Python is a language.",
        ),
        (
            "https://en.wikipedia.org/wiki/C%2B%2B",
            "Templates such as vector<int> & more.",
        ),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn response_without_pages_is_an_empty_list() {
    assert_eq!(
        search(r#"{"batchcomplete":true}"#).await,
        ProviderResponse::default()
    );
    assert_eq!(
        search(fixture::json("mediawiki/noresults.json")).await,
        ProviderResponse::default()
    );
}

#[tokio::test]
async fn one_request_has_all_parameters_and_the_user_agent() {
    let server = MockServer::start().await;
    Mock::given(path("/api.php"))
        .and(query_param("generator", "search"))
        .and(query_param("gsrsearch", "asyncio.gather"))
        .and(query_param("gsrlimit", "10"))
        .and(query_param("prop", "extracts|info|pageprops"))
        .and(query_param("formatversion", "2"))
        .and(header_regex("user-agent", r"^PrivaChatSearch/\d"))
        .respond_with(json(fixture::json("mediawiki/generator.json")))
        .expect(1)
        .mount(&server)
        .await;
    let query = question("What is asyncio.gather?");
    client_for(&server).search(&query, soon()).await.unwrap();
}

#[tokio::test]
async fn search_for_any_word_follows_when_no_article_has_all() {
    let server = MockServer::start().await;
    Mock::given(query_param("gsrsearch", "fastest animal Africa"))
        .respond_with(json(r#"{"batchcomplete":true}"#))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(query_param("gsrsearch", "fastest OR animal OR Africa"))
        .respond_with(json(fixture::json("mediawiki/generator.json")))
        .expect(1)
        .mount(&server)
        .await;
    let query = question("What is the fastest animal in Africa?");
    let found = client_for(&server).search(&query, soon()).await.unwrap();
    assert_eq!(found.hits.len(), 1);
}

#[tokio::test]
async fn base_without_a_script_gets_the_default_one() {
    let server = MockServer::start().await;
    Mock::given(path("/w/api.php"))
        .respond_with(json(r#"{"batchcomplete":true}"#))
        .expect(1)
        .mount(&server)
        .await;
    let base = Url::parse(&server.uri()).unwrap();
    let wiki = Wikipedia::new(Some(base), client().unwrap());
    wiki.search(&question("x"), soon()).await.unwrap();
}

#[tokio::test]
async fn limit_is_capped_to_that_of_the_api() {
    let server = serve(json(r#"{"batchcomplete":true}"#)).await;
    let query = ProviderQuery {
        limit: 50,
        ..question("x")
    };
    client_for(&server).search(&query, soon()).await.unwrap();
    assert_eq!(parameter(&server, "gsrlimit").await.as_deref(), Some("20"));
}

#[tokio::test]
async fn errors_with_status_200_are_recognised() {
    for name in ["mediawiki/error-200.txt", "mediawiki/empty.json"] {
        let error = failure(json(fixture::json(name))).await;
        assert!(hint(&error).contains("WIKIPEDIA_BASE_URL"));
        assert!(!error.to_string().contains("127.0.0.1"));
    }
    let busy = r#"{"error":{"code":"cirrussearch-too-busy-error","info":"…"}}"#;
    assert!(matches!(
        failure(json(busy)).await,
        ProviderError::Unavailable { .. }
    ));
    let limited = r#"{"error":{"code":"ratelimited","info":"…"}}"#;
    assert!(matches!(
        failure(json(limited)).await,
        ProviderError::RateLimited { .. }
    ));
    let odd = failure(json(r#"{"error":{"code":"http://10.0.0.1/ <x>"}}"#)).await;
    assert!(!odd.to_string().contains("10.0.0.1"));
}

#[tokio::test]
async fn probe_returns_the_name_of_the_wiki() {
    let site = r#"{"query":{"general":{"sitename":"Test Wiki"}}}"#;
    let server = serve(json(site)).await;
    assert_eq!(
        client_for(&server).probe(soon()).await.unwrap(),
        "Test Wiki"
    );
    let server = serve(json("<html>")).await;
    let error = client_for(&server).probe(soon()).await.unwrap_err();
    assert!(error.hint.unwrap().contains("WIKIPEDIA_BASE_URL"));
}

const MEMBERS: [&str; 9] = [
    "query",
    "pages",
    "index",
    "title",
    "extract",
    "fullurl",
    "pageprops",
    "disambiguation",
    "pageid",
];

fn samples() -> Vec<Vec<u8>> {
    ["generator", "search-text-concurrently"]
        .map(|name| fixture::json(&format!("mediawiki/{name}.json")))
        .to_vec()
}

proptest! {
    #[test]
    fn hits_are_valid_for_any_response(pages in arbitrary_json(&MEMBERS), page in arbitrary_json(&MEMBERS)) {
        let body = serde_json::json!({"query": {"pages": [
            pages, page, {"title": page, "fullurl": "https://a.example/1", "extract": "Text."},
        ]}});
        assert_valid(&parse_hits(&body, "https://a.example/w/api.php").finish(10));
    }

    #[test]
    fn hits_of_a_damaged_response_are_valid(
        body in damaged(samples(), &MEMBERS),
    ) {
        if let Ok(body) = serde_json::from_slice(&body) {
            assert_valid(&parse_hits(&body, "https://a.example/w/api.php").finish(10));
        }
    }
}

#[tokio::test]
async fn malformed_result_affects_no_other() {
    let good = r#"{"query": {"pages": [BROKEN {"title": "TEXT", "pageid": 1, "index": 1, "x": 12.5},
        {"title": "Other", "pageid": 2, "index": 2, "extract": "Words"}]}}"#;
    crate::providers::tests::assert_tolerates_malformed(good, 2, async |base| {
        let base = Url::parse(&base).unwrap();
        let wiki = Wikipedia::new(Some(base), client().unwrap());
        wiki.search(&question("words"), soon()).await
    })
    .await;
}
