use super::*;
use crate::pipeline::provider::TimeRange;
use chrono::TimeZone;
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 15, 12, 0, 0).unwrap()
}

fn queries(question: &str, mode: Mode) -> Vec<String> {
    plan_by_rules(question, mode, now())
        .queries
        .into_iter()
        .map(|planned| planned.sub_query.query)
        .collect()
}

#[test]
fn comparisons_name_their_things() {
    let table: &[(&str, &[&str])] = &[
        (
            "What is the difference between TCP and UDP?",
            &["TCP", "UDP"],
        ),
        (
            "differences between a mutex, a semaphore and a spinlock",
            &["a mutex", "a semaphore", "a spinlock"],
        ),
        ("postgres vs mysql for analytics", &["postgres", "mysql"]),
        ("Rust vs. Go vs C++", &["Rust", "Go", "C++"]),
        (
            "What is better, tokio versus async-std?",
            &["tokio", "async-std"],
        ),
        (
            "Compare asyncio.gather and asyncio.wait",
            &["asyncio.gather", "asyncio.wait"],
        ),
        ("compare Redis with Memcached", &["Redis", "Memcached"]),
        (
            "Which is faster, Redis or Memcached?",
            &["Redis", "Memcached"],
        ),
        ("vim or emacs, which should I learn?", &["vim", "emacs"]),
        ("Is Rust faster than Go?", &["Rust", "Go"]),
        ("Should I use YAML or TOML?", &["YAML", "TOML"]),
        (
            "Was ist der Unterschied zwischen Kredit und Darlehen?",
            &["Kredit", "Darlehen"],
        ),
        ("Was ist besser: Gas oder Strom?", &["Gas", "Strom"]),
        (
            "Quelle est la différence entre un virus et une bactérie ?",
            &["un virus", "une bactérie"],
        ),
        (
            "¿Cuál es la diferencia entre ser y estar?",
            &["ser", "estar"],
        ),
        ("Should I learn Rust or Go?", &["Rust", "Go"]),
        ("Which should I use: YAML or TOML?", &["YAML", "TOML"]),
        // No comparisons, whatever words they hold.
        ("What should I eat or avoid with gout?", &[]),
        ("Which countries use the euro or the dollar?", &[]),
        ("What is the best way to lose weight or gain muscle?", &[]),
        ("What is Python?", &[]),
        ("Is there life on Mars or Venus?", &[]),
        ("How do I compare?", &[]),
        ("more than words lyrics", &[]),
        ("Who wrote Pride and Prejudice?", &[]),
    ];
    for (question, expected) in table {
        assert_eq!(
            plan_by_rules(question, Mode::Deep, now()).entities,
            *expected,
            "{question}"
        );
    }
}

#[test]
fn a_comparison_searches_for_the_whole_and_for_each_thing() {
    assert_eq!(
        queries("postgres vs mysql for analytics", Mode::Deep),
        [
            "postgres vs mysql for analytics",
            "postgres for analytics",
            "mysql for analytics"
        ]
    );
    assert_eq!(
        queries("postgres vs mysql for analytics", Mode::Balanced),
        ["postgres for analytics", "mysql for analytics"],
        "no thing may be left out"
    );
    assert_eq!(
        queries("postgres vs mysql for analytics", Mode::Speed),
        ["postgres vs mysql for analytics"]
    );
}

#[test]
fn questions_of_several_parts_are_split() {
    let table: &[(&str, &[&str])] = &[
        (
            "What is Rust? And who made it?",
            &["What is Rust", "Rust who made it"],
        ),
        (
            "What is Rust and who made it?",
            &["What is Rust", "Rust who made it"],
        ),
        (
            "How tall is Mont Blanc; how old is the Eiffel tower",
            &["How tall is Mont Blanc", "how old is the Eiffel tower"],
        ),
        (
            "Wer war Goethe und wann lebte er?",
            &["Wer war Goethe", "Goethe wann lebte er"],
        ),
    ];
    for (question, parts) in table {
        assert_eq!(queries(question, Mode::Balanced), *parts, "{question}");
        let mut all = queries(question, Mode::Deep);
        all.remove(0);
        assert_eq!(all, *parts, "{question}");
    }
}

#[test]
fn one_question_is_searched_for_as_it_is() {
    for question in [
        "What is Python?",
        "bread and butter pudding recipe",
        "C++ std::move",
    ] {
        for mode in Mode::ALL {
            assert_eq!(queries(question, mode), [question]);
        }
    }
}

