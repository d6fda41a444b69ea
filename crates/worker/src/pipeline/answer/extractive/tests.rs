//! Questions over a small corpus: what the answer has to say, and what it must not.

use super::*;
use crate::pipeline::{
    Candidate,
    answer::fixtures::{page, plan},
    rank::{RankOptions, rank_by_words},
};
use chrono::{TimeZone, Utc};

mod pages;

fn corpus() -> Vec<Candidate> {
    vec![
        page(
            "Coroutines and Tasks",
            "https://docs.python.org/3/library/asyncio-task.html",
            &[
                "# Coroutines and Tasks",
                "This section outlines high-level asyncio APIs to work with coroutines and tasks.",
                "## Running Tasks Concurrently",
                ": awaitable asyncio.gather(*aws, return_exceptions=False)",
                "Run awaitable objects in the aws sequence concurrently.",
                "If any awaitable in aws is a coroutine, it is automatically scheduled as a Task.",
                "If all awaitables are completed successfully, the result is an aggregate list of returned values.",
                "`async def main():\n    await asyncio.gather(one(), two())",
                "Changed in version 3.10: Removed the loop parameter.",
                "## Task Cancellation",
                "Tasks can easily and safely be cancelled. When a task is cancelled, asyncio.CancelledError will be raised in the task at the next opportunity.",
                ": cancel(msg=None)",
                "Request the Task to be cancelled.",
            ],
        ),
        page(
            "Mars",
            "https://en.wikipedia.org/wiki/Mars",
            &[
                "Jump to navigation | Sign in | Create account",
                "Mars is the fourth planet from the Sun and the second-smallest planet in the Solar System. It is often called the Red Planet because of the iron oxide on its surface.",
                "# Moons",
                "Mars has two small natural moons, Phobos and Deimos.[12] They were discovered in 1877 by Asaph Hall.",
                "# Exploration",
                "The first spacecraft to land softly on Mars was Mars 3 in 1971.",
                "See also: Exploration of Mars.",
            ],
        ),
        page(
            "The moons of the planets",
            "https://astro.example.org/moons",
            &[
                "# Small moons",
                "Mars has two small natural moons, Phobos and Deimos. However, neither is round.",
                "Venus has no moons at all.",
            ],
        ),
        page(
            "Baking bread at home",
            "https://bread.example.org/",
            &[
                "# How to make sourdough bread",
                "To make sourdough bread you need flour, water, salt and an active starter.",
                "- Mix the starter with the flour and the water.",
                "- Let the dough rest for four hours.",
                "- Bake the bread in a hot oven for 40 minutes.",
                "Subscribe to our newsletter to read more about bread.",
            ],
        ),
        page(
            "Threads und Prozesse",
            "https://info.example.de/",
            &[
                "# Prozess",
                "Ein Prozess ist ein laufendes Programm mit eigenem Speicher. Er wird vom Betriebssystem verwaltet.",
                "# Thread",
                "Ein Thread ist ein Ausführungsstrang innerhalb eines Prozesses.",
            ],
        ),
        page(
            "Lists and tuples",
            "https://code.example.org/",
            &[
                "# Lists and tuples",
                "A list is a mutable sequence, while a tuple cannot be changed after it was made.",
                "Lists are written with square brackets. Tuples are written with parentheses.",
            ],
        ),
        page(
            "Why the sky is blue",
            "https://sky.example.org/",
            &[
                "# Colour of the sky",
                "The sky is blue because air scatters blue light more than red light. This is called Rayleigh scattering.",
                "Many people like a blue sky.",
            ],
        ),
    ]
}

fn ask(question: &str) -> Option<String> {
    let plan = plan(question);
    let sources = ranked(&plan);
    extract_text(&plan, &sources)
}

fn ranked(plan: &Plan) -> Vec<RankedSource> {
    ranked_of(plan, corpus())
}

fn ranked_of(plan: &Plan, candidates: Vec<Candidate>) -> Vec<RankedSource> {
    let options = RankOptions {
        limit: 5,
        rerank: true,
        diversity: true,
        recency: false,
        query_aware: false,
        now: Utc.with_ymd_and_hms(2026, 6, 1, 0, 0, 0).unwrap(),
    };
    rank_by_words(plan, candidates, &options)
}

#[test]
fn questions_are_answered_in_the_words_of_the_sources() {
    for (question, expected) in [
        (
            "What is asyncio.gather?",
            "Run awaitable objects in the aws sequence concurrently [1].",
        ),
        ("What is Mars?", "Mars is the fourth planet from the Sun"),
        (
            "How many moons does Mars have?",
            "Mars has two small natural moons",
        ),
        (
            "When were the moons of Mars discovered?",
            "discovered in 1877",
        ),
        (
            "How do I make sourdough bread?",
            "Mix the starter with the flour and the water [1].",
        ),
        (
            "Was ist ein Prozess?",
            "Ein Prozess ist ein laufendes Programm",
        ),
        (
            "What is the difference between a list and a tuple?",
            "a tuple cannot be changed",
        ),
        ("Why is the sky blue?", "because air scatters blue light"),
    ] {
        let answer = ask(question).unwrap_or_default();
        assert_says(question, &answer, expected);
    }
}

fn assert_says(question: &str, answer: &str, expected: &str) {
    assert!(answer.contains(expected), "{question}\n  {answer}");
    assert!(answer.contains("[1]"), "{question}\n  {answer}");
}

