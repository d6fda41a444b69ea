//! What is found, and how it is shown.

use super::*;

const TASKS: &str = r#"<html lang="en"><head><title>Tasks — Robots 1.0 documentation</title></head><body>
<main><h1 id="tasks">Tasks</h1><p>Robots do tasks one by one, or many at the same time.</p>
<h2 id="running">Running tasks together</h2>
<dl><dt id="robot.gather">async robot.gather(*tasks)</dt>
<dd><p>Runs all of the tasks side by side and returns the list of their results in order.</p></dd>
<dt id="robot.halt">robot.halt()</dt><dd><p>Stops the robot where it stands, whatever it is doing.</p></dd></dl>
</main></body></html>"#;

const CARE: &str = "# Care of robots\n\nRobots like oil.\n\n## Oiling joints\n\nOil each joint once a week, and \
    gather the used rags afterwards. A joint without oil squeaks.\n\n## Storage\n\nKeep them dry.\n";

#[tokio::test]
async fn a_name_leads_to_the_place_that_defines_it() {
    let folder = Corpus::new(&[("tasks.html", TASKS), ("care.md", CARE)]);
    let corpus = folder.built();
    let hit = first(&corpus, "What is robot.gather?").await;
    ends_with(&hit, "/tasks.html#robot.gather");
    assert_eq!(hit.title, "Tasks");
    assert!(
        hit.snippet.starts_with("Runs all of the tasks"),
        "{}",
        hit.snippet
    );
    assert_eq!(
        (hit.provider, hit.position, hit.published),
        ("local", 1, None)
    );
    let document = hit.document.unwrap();
    assert!(
        document
            .blocks
            .iter()
            .any(|block| block.kind == BlockKind::Term)
    );
    assert!(
        document
            .blocks
            .iter()
            .any(|block| block.text == "Running tasks together")
    );
}

#[tokio::test]
async fn a_question_in_other_forms_of_the_words_leads_to_the_section() {
    let folder = Corpus::new(&[("tasks.html", TASKS), ("care.md", CARE)]);
    let corpus = folder.built();
    let hit = first(&corpus, "How often should I oil a robot's joint?").await;
    assert!(hit.url.contains("/care.md"), "{}", hit.url);
    assert!(hit.snippet.contains("once a week"), "{}", hit.snippet);
}

#[tokio::test]
async fn one_page_is_one_hit() {
    let folder = Corpus::new(&[("care.md", CARE)]);
    let corpus = folder.built();
    assert_eq!(hits(&corpus, "robots oil joints dry").await.len(), 1);
}

#[tokio::test]
async fn words_that_nobody_wrote_find_nothing() {
    let folder = Corpus::new(&[("care.md", CARE)]);
    let corpus = folder.built();
    assert!(hits(&corpus, "zeppelin").await.is_empty());
    assert!(hits(&corpus, "?!").await.is_empty());
}

#[tokio::test]
async fn links_start_at_the_base_url() {
    let folder = Corpus::new(&[("deep/my file.md", CARE)]);
    let corpus = LocalCorpus::open(
        CorpusSettings {
            base_url: Some(Url::parse("https://docs.example.org/robots").unwrap()),
            ..folder.settings()
        },
        ParserPool::default(),
    )
    .unwrap();
    assert!(refresh(&corpus));
    let hit = first(&corpus, "oiling joints").await;
    assert!(
        hit.url
            .starts_with("https://docs.example.org/robots/deep/my%20file.md"),
        "{}",
        hit.url
    );
}

#[tokio::test]
async fn without_a_base_url_links_name_the_file() {
    let folder = Corpus::new(&[("my file.txt", "Apples are red.")]);
    let corpus = folder.built();
    let url = Url::parse(&first(&corpus, "apples").await.url).unwrap();
    assert_eq!(
        url.to_file_path().unwrap(),
        folder.path("my file.txt").canonicalize().unwrap()
    );
}

#[tokio::test]
async fn the_page_about_a_thing_comes_before_the_ones_that_mention_it() {
    let changes: String = (1..400)
        .map(|n| format!("- Issue {n}: the gripper no longer drops the gripper of release {n}.\n"))
        .collect();
    let folder = Corpus::new(&[
        (
            "changes.md",
            &format!("# Changes\n\n## gripper\n\n{changes}"),
        ),
        (
            "gripper.md",
            "# gripper — holding things\n\nHolds a thing between two fingers until told to let go.\n",
        ),
    ]);
    let corpus = folder.built();
    let hits = hits(&corpus, "What is the gripper?").await;
    assert!(hits[0].url.contains("/gripper.md"), "{}", hits[0].url);
    assert_eq!(hits.len(), 2);
}

#[tokio::test]
async fn a_document_of_a_hit_is_bounded() {
    let body: String = (0..60)
        .map(|n| {
            format!(
                "## Valve {n}\n\n{}\n\n",
                "The valve lets water through. ".repeat(60)
            )
        })
        .collect();
    let folder = Corpus::new(&[("valves.md", &format!("# Valves\n\n{body}"))]);
    let corpus = folder.built();
    let hit = first(&corpus, "valve water").await;
    let document = hit.document.unwrap();
    assert!(
        document.len() > 2_000 && document.len() < 13_000,
        "{}",
        document.len()
    );
    assert!(hit.snippet.chars().count() <= 400);
}

const CATS: &str = "<html lang=de><title>Tiere</title><h1>Haltung</h1>\
    <p>Die Katze braucht jeden Abend einen warmen Platz zum Schlafen.</p></html>";

#[tokio::test]
async fn each_page_is_found_by_the_forms_of_its_own_language() {
    let folder = Corpus::new(&[
        ("katze.html", CATS),
        ("care.md", CARE),
        (
            "chevaux.txt",
            "Le fermier soigne ses chevaux chaque matin, parce que les animaux de la ferme ont faim \
             quand le soleil se lève sur la colline derrière la maison.",
        ),
    ]);
    let corpus = folder.built();
    for (question, file) in [
        ("Was brauchen Katzen?", "/katze.html"),
        ("Katzen", "/katze.html"),
        ("How often should I oil a robot's joint?", "/care.md"),
        ("Qui soignait les chevaux ?", "/chevaux.txt"),
    ] {
        let hit = first(&corpus, question).await;
        assert!(hit.url.contains(file), "{question}: {}", hit.url);
    }
    let cats = first(&corpus, "Katzen").await;
    assert!(cats.snippet.contains("Katze"), "{}", cats.snippet);
    let french = first(&corpus, "chevaux").await.document.unwrap();
    assert_eq!(french.language.as_deref(), Some("fr"));
}

#[tokio::test]
async fn a_page_that_names_the_thing_leaves_room_for_one_that_agrees() {
    let folder = Corpus::new(&[
        (
            "csv.md",
            "# csv — reading a CSV file and writing it\n\n## csv\n\nThe csv module reads a CSV file row by row.\n",
        ),
        (
            "io.md",
            "# Input and output\n\nFiles are opened by name. Open the file first; how to read what is in it \
             depends on its kind: pictures, tables and so on have readers of their own.\n",
        ),
    ]);
    let corpus = folder.built();
    let hits = hits(&corpus, "How do I read a CSV file?").await;
    assert!(hits[0].url.contains("/csv.md"), "{}", hits[0].url);
    assert_eq!(hits.len(), 2);
}
