//! Searches for recent results, and for those of a year.

use super::*;

/// Finds a page only without a time range.
struct UndatedOnly;

#[async_trait::async_trait]
impl SearchProvider for UndatedOnly {
    fn name(&self) -> &'static str {
        "searxng"
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        _: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let hits = match query.time_range {
            Some(_) => Vec::new(),
            None => vec![hit("searxng", "https://a.org/")],
        };
        Ok(ProviderResponse {
            hits,
            ..ProviderResponse::default()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn without_recent_results_older_ones_are_used_with_a_warning() {
    let providers = Providers::new(vec![Arc::new(UndatedOnly)]);
    let sink = Recorder::default();
    let found = run(&providers, "news about Rust", SearchEngine::Auto, &sink).await;
    assert_eq!(found.unwrap().candidates.len(), 1);
    assert_eq!(
        sink.warnings(),
        ["nothing recent enough was found: results of any age were used"]
    );
}

#[tokio::test(start_paused = true)]
async fn every_query_names_the_year_of_the_question() {
    let searxng = ScriptedProvider::finds("searxng", &THREE_URLS);
    let question = "Compare Rust and Go in 2023";
    let providers = provider_set(&[&searxng]);
    let found = run(
        &providers,
        question,
        SearchEngine::Auto,
        &Recorder::default(),
    )
    .await;
    found.unwrap();
    let asked = searxng.queries.lock().unwrap();
    assert!(asked.len() > 1, "{asked:?}");
    for query in asked.iter() {
        let times = query.text.matches("2023").count();
        assert_eq!((times, query.year), (1, Some(2023)), "{}", query.text);
    }
}
