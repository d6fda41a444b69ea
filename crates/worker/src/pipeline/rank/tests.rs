use super::*;
use crate::pipeline::answer::fixtures::{candidate, page, plan};
use chrono::{TimeDelta, TimeZone};

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

fn tasks() -> Candidate {
    page(
        "Coroutines and Tasks",
        "https://docs.python.org/3/library/asyncio-task.html",
        &[
            "# Coroutines and Tasks",
            "This section outlines high-level asyncio APIs to work with coroutines and tasks.",
            "## Running Tasks Concurrently",
            ": awaitable asyncio.gather(*aws, return_exceptions=False)",
            "Run awaitable objects in the aws sequence concurrently.",
            "If all awaitables are completed successfully, the result is an aggregate list of returned values.",
            "## Sleeping",
            ": coroutine asyncio.sleep(delay)",
            "Block for delay seconds.",
        ],
    )
}

fn urls(ranked: &[RankedSource]) -> Vec<&str> {
    ranked
        .iter()
        .map(|source| source.candidate.url.as_str())
        .collect()
}

#[test]
fn the_entry_that_names_the_thing_is_the_best_passage() {
    let other = page(
        "Queues",
        "https://docs.python.org/3/library/asyncio-queue.html",
        &[
            "# Queues",
            "asyncio queues are designed to be similar to classes of the queue module.",
        ],
    );
    let ranked = rank_by_words(
        &plan("What is asyncio.gather?"),
        vec![other, tasks()],
        &options(),
    );
    assert_eq!(ranked[0].candidate.title, "Coroutines and Tasks");
    assert!(
        ranked[0].passages[0]
            .text
            .starts_with("Run awaitable objects")
    );
    assert_eq!(ranked[0].passages[0].headings.len(), 3);
    assert!(ranked[0].relevance > 0.7, "{}", ranked[0].relevance);
}

#[test]
fn a_source_without_a_word_of_the_question_is_dropped() {
    let cats = candidate(
        "Cats",
        "https://cats.example/",
        "Cats purr when they are content.",
    );
    let ranked = rank_by_words(
        &plan("What is asyncio.gather?"),
        vec![cats, tasks()],
        &options(),
    );
    assert_eq!(ranked.len(), 1);
}

#[test]
fn sources_of_a_question_without_words_stay_in_the_order_of_the_engine() {
    let found = |place: u32, title: &str, url: &str, text: &str| Candidate {
        fusion_score: 1.0 / f64::from(60 + place),
        ..candidate(title, url, text)
    };
    let arrows = || {
        vec![
            found(
                2,
                "Arrow functions",
                "https://b.example/",
                "A short way to write functions.",
            ),
            found(
                1,
                "Fat arrow",
                "https://a.example/",
                "The arrow separates a key from its value.",
            ),
        ]
    };
    let ranked = rank_by_words(&plan("=> ?"), arrows(), &options());
    assert_eq!(urls(&ranked), ["https://a.example/", "https://b.example/"]);
    assert!(rank_by_words(&plan("What is xyzzy?"), arrows(), &options()).is_empty());
}

#[test]
fn relevance_does_not_depend_on_the_other_sources() {
    let plan = plan("What is asyncio.gather?");
    let alone = rank_by_words(&plan, vec![tasks()], &options())[0].relevance;
    let other = candidate(
        "Gather",
        "https://b.example/",
        "asyncio.gather runs awaitables. asyncio.gather gathers.",
    );
    let together = rank_by_words(&plan, vec![other, tasks()], &options());
    let same = together
        .iter()
        .find(|s| s.candidate.title.starts_with("Coroutines"))
        .unwrap();
    assert!((alone - same.relevance).abs() < 1e-9);
}

#[test]
fn scores_stay_between_0_and_1_and_order_the_sources() {
    let plan = plan("moons of Mars");
    let many: Vec<Candidate> = (0..30)
        .map(|n| {
            let text = format!(
                "Mars, the moons of Mars, moons, number {n} {}.",
                "word ".repeat(n)
            );
            let mut one = candidate("Moons of Mars", &format!("https://site{n}.example/"), &text);
            one.fusion_score = 0.2;
            one
        })
        .collect();
    let ranked = rank_by_words(&plan, many, &options());
    assert!(!ranked.is_empty());
    for source in &ranked {
        assert!((0.0..=1.0).contains(&source.final_score));
        assert!((0.0..=1.0).contains(&source.relevance));
    }
    assert!(
        ranked
            .windows(2)
            .all(|pair| pair[0].final_score >= pair[1].final_score)
    );
}

#[test]
fn one_publisher_has_at_most_three_sources() {
    let mut all: Vec<Candidate> = (0..5)
        .map(|n| {
            let text = format!(
                "The moons of Mars are described in part {n} by {}.",
                topic(n)
            );
            candidate("Mars", &format!("https://www.bbc.co.uk/{n}"), &text)
        })
        .collect();
    all.push(candidate(
        "Other",
        "https://other.example/",
        "Moons of Mars, seen elsewhere by others.",
    ));
    let plan = plan("moons of Mars");
    let ranked = rank_by_words(&plan, all.clone(), &options());
    assert_eq!(
        urls(&ranked)
            .iter()
            .filter(|url| url.contains("bbc"))
            .count(),
        3
    );
    let free = rank_by_words(
        &plan,
        all,
        &RankOptions {
            diversity: false,
            ..options()
        },
    );
    assert_eq!(
        urls(&free).iter().filter(|url| url.contains("bbc")).count(),
        5.min(free.len())
    );
}

