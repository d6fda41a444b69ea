use super::*;
use crate::pipeline::answer::fixtures::{plan, ranked};

fn sources() -> Vec<RankedSource> {
    vec![
        ranked(
            "Mars",
            "https://en.wikipedia.org/wiki/Mars",
            "Mars is the fourth planet from the Sun. It has two small moons, Phobos and Deimos, \
             discovered in 1877 by Asaph Hall. Mars does not have a global magnetic field.",
        ),
        ranked(
            "Venus",
            "https://example.org/venus",
            "Venus is the second planet from the Sun. It has no moons.",
        ),
    ]
}

fn support(claim: &str) -> f64 {
    let checked = check_by_words(claim, &sources());
    assert_eq!(checked.claims.len(), 1, "{claim}");
    checked.claims[0].support
}

#[test]
fn a_repeated_sentence_is_supported() {
    assert!(support("Mars is the fourth planet from the Sun [1].") > 0.95);
}

#[test]
fn a_rephrased_sentence_is_supported() {
    assert!(
        support("The two moons of Mars, Phobos and Deimos, were discovered in 1877 [1].")
            >= SUPPORTED
    );
}

#[test]
fn a_wrong_number_is_not_supported() {
    assert!(support("Mars has small moons that were discovered in 1905 [1].") < SUPPORTED);
}

#[test]
fn a_name_that_the_source_lacks_is_not_supported() {
    assert!(support("The moons of Mars were discovered by Galileo [1].") < SUPPORTED);
}

#[test]
fn a_negated_sentence_is_not_supported() {
    assert!(support("Mars does have a global magnetic field [1].") < SUPPORTED);
    assert!(support("Mars doesn't have a global magnetic field [1].") >= SUPPORTED);
}

#[test]
fn a_citation_of_the_wrong_source_is_replaced_by_the_right_one() {
    let checked = check_by_words(
        "Mars has two small moons, Phobos and Deimos [2].",
        &sources(),
    );
    assert_eq!(checked.hallucination_count, 0);
    assert_eq!(checked.claims[0].best_source, Some(0));
    assert_eq!(
        checked.text,
        "Mars has two small moons, Phobos and Deimos [1]."
    );
}

#[test]
fn citations_after_the_stop_belong_to_the_sentence_before() {
    let checked = check_by_words(
        "Mars is the fourth planet. [1] Venus has no moons. [2]",
        &sources(),
    );
    let cited: Vec<&[usize]> = checked
        .claims
        .iter()
        .map(|c| c.citations.as_slice())
        .collect();
    assert_eq!(cited, [&[1], &[2]]);
}

#[test]
fn an_uncited_claim_is_cited_by_what_supports_it() {
    let answer = "Mars is the fourth planet from the Sun. Venus has no moons.";
    assert_eq!(
        add_citations(answer, &sources()).as_deref(),
        Some("Mars is the fourth planet from the Sun [1]. Venus has no moons [2].")
    );
    assert_eq!(add_citations("Cats purr a lot at night.", &sources()), None);
}

#[test]
fn confidence_follows_the_evidence() {
    let plan = plan("How many moons does Mars have?");
    let sources = sources();
    let good = check_by_words("It has two small moons, Phobos and Deimos [1].", &sources);
    let bad = check_by_words("It has seven small moons, Phobos and Hera [1].", &sources);
    let none = check_by_words("Mars has moons.", &sources);
    let good = confidence(&plan, &sources, &good, None);
    assert!(good > 0.5, "{good}");
    assert!(good > confidence(&plan, &sources, &bad, None));
    assert!(confidence(&plan, &sources, &none, None).abs() < f64::EPSILON);
    assert!((0.0..=1.0).contains(&good));
}

#[test]
fn a_true_quotation_that_does_not_answer_earns_less_trust() {
    let plan = plan("How many moons does Mars have?");
    let sources = sources();
    let checked = check_by_words("It has two small moons, Phobos and Deimos [1].", &sources);
    let sure = |answered| confidence(&plan, &sources, &checked, Some(answered));
    assert!(sure(0.1) < 0.7 * sure(0.7), "{}", sure(0.1));
    assert!(sure(0.0) > DECLINED, "{}", sure(0.0));
}

fn one(text: &str, claim: &str) -> f64 {
    let source = ranked("A report", "https://example.org/report", text);
    check_by_words(&format!("{claim} [1]."), &[source]).claims[0].support
}

