use super::*;
use crate::pipeline::{
    provider::{Hit, ProviderError, ProviderResponse, SearchProvider},
    search::Providers,
    test_support::{Recorder, ScriptedPages, ScriptedProvider, hit},
};
use privachat_core::schema::Usage;
use privachat_core::{domain::DomainList, mode::Mode};

const BUDGET: Duration = Duration::from_secs(10);

fn context(found: Result<ProviderResponse, ProviderError>) -> (Arc<ScriptedProvider>, Context) {
    let perplexity = ScriptedProvider::after("perplexity", Duration::from_secs(1), found);
    let providers = vec![Arc::clone(&perplexity) as Arc<dyn SearchProvider>];
    let pages = ScriptedPages::default().with(
        "https://b.org/",
        Duration::from_secs(1),
        Ok("Gold melts at 1064 degrees Celsius."),
    );
    let context = Context::new(Providers::new(providers), Arc::new(pages));
    (perplexity, context)
}

async fn run_direct(context: &Context) -> (Result<Outcome, PipelineError>, Recorder) {
    let mut request = SearchRequest::new("At how many degrees does gold melt?", Mode::Balanced);
    request.direct = true;
    let sink = Recorder::default();
    let result = run(context, &request, Deadline::after(BUDGET), &sink).await;
    (result, sink)
}

fn perplexity_response(answer: &str) -> ProviderResponse {
    let hits = ["https://a.org/", "https://www.a.org", "https://b.org/"]
        .iter()
        .zip(1..)
        .map(|(url, position)| Hit {
            position,
            snippet: String::new(),
            ..hit("perplexity", url)
        });
    ProviderResponse {
        hits: hits.collect(),
        answer: Some(answer.to_owned()),
        usage: Some(Usage {
            prompt_tokens: 1,
            completion_tokens: 2,
            total_tokens: 3,
        }),
        ..ProviderResponse::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_perplexity_is_checked_against_the_pages_it_cites() {
    let (perplexity, context) = context(Ok(perplexity_response(
        "Gold melts at 1064 degrees Celsius [3]. It is heavy [2][9].",
    )));
    let (result, sink) = run_direct(&context).await;
    let outcome = result.unwrap();
    assert_eq!(perplexity.calls(), 1);
    let urls: Vec<&str> = outcome.sources.iter().map(|s| s.url.as_str()).collect();
    assert_eq!(
        urls,
        ["https://a.org/", "https://b.org/"],
        "one page, one source"
    );
    assert!(
        outcome
            .answer
            .starts_with("Gold melts at 1064 degrees Celsius [2]."),
        "{}",
        outcome.answer
    );
    assert!(!outcome.answer.contains("[9]") && !outcome.answer.contains("[3]"));
    assert_eq!(outcome.model_used, "perplexity");
    assert!(outcome.source_details[1].fetched);
    assert!(outcome.grounding_score > 0.4 && outcome.grounding_score < 1.0);
    assert_eq!(outcome.usage.unwrap().total_tokens, 3);
    let citations: Vec<usize> = outcome
        .citations
        .iter()
        .map(|c| c.citation_number)
        .collect();
    assert!(citations.contains(&2), "{citations:?}");
    let events = sink.0.lock().unwrap();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Text { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn citations_of_excluded_domains_are_removed() {
    let (_, mut context) = context(Ok(perplexity_response(
        "It is heavy [1]. It melts at 1064 degrees [3].",
    )));
    context.excluded_domains = Arc::new(DomainList::new(&["a.org".to_owned()]));
    let outcome = run_direct(&context).await.0.unwrap();
    assert_eq!(outcome.sources.len(), 1);
    assert_eq!(outcome.answer, "It is heavy. It melts at 1064 degrees [1].");
}

#[tokio::test(start_paused = true)]
async fn a_missing_answer_source_or_provider_is_an_error() {
    let code = async |found| {
        let (_, context) = context(found);
        run_direct(&context).await.0.unwrap_err().code
    };
    assert_eq!(
        code(Ok(perplexity_response(" [7] "))).await,
        error_code::UPSTREAM_UNAVAILABLE
    );
    assert_eq!(
        code(Ok(ProviderResponse::default())).await,
        error_code::NO_SOURCES
    );
    let refused = ProviderError::Refused {
        provider: "perplexity",
        reason: "HTTP 401".to_owned(),
        hint: "set PERPLEXITY_API_KEY".to_owned(),
    };
    assert_eq!(code(Err(refused)).await, error_code::UPSTREAM_UNAVAILABLE);

    let none = Context::new(Providers::default(), Arc::new(ScriptedPages::default()));
    let error = run_direct(&none).await.0.unwrap_err();
    assert_eq!(error.code, error_code::NO_PROVIDER);
    assert!(error.hint.unwrap().contains("PERPLEXITY_API_KEY"));
}
