//! Ranking with a server that compares meanings, over real HTTP.

use super::*;
use crate::{
    pipeline::{
        Providers,
        answer::fixtures::{candidate, page, plan},
        test_support::{Recorder, ScriptedPages},
    },
    semantics::{SimilarityClient, SimilarityConfig, SimilarityServer},
    upstream,
};
use chrono::TimeZone;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn options() -> RankOptions {
    RankOptions {
        limit: 5,
        rerank: true,
        diversity: true,
        recency: false,
        query_aware: false,
        now: Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap(),
    }
}

/// Scores of texts by a phrase that they hold; 0.05 for the rest.
async fn reranker(scores: &'static [(&'static str, f64)]) -> MockServer {
    let upstream = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(move |request: &Request| {
            let asked: Value = request.body_json().unwrap();
            let documents = asked["documents"].as_array().unwrap();
            let results: Vec<Value> = documents
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    let text = text.as_str().unwrap();
                    let known = scores.iter().find(|(phrase, _)| text.contains(phrase));
                    json!({"index": index, "relevance_score": known.map_or(0.05, |(_, score)| *score)})
                })
                .collect();
            ResponseTemplate::new(200)
                .set_body_json(json!({"results": results, "usage": {"total_tokens": 11}}))
        })
        .mount(&upstream)
        .await;
    upstream
}

fn context(upstream: &MockServer) -> Context {
    let server = SimilarityServer {
        base_url: Url::parse(&upstream.uri()).unwrap(),
        api_key: None,
        model: "judge".to_owned(),
    };
    let semantic = SimilarityClient::new(
        SimilarityConfig::Rerank(server),
        upstream::client().unwrap(),
    );
    Context {
        semantics: Some(Arc::new(semantic)),
        ..Context::new(
            Providers::new(Vec::new()),
            Arc::new(ScriptedPages::default()),
        )
    }
}

async fn ranked(
    upstream: &MockServer,
    question: &str,
    candidates: Vec<Candidate>,
    options: RankOptions,
) -> (Ranked, Vec<String>) {
    let sink = Recorder::default();
    let deadline = Deadline::after(Duration::from_secs(5));
    let plan = Arc::new(plan(question));
    let ranked = rank(
        &context(upstream),
        &plan,
        candidates,
        options,
        deadline,
        &sink,
    )
    .await;
    (ranked, sink.warnings())
}

const QUESTION: &str = "How hot does water get in a kettle?";

fn kettles() -> Vec<Candidate> {
    vec![
        candidate(
            "Shop",
            "https://shop.example/",
            "A kettle for hot water: get the kettle that does it.",
        ),
        candidate(
            "Physics",
            "https://physics.example/",
            "Boiling ends the rise of temperature at one hundred degrees.",
        ),
        candidate(
            "Cats",
            "https://cats.example/",
            "Cats purr when they are content.",
        ),
    ]
}

#[tokio::test]
async fn meaning_weighs_more_than_words_and_saves_a_source_that_uses_others() {
    let upstream = reranker(&[("one hundred degrees", 0.95), ("kettle", 0.2)]).await;
    let (ranked, warnings) = ranked(&upstream, QUESTION, kettles(), options()).await;
    let titles: Vec<&str> = ranked
        .sources
        .iter()
        .map(|s| s.candidate.title.as_str())
        .collect();
    assert_eq!(titles, ["Physics", "Shop"]);
    let shop = &ranked.sources[1];
    assert_eq!(shop.semantic_score, Some(0.2));
    assert_eq!(shop.passages[0].semantic_score, Some(0.2));
    let words = rank_by_words(&plan(QUESTION), kettles(), &options());
    let alone = words.iter().find(|s| s.candidate.title == "Shop").unwrap();
    let wanted = 0.4 * alone.final_score + 0.6 * 0.2;
    assert!(
        (shop.final_score - wanted).abs() < 0.02,
        "{} {wanted}",
        shop.final_score
    );
    assert_eq!(ranked.usage.unwrap().total_tokens, 11);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[tokio::test]
async fn the_best_passage_of_a_source_is_the_nearest_one() {
    let upstream = reranker(&[("vapour", 0.9)]).await;
    let long = page(
        "Kettles",
        "https://a.example/",
        &[
            "# Water",
            "How hot water does get in a kettle is asked often.",
            "## Boiling",
            "It turns to vapour at one hundred degrees.",
        ],
    );
    let (ranked, _) = ranked(&upstream, QUESTION, vec![long], options()).await;
    assert!(ranked.sources[0].passages[0].text.contains("vapour"));
    assert_eq!(ranked.sources[0].semantic_score, Some(0.9));
}

#[tokio::test]
async fn at_most_sixty_passages_are_compared_and_one_of_each_source() {
    let upstream = reranker(&[]).await;
    let many: Vec<Candidate> = (0..10)
        .map(|n| {
            let lines: Vec<String> = (0..20)
                .flat_map(|part| {
                    [
                        format!("## Part {part} of book {n}"),
                        format!("Water in a kettle, told by writer {n} in chapter {part}."),
                    ]
                })
                .collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            page("Book", &format!("https://b{n}.example/"), &lines)
        })
        .collect();
    ranked(&upstream, QUESTION, many, options()).await;
    let sent = upstream.received_requests().await.unwrap();
    assert_eq!(sent.len(), 1);
    let asked: Value = sent[0].body_json().unwrap();
    let documents = asked["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 60);
    for n in 0..10 {
        let of_book = format!("of book {n}");
        assert!(
            documents
                .iter()
                .any(|text| text.as_str().unwrap().contains(&of_book))
        );
    }
}

#[tokio::test]
async fn words_do_when_the_server_is_late_or_refuses() {
    let words = rank_by_words(&plan(QUESTION), kettles(), &options());
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    for (reply, says) in [
        (late, "in time"),
        (ResponseTemplate::new(401), "HTTP 401"),
        (ResponseTemplate::new(429), "rate"),
        (
            ResponseTemplate::new(200).set_body_string("{}"),
            "unexpected form",
        ),
    ] {
        let upstream = MockServer::start().await;
        Mock::given(wiremock::matchers::any())
            .respond_with(reply)
            .mount(&upstream)
            .await;
        let sink = Recorder::default();
        let deadline = Deadline::after(Duration::from_secs(1));
        let plan = Arc::new(plan(QUESTION));
        let context = context(&upstream);
        let ranked = rank(&context, &plan, kettles(), options(), deadline, &sink).await;
        assert_eq!(ranked.sources, words, "{says}");
        assert!(!deadline.has_passed());
        let warnings = sink.warnings();
        assert!(
            matches!(warnings.as_slice(), [one] if one.contains(says) && one.ends_with("ranked by words")),
            "{warnings:?}"
        );
    }
}

#[tokio::test]
async fn a_mode_without_reranking_asks_nobody() {
    let upstream = reranker(&[]).await;
    let quick = RankOptions {
        rerank: false,
        ..options()
    };
    let (ranked, _) = ranked(&upstream, QUESTION, kettles(), quick).await;
    assert_eq!(ranked.sources[0].semantic_score, None);
    assert!(upstream.received_requests().await.unwrap().is_empty());
}