#[test]
fn the_intent_follows_the_form_of_the_question() {
    use Intent::{Definition, Factual, Opinion};
    let table = [
        ("What is Python?", Definition),
        ("what are monads", Definition),
        ("Define entropy", Definition),
        ("What does idempotent mean?", Definition),
        ("Was ist ein Mutex?", Definition),
        ("Qu'est-ce que la photosynthèse ?", Definition),
        ("¿Qué es un agujero negro?", Definition),
        ("Who was Ada Lovelace?", Definition),
        ("What is the capital of France?", Factual),
        ("What is the fastest land animal?", Factual),
        ("How do I open a file in Python?", Factual),
        ("When did the Berlin wall fall?", Factual),
        ("population of Lisbon", Factual),
        ("What is the best editor?", Opinion),
        ("Should I learn Rust?", Opinion),
        ("pros and cons of microservices", Opinion),
        ("TCP vs UDP", Opinion),
        ("Welche Vorteile hat Solarstrom?", Opinion),
    ];
    for (question, intent) in table {
        let plan = plan_by_rules(question, Mode::Speed, now());
        assert_eq!(plan.queries[0].sub_query.intent, intent, "{question}");
    }
}

#[test]
fn news_and_years_want_recent_sources() {
    use TimeRange::{Day, Month, Week, Year};
    let table = [
        ("What happened today in Berlin?", true, Some(Day)),
        ("Wetter heute", true, Some(Day)),
        ("news about Rust", true, Some(Month)),
        ("elections this week", true, Some(Week)),
        ("Wahlen diese Woche", true, Some(Week)),
        ("breaking news Berlin", true, Some(Day)),
        ("Who directed Breaking Bad?", false, None),
        ("Who owns Fox News?", false, None),
        ("how does fake news spread", false, None),
        ("latest version of Python", true, Some(Year)),
        ("best phones 2026", true, Some(Year)),
        ("Oscar winners 2025", true, None),
        ("current president of France", true, None),
        ("Who won the world cup in 1998?", false, None),
        ("What is alternating current in physics?", false, None),
        ("What is Python?", false, None),
    ];
    for (question, wants_recent, time_range) in table {
        let plan = plan_by_rules(question, Mode::Speed, now());
        assert_eq!(plan.wants_recent, wants_recent, "{question}");
        assert_eq!(plan.queries[0].time_range, time_range, "{question}");
    }
}

#[test]
fn what_one_engine_takes_for_a_command_is_part_of_the_question_for_the_others() {
    for question in [
        "What does !! do in JavaScript?",
        "css :is selector",
        "is a != b in C",
    ] {
        assert_eq!(queries(question, Mode::Balanced), [question]);
    }
}

#[test]
fn the_only_year_of_a_question_is_its_year() {
    let year = |question| plan_by_rules(question, Mode::Speed, now()).year;
    assert_eq!(year("Who won the world cup in 1998?"), Some(1998));
    assert_eq!(year("GDP of France 1998 and 2008"), None);
    assert_eq!(year("How many feet are 9000 metres?"), None);
    assert_eq!(year("What is Python?"), None);
}

#[test]
fn what_has_several_parts_is_answered_part_by_part() {
    let parts = |question| plan_by_rules(question, Mode::Balanced, now()).sub_questions;
    let two = ["What is Rust", "Rust who made it"];
    assert_eq!(parts("What is Rust and who made it?"), two);
    assert_eq!(parts("Rust vs Go"), ["Rust vs Go"]);
    assert_eq!(parts("What is Python?"), ["What is Python?"]);
}

#[test]
fn a_long_question_is_cut_between_words_for_the_engines_only() {
    let question = "wörter ".repeat(300);
    let plan = plan_by_rules(&question, Mode::Speed, now());
    let query = &plan.queries[0].sub_query.query;
    assert_eq!(plan.question, question.trim());
    assert!(query.chars().count() <= QUERY_LIMIT && query.chars().count() > QUERY_LIMIT - 10);
    assert!(query.ends_with("wörter"));
}

#[test]
fn white_space_and_invisible_characters_are_normalised() {
    let plan = plan_by_rules("  What\tis\n\u{200b}Python \u{0}?  ", Mode::Speed, now());
    assert_eq!(plan.question, "What is Python ?");
}

proptest! {
    #[test]
    fn every_question_has_a_plan_within_its_bounds(question in "\\PC{1,200}", deep in any::<bool>()) {
        let mode = if deep { Mode::Deep } else { Mode::Balanced };
        let plan = plan_by_rules(&question, mode, now());
        prop_assert!(!plan.queries.is_empty());
        prop_assert!(plan.queries.len() <= mode.limits().sub_queries);
        for planned in &plan.queries {
            prop_assert!(planned.sub_query.query.chars().count() <= QUERY_LIMIT);
        }
    }
}
