//! Answers that stand in tables, forums, code, and on pages about something larger.

use super::*;

/// What a single page answers.
fn ask_page(question: &str, title: &str, lines: &[&str]) -> Option<String> {
    let plan = plan(question);
    let candidates = vec![page(title, "https://page.example.org/", lines)];
    extract_text(&plan, &ranked_of(&plan, candidates))
}

const LAKES: &[&str] = &[
    "# Lakes of the Arn valley",
    "| Lake | Depth | Outflow",
    "| Great Arn | 84 m | Arn",
    "| Sill | 31 m | Great Arn",
    "Both lakes freeze in winter.",
];

#[test]
fn a_row_of_a_table_answers_what_it_is_about() {
    let lakes = |question| ask_page(question, "Lakes of the Arn valley", LAKES);
    let answer = lakes("How deep is the lake Sill?").unwrap();
    assert_eq!(answer, "Sill – Depth: 31 m; Outflow: Great Arn [1].");
    let checked = crate::pipeline::check::check_by_words(
        &answer,
        &ranked_of(
            &plan("How deep is the lake Sill?"),
            vec![page("Lakes of the Arn valley", "https://a.example/", LAKES)],
        ),
    );
    assert_eq!(checked.hallucination_count, 0, "{checked:?}");
    assert_eq!(lakes("How wide is the lake Sill?"), None);
}

#[test]
fn a_thing_is_defined_on_the_page_of_what_it_belongs_to() {
    let answer = ask_page(
        "What is a bucket in Quarl?",
        "Quarl storage",
        &[
            "# Storage",
            "Quarl is a server that keeps files.",
            "## Buckets",
            "A bucket is a folder whose files share one key.",
        ],
    );
    assert!(answer.unwrap().starts_with("A bucket is a folder"));
}

#[test]
fn who_asks_in_a_forum_answers_nothing() {
    let answer = ask_page(
        "How do I reset the Bolt 7 clock?",
        "Resetting the Bolt 7 clock",
        &[
            "I cannot reset my Bolt 7 clock. Is there a button for it?",
            "To reset the clock, press both knobs until the hands stop.",
        ],
    );
    let answer = answer.unwrap();
    assert!(answer.starts_with("To reset the clock"), "{answer}");
    assert!(!answer.contains("I cannot"), "{answer}");
}

#[test]
fn a_german_how_to_is_answered_though_its_verb_is_divided() {
    let answer = ask_page(
        "Wie lege ich ein Hochbeet an?",
        "Hochbeete im Garten",
        &[
            "Ein Hochbeet ist ein Kasten voller Erde.",
            "Um ein Hochbeet anzulegen, füllt man zuerst grobe Zweige in den Kasten.",
        ],
    );
    let answer = answer.unwrap();
    assert!(answer.contains("füllt man zuerst grobe Zweige"), "{answer}");
}

#[test]
fn things_without_a_comparing_sentence_stand_side_by_side() {
    let page = page(
        "Towers of Norland",
        "https://towers.example.org/",
        &[
            "# Towers of Norland",
            "There are three towers.",
            "## Westend",
            "- Height 48 metres, built of brick.",
            "## Ostend",
            "- Height 31 metres, built of wood.",
        ],
    );
    let plan = Plan {
        entities: vec!["Westend".to_owned(), "Ostend".to_owned()],
        ..plan("Is Westend taller than Ostend?")
    };
    let sources = ranked_of(&plan, vec![page]);
    let answer = extract_text(&plan, &sources).unwrap();
    assert_eq!(
        answer,
        "Westend: Height 48 metres, built of brick [1]. Ostend: Height 31 metres, built of wood [1]."
    );
}

#[test]
fn the_code_below_an_instruction_is_shown_in_fences() {
    let lines = &[
        "# Stopping the server",
        "To stop the server, send it the quit command.",
        "`send(jobs[1], 'quit')",
        "The server then ends in ten seconds.",
    ];
    let plan = plan("How do I stop the server?");
    let candidates = vec![page("Running a server", "https://a.example/", lines)];
    let sources = ranked_of(&plan, candidates);
    let answer = extract_text(&plan, &sources).unwrap();
    let shown = "send it the quit command [1].\n\n```\nsend(jobs[1], 'quit')\n```";
    assert!(answer.contains(shown), "{answer}");
    let checked = crate::pipeline::check::check_by_words(&answer, &sources);
    assert_eq!(checked.hallucination_count, 0, "{checked:?}");
    assert_eq!(checked.text, answer);
    let cleaned = crate::pipeline::answer::citations::clean(&answer, sources.len());
    assert_eq!(cleaned, answer);
}

#[test]
fn steps_are_told_on_the_page_about_the_thing_that_do_not_name_it() {
    let lamp = [
        "# Orbo K2 lamp",
        "The Orbo K2 is the smallest lamp of the family.",
        "It has no switch. It is reset in the Orbo app, under Device.",
    ];
    let answer = ask_page("How do I factory reset an Orbo K2?", "Orbo K2 lamp", &lamp);
    assert!(answer.unwrap().contains("in the Orbo app"));
    let other = ask_page("How do I factory reset an Orbo K9?", "Orbo K2 lamp", &lamp);
    assert_eq!(other, None);
    let undone = ask_page("How do I varnish an Orbo K2 lamp?", "Orbo K2 lamp", &lamp);
    assert_eq!(undone, None);
}

#[test]
fn a_pronoun_stands_for_what_the_sentence_before_names() {
    let bridge = [
        "# Closed for lorries",
        "The Hale Bridge is an arch of stone. It opened in 1871, a year after the bridge at Orton.",
    ];
    let opened = |question| ask_page(question, "Closed for lorries", &bridge);
    let answer = opened("When did the Hale Bridge open?").unwrap();
    assert!(answer.contains("It opened in 1871"), "{answer}");
    let answer = opened("When did the Orton Bridge open?");
    assert_eq!(answer, None);
}

#[test]
fn a_figure_that_the_question_brings_is_no_answer() {
    let answer = ask_page(
        "How many houses burned in the Mill fire of 1907?",
        "Mill fire of 1907",
        &[
            "# Mill fire of 1907",
            "The Mill fire of 1907 was the worst of the century.",
            "# Damage",
            "63 houses were lost, and the church.",
        ],
    );
    let answer = answer.unwrap();
    assert!(answer.starts_with("63 houses"), "{answer}");
}

#[test]
fn a_name_without_the_deed_does_not_say_who_did_it() {
    let who = |question| {
        ask_page(
            question,
            "The Lund chapel",
            &["The Lund chapel was designed by Mara Quist. It stands by the sea."],
        )
    };
    assert!(who("Who designed the Lund chapel?").is_some());
    assert_eq!(who("Who painted the Lund chapel?"), None);
}