#[test]
fn numbers_are_compared_by_value_and_belong_to_what_stands_around_them() {
    assert!(one("It has two small moons.", "It has 2 small moons") >= SUPPORTED);
    assert!(one("They earned $3.5 million.", "They earned $3,500,000") >= SUPPORTED);
    assert!(one("They earned $3.5 million.", "They earned $5.3 million") < SUPPORTED);
}

#[test]
fn what_is_said_of_one_clause_is_not_held_against_another() {
    let text = "The tasks run concurrently without blocking the loop.";
    assert!(one(text, "The tasks run concurrently") >= SUPPORTED);
    let text = "Engineers replaced all hangers and did not touch the towers.";
    assert!(one(text, "Engineers replaced all hangers") >= SUPPORTED);
    assert!(one(text, "Engineers did touch the towers") < SUPPORTED);
}

#[test]
fn swapped_names_and_opposites_are_not_supported() {
    let text = "SQLite is faster than Postgres here.";
    assert!(one(text, "SQLite is faster than Postgres") >= SUPPORTED);
    assert!(one(text, "Postgres is faster than SQLite") < SUPPORTED);
    let text = "Bob lent Alice forty crowns.";
    assert!(one(text, "Alice lent Bob forty crowns") < SUPPORTED);
    assert!(
        one(
            "In winter water cools slowly.",
            "In winter water boils slowly"
        ) < SUPPORTED
    );
}

#[test]
fn citations_that_carry_nothing_are_taken_out_and_wrong_ones_replaced() {
    let answer = "**Mars** has two small moons [1][2]. Venus has no moons [1]. It is far.";
    let checked = check_by_words(answer, &sources());
    assert_eq!(
        checked.text,
        "**Mars** has two small moons [1]. Venus has no moons [2]. It is far."
    );
    assert_eq!(checked.claims[1].citations, [1]);
    assert_eq!(checked.claims[1].corrected_citations, [2]);
}

#[test]
fn a_sentence_that_no_source_carries_is_marked_behind_its_citations() {
    for (answer, marked) in [
        (
            "Mars has small moons that were discovered in 1905 [1]. Venus has no moons [2].",
            "Mars has small moons that were discovered in 1905 [1] [unverified]. Venus has no moons [2].",
        ),
        (
            "Mars has small moons that were discovered in 1905. [1][2] Venus has no moons. [2]",
            "Mars has small moons that were discovered in 1905. [1][2] [unverified] Venus has no moons. [2]",
        ),
        (
            "The moons of Mars [1] were discovered by Galileo.",
            "The moons of Mars [1] [unverified] were discovered by Galileo.",
        ),
        ("Cats purr a lot at night.", "Cats purr a lot at night."),
    ] {
        let checked = check_by_words(answer, &sources());
        assert_eq!(checked.text, marked);
        let again = check_by_words(&checked.text, &sources());
        assert_eq!(again, checked, "checking twice changes nothing");
    }
}

#[test]
fn a_mark_that_the_model_wrote_itself_is_taken_out() {
    let answer =
        "Mars is the fourth planet from the Sun [1] [unverified]. Write `[unverified]` here.";
    assert_eq!(
        check_by_words(answer, &sources()).text,
        "Mars is the fourth planet from the Sun [1]. Write `[unverified]` here."
    );
}

#[test]
fn a_mark_is_no_citation() {
    let text = "It is so [1] [unverified].";
    assert_eq!(crate::pipeline::answer::citations::clean(text, 2), text);
    assert_eq!(
        crate::pipeline::answer::citations::cited_numbers(text, 2),
        [1]
    );
}

#[tokio::test]
async fn quotations_are_never_marked() {
    let context = Context::new(
        crate::pipeline::Providers::new(Vec::new()),
        Arc::new(crate::pipeline::test_support::ScriptedPages::default()),
    );
    let text = "The list of 1905 [unverified] says nothing of Galileo [1].";
    let answer = Answer {
        text: text.to_owned(),
        model_used: EXTRACTIVE.to_owned(),
        ..Answer::default()
    };
    let plan = Arc::new(plan("How many moons does Mars have?"));
    let deadline = Deadline::after(Duration::from_secs(20));
    let sink = crate::pipeline::NullSink;
    let checked = check(
        &context,
        &plan,
        &Arc::new(sources()),
        &answer,
        deadline,
        &sink,
    )
    .await;
    assert_eq!(checked.text, text);
}
