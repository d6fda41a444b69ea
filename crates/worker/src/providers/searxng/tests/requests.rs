//! The requests that SearXNG gets.

use super::*;

#[tokio::test]
async fn request_has_the_base_path_and_all_parameters() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/searx/search"))
        .and(query_param("format", "json"))
        .and(query_param("q", "rust & more"))
        .and(query_param("language", "de"))
        .and(query_param("time_range", "day"))
        .and(query_param("categories", "general,news"))
        .respond_with(json(captured("noresults.json")))
        .expect(1)
        .mount(&server)
        .await;
    let base = Url::parse(&format!("{}/searx/", server.uri())).unwrap();
    let query = ProviderQuery {
        language: Some("de".to_owned()),
        time_range: Some(TimeRange::Day),
        ..question("!!g rust & more :fr")
    };
    let searxng = Searxng::new(&base, client().unwrap());
    searxng.search(&query, soon()).await.unwrap();
}

#[tokio::test]
async fn earlier_year_disables_the_last_year_filter() {
    let server = serve(json(captured("noresults.json"))).await;
    let query = ProviderQuery {
        year: Some(2020),
        time_range: Some(TimeRange::Year),
        ..question("latest phones 2020")
    };
    client_for(&server).search(&query, soon()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let asked = requests[0].url.query().unwrap();
    assert!(
        asked.contains("2020") && !asked.contains("time_range"),
        "{asked}"
    );
}

#[tokio::test]
async fn query_without_a_word_sends_no_request() {
    let server = serve(json(captured("normal.json"))).await;
    let found = client_for(&server)
        .search(&question(": :"), soon())
        .await
        .unwrap();
    assert_eq!(found, ProviderResponse::default());
    assert!(server.received_requests().await.unwrap().is_empty());
}