#[test]
fn the_first_sentence_is_the_answer() {
    assert!(
        ask("What is asyncio.gather?")
            .unwrap()
            .starts_with("Run awaitable objects")
    );
    assert!(
        ask("What is Mars?")
            .unwrap()
            .starts_with("Mars is the fourth planet")
    );
    assert!(
        ask("How many moons does Mars have?")
            .unwrap()
            .starts_with("Mars has two")
    );
}

#[test]
fn sources_that_agree_are_cited_together() {
    let answer = ask("How many moons does Mars have?").unwrap();
    assert_eq!(answer.matches("two small natural moons").count(), 1);
    assert!(answer.contains("Deimos [1][2]."), "{answer}");
}

#[test]
fn navigation_code_and_footnotes_stay_out() {
    for question in [
        "What is Mars?",
        "How do I make sourdough bread?",
        "What is asyncio.gather?",
    ] {
        let answer = ask(question).unwrap();
        for unwanted in [
            "Sign in",
            "newsletter",
            "async def",
            "[12]",
            "See also",
            "Changed in",
        ] {
            assert!(!answer.contains(unwanted), "{question}: {answer}");
        }
    }
}

#[test]
fn no_answer_begins_with_a_word_that_points_back() {
    for question in [
        "What is Mars?",
        "When were the moons of Mars discovered?",
        "Is Phobos round?",
    ] {
        let answer = ask(question).unwrap_or_default();
        for start in ["It ", "They ", "However", "This "] {
            assert!(!answer.starts_with(start), "{question}: {answer}");
        }
    }
}

#[test]
fn a_question_that_the_sources_do_not_answer_has_no_answer() {
    for question in [
        "What is asyncio.TaskGroup?",
        "Who is the president of Atlantis?",
        "How many employees does Siemens have?",
        "How many people live on Venus?",
    ] {
        assert_eq!(ask(question), None, "{question}");
    }
}

#[test]
fn the_missing_answer_is_said_in_the_language_of_the_question() {
    let mut plan = plan("Wer ist der Präsident von Atlantis?");
    assert!(abstention_text(&plan, &[]).starts_with("Die gefundenen Quellen"));
    plan.language = Some("fr".to_owned());
    assert!(abstention_text(&plan, &[]).contains("ne répondent pas"));
    plan.language = None;
    let sources = vec![crate::pipeline::answer::fixtures::ranked(
        "A [9] title",
        "https://a.example/",
        "Text.",
    )];
    assert!(abstention_text(&plan, &sources).ends_with("“A title” [1]."));
}

/// The question in `parts`, as the planner divides it.
fn ask_parts(parts: &[&str]) -> Option<ExtractedAnswer> {
    let plan = Plan {
        sub_questions: parts.iter().map(|part| (*part).to_owned()).collect(),
        ..plan(&parts.join(" And "))
    };
    extract(&plan, &ranked(&plan))
}

#[test]
fn every_part_of_a_question_is_answered_by_itself() {
    let quotes = ask_parts(&["What is asyncio.gather?", "What is Mars?"]).unwrap();
    let text = quotes.sentences.join(" ");
    for expected in ["Run awaitable objects", "Mars is the fourth planet"] {
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(quotes.unanswered, Vec::<String>::new());
}

#[test]
fn a_part_without_an_answer_is_named() {
    let quotes = ask_parts(&["What is Mars?", "What is asyncio.TaskGroup?"]).unwrap();
    assert_eq!(quotes.unanswered, ["What is asyncio.TaskGroup?"]);
    assert!(quotes.answered < 0.6, "{}", quotes.answered);
    assert_eq!(
        ask_parts(&["Who rules Atlantis?", "What is asyncio.TaskGroup?"]),
        None
    );
}

#[test]
fn who_did_it_is_answered_with_a_name_or_not_at_all() {
    let answer = ask("Who discovered the moons of Mars?").unwrap();
    assert!(answer.contains("Asaph Hall"), "{answer}");
    assert_eq!(ask("Who bakes sourdough bread?"), None);
}

#[test]
fn a_source_that_says_something_else_in_like_words_is_not_cited() {
    let source = |url: &str, text: &str| {
        crate::pipeline::answer::fixtures::ranked("Opening files", url, text)
    };
    let sources = vec![
        source(
            "https://a.example/",
            "To open a file, call open and get a corresponding file object in return.",
        ),
        source(
            "https://b.example/",
            "To close a file, call close and get the corresponding file object in return.",
        ),
    ];
    let answer = extract_text(&plan("How do I open a file?"), &sources).unwrap();
    assert!(answer.contains("in return [1]."), "{answer}");
}

#[test]
fn evidence_is_greater_for_an_answer_that_says_what_is_asked() {
    let evidence = |question: &str| {
        let plan = plan(question);
        extract(&plan, &ranked(&plan)).map_or(0.0, |quotes| quotes.answered)
    };
    let whole = evidence("How many moons does Mars have?");
    assert!(whole > 0.6, "{whole}");
    assert!(evidence("Why is the sky blue?") > 0.6);
}

#[test]
fn whether_it_is_so_takes_a_sentence_that_speaks_of_all_of_it() {
    let answer = ask("Does air scatter blue light?").unwrap();
    assert!(answer.contains("air scatters blue light"), "{answer}");
    assert_eq!(ask("Can a tuple contain a list?"), None);
}
