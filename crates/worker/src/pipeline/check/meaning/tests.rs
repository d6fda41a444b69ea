use super::super::{Checked, EXTRACTIVE, SUPPORTED, check, check_by_words};
use super::{MOST_CLAIMS, MOST_WINDOWS, PATIENCE, UNRELATED, WORTH};
use crate::pipeline::{
    Context, Deadline, Providers, RankedSource, Semantics, SemanticsError, Similarities,
    answer::{
        Answer,
        fixtures::{plan, ranked},
    },
    test_support::{Recorder, ScriptedPages},
};
use async_trait::async_trait;
use privachat_core::schema::Usage;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const SOURCE: &str = "The lighthouse was erected by fishermen in 1874. Its lamp does not burn oil. \
                      Keepers climb the spiral stair each evening.";
const RESTATED: &str = "Local seamen put up the beacon tower back in 1874 [1].";

/// Says that a claim is near each text that holds one of its phrases, and far from all others.
#[derive(Default)]
struct Fake {
    near: Vec<&'static str>,
    fails: bool,
    hangs: bool,
    reranks: bool,
    /// The numbers of claims and texts of each call.
    asked: Mutex<Vec<(usize, usize)>>,
}

#[async_trait]
impl Semantics for Fake {
    fn is_mutual(&self) -> bool {
        !self.reranks
    }

    async fn similarities(
        &self,
        queries: &[&str],
        texts: &[&str],
        _: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        self.asked
            .lock()
            .unwrap()
            .push((queries.len(), texts.len()));
        if self.hangs {
            std::future::pending::<()>().await;
        }
        if self.fails {
            return Err(SemanticsError::RateLimited);
        }
        let is_near = |text: &str| self.near.iter().any(|phrase| text.contains(phrase));
        // A model whose scale begins at 0.6.
        let row = texts
            .iter()
            .map(|text| if is_near(text) { 0.96 } else { 0.6 });
        let usage = Usage {
            prompt_tokens: 9,
            completion_tokens: 0,
            total_tokens: 9,
        };
        Ok(Similarities {
            rows: vec![row.collect(); queries.len()],
            usage: Some(usage),
        })
    }
}

fn near(phrase: &'static str) -> Fake {
    Fake {
        near: vec![phrase],
        ..Fake::default()
    }
}

async fn checked_from(
    source: &str,
    text: &str,
    fake: Fake,
    model: &str,
) -> (Checked, Vec<String>, Vec<(usize, usize)>) {
    let fake = Arc::new(fake);
    let context = Context {
        semantics: Some(Arc::clone(&fake) as Arc<dyn Semantics>),
        ..Context::new(
            Providers::new(Vec::new()),
            Arc::new(ScriptedPages::default()),
        )
    };
    let source = ranked("The lighthouse", "https://example.org/", source);
    let answer = Answer {
        text: text.to_owned(),
        model_used: model.to_owned(),
        ..Answer::default()
    };
    let sink = Recorder::default();
    let plan = Arc::new(plan("Who built the lighthouse?"));
    let sources = Arc::new(vec![source]);
    let deadline = Deadline::after(Duration::from_secs(30));
    let checked = check(&context, &plan, &sources, &answer, deadline, &sink).await;
    let asked = fake.asked.lock().unwrap().clone();
    (checked, sink.warnings(), asked)
}

async fn checked(text: &str, fake: Fake) -> (Checked, Vec<String>, Vec<(usize, usize)>) {
    checked_from(SOURCE, text, fake, "double").await
}

#[tokio::test]
async fn a_claim_in_other_words_is_supported_when_its_meaning_is_near() {
    let (far, ..) = checked(RESTATED, Fake::default()).await;
    assert_eq!(far.hallucination_count, 1);
    let (found, warnings, asked) = checked(RESTATED, near("erected by fishermen")).await;
    assert!(found.claims[0].support >= SUPPORTED, "{found:?}");
    assert!(found.claims[0].support <= WORTH);
    assert_eq!(found.hallucination_count, 0);
    assert_eq!(found.text, RESTATED);
    assert_eq!(found.usage.unwrap().total_tokens, 9);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn meaning_never_outweighs_a_number_a_name_a_negation_or_an_opposite() {
    let opposite = "The bay is warm in the mornings, and visitors swim.";
    for (source, phrase, claim) in [
        (
            SOURCE,
            "fishermen",
            "Local seamen put up the beacon tower back in 1875 [1].",
        ),
        (
            SOURCE,
            "fishermen",
            "Seamen put up the beacon tower for Galileo in 1874 [1].",
        ),
        (
            SOURCE,
            "burn",
            "The light up there is fuelled with petroleum [1].",
        ),
        (opposite, "bay", "Cold water greets bathers at dawn [1]."),
    ] {
        let (found, ..) = checked_from(source, claim, near(phrase), "double").await;
        assert!(found.claims[0].support < SUPPORTED, "{claim} {found:?}");
        assert!(found.text.contains("[1] [unverified]"), "{}", found.text);
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_checked_by_words_with_one_warning() {
    let failing = Fake {
        fails: true,
        ..Fake::default()
    };
    let (found, warnings, _) = checked(RESTATED, failing).await;
    assert_eq!(found.claims, check_by_words(RESTATED, &lighthouse()).claims);
    let told = warnings.iter().filter(|it| it.contains("checked by words"));
    assert_eq!(told.count(), 1, "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_late_comparison_is_cut() {
    let hanging = Fake {
        hangs: true,
        ..Fake::default()
    };
    let begin = tokio::time::Instant::now();
    let (found, warnings, _) = checked(RESTATED, hanging).await;
    assert!(begin.elapsed() <= PATIENCE + Duration::from_millis(10));
    assert_eq!(found.hallucination_count, 1);
    assert!(warnings.iter().any(|it| it.contains("checked by words")));
}

#[tokio::test]
async fn nothing_is_asked_of_a_reranker_nor_for_quotations_nor_without_doubt() {
    let reranker = Fake {
        reranks: true,
        ..near("fishermen")
    };
    let plain = "The lighthouse was erected by fishermen in 1874 [1].";
    for (text, fake, model) in [
        (RESTATED, reranker, "double"),
        (RESTATED, near("fishermen"), EXTRACTIVE),
        (plain, near("fishermen"), "double"),
    ] {
        let (_, warnings, asked) = checked_from(SOURCE, text, fake, model).await;
        assert!(asked.is_empty(), "{text}");
        assert!(!warnings.iter().any(|it| it.contains("checked by words")));
    }
}

#[tokio::test]
async fn one_bounded_call_serves_all_claims() {
    let source: Vec<String> = (0..200)
        .map(|n| format!("Sentence about matter {n} here."))
        .collect();
    let claims: Vec<String> = (0..30)
        .map(|n| format!("Utterly distinct assertion letter{n} stands alone [1]."))
        .collect();
    let (source, claims) = (source.join(" "), claims.join(" "));
    let (.., asked) = checked_from(&source, &claims, Fake::default(), "double").await;
    let [(queries, texts)] = asked.try_into().unwrap();
    assert_eq!(queries, MOST_CLAIMS);
    assert!(texts <= MOST_WINDOWS + UNRELATED.len(), "{texts}");
    assert!(texts > UNRELATED.len());
}

fn lighthouse() -> Vec<RankedSource> {
    vec![ranked("The lighthouse", "https://example.org/", SOURCE)]
}