#[test]
fn a_corpus_of_one_host_is_not_capped() {
    let all: Vec<Candidate> = (0..5)
        .map(|n| {
            candidate(
                "Mars",
                &format!("file:///docs/{n}.html"),
                &format!("Moons of Mars, {} told.", topic(n)),
            )
        })
        .collect();
    assert_eq!(
        rank_by_words(&plan("moons of Mars"), all, &options()).len(),
        5
    );
}

#[test]
fn copies_count_once() {
    let text = "The two moons of Mars are named Phobos and Deimos and were found in 1877 by Hall.";
    let mut copy = candidate("Copy", "https://mirror.example/", text);
    copy.found_by_queries = vec![1];
    copy.fusion_score = 0.001;
    let all = vec![candidate("Original", "https://a.example/", text), copy];
    let ranked = rank_by_words(&plan("moons of Mars"), all, &options());
    assert_eq!(ranked.len(), 1);
    assert_eq!(ranked[0].candidate.found_by_queries, [0, 1]);
}

#[test]
fn a_mirror_with_other_furniture_and_an_excerpt_of_one_count_once() {
    let article: Vec<String> = (0..12)
        .map(|n| format!("In year {n} the moons of Mars were seen {n} times by {}, who wrote down the hours.", topic(n)))
        .collect();
    let lines: Vec<&str> = article.iter().map(String::as_str).collect();
    let original = page("Moons of Mars", "https://a.example/", &lines);
    let mut with_furniture = vec!["# Daily mirror of everything", "Subscribe to our letter."];
    with_furniture.extend(&lines);
    let mirror = page("Daily mirror", "https://mirror.example/", &with_furniture);
    let excerpt = candidate("Moons of Mars", "https://unread.example/", lines[3]);
    let other = candidate(
        "Moons of Mars",
        "https://own.example/",
        "Phobos is the larger one of the two moons of Mars, as anybody can see.",
    );
    let ranked = rank_by_words(
        &plan("moons of Mars"),
        vec![original, mirror, excerpt, other],
        &options(),
    );
    let mut hosts = urls(&ranked);
    hosts.sort_unstable();
    assert_eq!(hosts.len(), 2, "{hosts:?}");
    assert!(hosts.contains(&"https://own.example/"));
}

#[test]
fn a_name_that_only_holds_the_words_of_the_question_is_not_about_it() {
    let pipes = page(
        "Events",
        "https://docs.example/loop",
        &[
            ": loop.connect_write_pipe(factory, pipe)",
            "Register the far end of the pipe with the given factory.",
        ],
    );
    let tutorial = page(
        "Control flow",
        "https://docs.example/tutorial",
        &[
            "# for statements",
            "To write a for loop, name a variable and what to go through.",
        ],
    );
    let ranked = rank_by_words(
        &plan("How do I write a loop?"),
        vec![pipes, tutorial],
        &options(),
    );
    assert_eq!(ranked[0].candidate.title, "Control flow");
    let of_name = ranked
        .iter()
        .find(|source| source.candidate.title == "Events");
    assert!(of_name.is_none_or(|source| source.relevance < 0.8 * ranked[0].relevance));
}

#[test]
fn recent_sources_come_first_when_asked() {
    let now = options().now;
    let mut old = candidate(
        "Old",
        "https://a.example/",
        "News of the Mars mission from long before.",
    );
    old.published = Some(now - TimeDelta::days(2000));
    let mut new = candidate(
        "New",
        "https://b.example/",
        "News of the Mars mission written just lately.",
    );
    new.published = Some(now - TimeDelta::days(2));
    new.fusion_score = old.fusion_score * 0.8;
    let all = vec![old, new];
    let plan = plan("Mars mission");
    assert_eq!(
        rank_by_words(&plan, all.clone(), &options())[0]
            .candidate
            .title,
        "Old"
    );
    let recent = RankOptions {
        recency: true,
        ..options()
    };
    assert_eq!(rank_by_words(&plan, all, &recent)[0].candidate.title, "New");
}

#[test]
fn every_compared_thing_keeps_a_source() {
    let mut plan = plan("Compare Postgres and SQLite for small projects");
    plan.entities = vec!["Postgres".to_owned(), "SQLite".to_owned()];
    let mut all: Vec<Candidate> = (0..6)
        .map(|n| {
            candidate(
                "Postgres",
                &format!("https://p{n}.example/"),
                &format!("Postgres for small projects, compared by {}.", topic(n)),
            )
        })
        .collect();
    all.push(candidate(
        "Lite",
        "https://lite.example/",
        "A word on SQLite.",
    ));
    let ranked = rank_by_words(
        &plan,
        all,
        &RankOptions {
            limit: 3,
            ..options()
        },
    );
    assert_eq!(ranked.len(), 3);
    assert!(urls(&ranked).contains(&"https://lite.example/"));
}

#[test]
fn long_paragraphs_are_cut_between_sentences() {
    let long = "The probe went to Mars and sent back one picture. ".repeat(60);
    let ranked = rank_by_words(
        &plan("probe Mars picture"),
        vec![page("Probe", "https://a.example/", &[&long])],
        &options(),
    );
    let passage = &ranked[0].passages[0].text;
    assert!(passage.split_whitespace().count() <= 180);
    assert!(passage.ends_with("picture."));
}

fn topic(n: usize) -> &'static str {
    [
        "an old farmer in the north",
        "two students of physics",
        "somebody who likes bread",
        "the ship's cook at night",
        "our neighbour with three dogs",
        "a poet",
    ]
    .get(n)
    .copied()
    .unwrap_or("nobody")
}
