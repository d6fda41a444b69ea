//! Answers from local folders.

use std::fs;
use std::path::Path;
use std::time::Duration;

use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::model::{self, Script};
use privachat_tests::{Stack, Upstream, binaries, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One fact per file: HTML, Markdown, text; and files that must not be found.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder,
        "web/kettle.html",
        "<!DOCTYPE html><html><head><title>The kettle</title></head><body><nav>Home</nav><main>\
         <h1>The kettle</h1><p>The kettle of the ship boils twelve litres of water in nine minutes.</p></main></body></html>",
    );
    write(
        &folder,
        "notes/anchor.md",
        "# The anchor\n\nThe anchor of the ship weighs seven hundred kilograms.\n",
    );
    write(
        &folder,
        "mast.txt",
        "The mast of the ship is made of spruce from Norway.\n",
    );
    write(
        &folder,
        ".secret/rudder.md",
        "# Rudder\n\nThe rudder of the ship is made of oak.\n",
    );
    write(
        &folder,
        ".rudder.txt",
        "The rudder of the ship is made of elm.\n",
    );
    let binary: Vec<u8> = b"rudder of the ship \x00\xff\xfe".repeat(500);
    fs::write(folder.path().join("rudder.txt"), &binary).unwrap();
    fs::write(folder.path().join("rudder.png"), &binary).unwrap();
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn with_corpus(corpus: &Path) -> StackBuilder {
    Stack::builder(binaries!())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("CORPUS_PATHS", corpus.display())
}

async fn ask(stack: &Stack, question: &str) -> Value {
    let request = json!({"query": question, "timeout": 20});
    let id = stack.client().enqueue(request).await;
    stack.client().wait_terminal(&id).await
}

/// The first citation of an answer that contains `part`.
fn cited(end: &Value, part: &str) -> Option<String> {
    let answer = end["answer"].as_str()?;
    if !answer.contains(part) {
        return None;
    }
    let url = end["citation_mapping"][0]["source_url"].as_str()?;
    Some(url.to_owned())
}

#[tokio::test]
async fn each_kind_of_file_gives_an_answer_with_a_link_to_it() {
    let corpus = folder();
    let stack = with_corpus(corpus.path()).start().await;
    let questions = [
        (
            "How much water does the kettle boil?",
            "twelve litres",
            "web/kettle.html",
        ),
        (
            "How much does the anchor weigh?",
            "seven hundred kilograms",
            "notes/anchor.md",
        ),
        ("What is the mast made of?", "spruce", "mast.txt"),
    ];
    for (question, part, file) in questions {
        let end = ask(&stack, question).await;
        let url = cited(&end, part).unwrap_or_else(|| panic!("{end}"));
        let path = url
            .strip_prefix("file://")
            .unwrap_or_else(|| panic!("{url}"));
        let path = path.split('#').next().unwrap();
        assert_eq!(Path::new(path), corpus.path().join(file));
        assert!(Path::new(path).is_file(), "a link that works");
        assert_eq!(end["warnings"], json!([]), "nothing had to be fetched");
    }
    let hidden = ask(&stack, "What is the rudder made of?").await;
    let shown = hidden.to_string();
    assert!(!shown.contains("oak") && !shown.contains("elm"), "{hidden}");
    let addresses = format!("{}", hidden["sources"]);
    assert!(!addresses.contains("rudder."), "{hidden}");
}

#[tokio::test]
async fn links_go_to_the_published_address_when_there_is_one() {
    let corpus = folder();
    let builder = with_corpus(corpus.path());
    let base = "https://docs.example.org/ship/";
    let stack = builder.env("CORPUS_BASE_URL", base).start().await;
    let end = ask(&stack, "How much water does the kettle boil?").await;
    let url = cited(&end, "twelve litres").unwrap_or_else(|| panic!("{end}"));
    assert!(url.starts_with(&format!("{base}web/kettle.html")), "{url}");
    assert!(
        !end.to_string()
            .contains(&corpus.path().display().to_string()),
        "{end}"
    );
}

#[tokio::test]
async fn a_changed_file_and_a_new_one_are_found_after_a_restart_and_a_deleted_one_is_not() {
    let corpus = folder();
    let mut stack = with_corpus(corpus.path()).start().await;
    let question = "How much does the anchor weigh?";
    assert!(cited(&ask(&stack, question).await, "seven hundred").is_some());

    assert_eq!(stack.workers[0].process().stop(TIMEOUT).await, 0);
    stack.workers.clear();
    write(
        &corpus,
        "notes/anchor.md",
        "# The anchor\n\nThe anchor of the ship weighs nine hundred kilograms now.\n",
    );
    write(
        &corpus,
        "sail.md",
        "# The sail\n\nThe sail of the ship is made of hemp.\n",
    );
    fs::remove_file(corpus.path().join("mast.txt")).unwrap();
    stack.add_worker();

    // The index of the first run is served until the second run has scanned the folder.
    eventually("the change is found", TIMEOUT, async || {
        cited(&ask(&stack, question).await, "nine hundred")
    })
    .await;
    let sail = ask(&stack, "What is the sail made of?").await;
    assert!(cited(&sail, "hemp").is_some(), "{sail}");
    let mast = ask(&stack, "What is the mast made of?").await;
    assert!(!mast.to_string().contains("spruce"), "{mast}");
}

#[tokio::test]
async fn two_workers_share_one_index() {
    let corpus = folder();
    let mut stack = with_corpus(corpus.path()).workers(2).start().await;
    let question = "How much does the anchor weigh?";
    let ends = tokio::join!(
        ask(&stack, question),
        ask(&stack, question),
        ask(&stack, question)
    );
    for end in [ends.0, ends.1, ends.2] {
        assert!(cited(&end, "seven hundred").is_some(), "{end}");
    }
    // The second worker alone has everything, and so has a third one that starts later.
    for _ in 0..2 {
        let mut first = stack.workers.remove(0);
        assert_eq!(first.process().stop(TIMEOUT).await, 0);
        let end = ask(&stack, question).await;
        assert!(cited(&end, "seven hundred").is_some(), "{end}");
        stack.add_worker();
    }
    for worker in &mut stack.workers {
        worker.process().assert_alive();
    }
}

#[tokio::test]
async fn a_missing_or_empty_folder_finds_nothing_and_says_so() {
    let bare = tempfile::tempdir().unwrap();
    for corpus in [bare.path().to_owned(), bare.path().join("missing")] {
        let mut stack = with_corpus(&corpus).start().await;
        let end = ask(&stack, "What is the mast made of?").await;
        assert_eq!(end["status"], "failed", "{end}");
        assert_eq!(end["error_code"], "no_sources", "{end}");
        let error = end["error"].as_str().unwrap_or_default();
        assert!(error.contains("by local"), "{end}");
        stack.workers[0].process().assert_alive();
    }
}

#[tokio::test]
async fn ranking_uses_embeddings_and_falls_back_to_words_when_they_fail() {
    let corpus = folder();
    let question = "How much water does the kettle boil?";
    let request = json!({"query": question, "mode": "balanced", "timeout": 20});
    for (server, works) in [
        (model::chat(Script::says("")), true),
        (Upstream::always(model::rate_limited()), false),
    ] {
        let stack = with_corpus(corpus.path())
            .env("EMBEDDING_BASE_URL", server.url_for("/v1"))
            .env("EMBEDDING_MODEL", "double")
            .start()
            .await;
        let id = stack.client().enqueue(request.clone()).await;
        let end = stack.client().wait_completed(&id).await;
        assert!(cited(&end, "twelve litres").is_some(), "{end}");
        assert!(server.calls() > 0);
        let best = &end["sources"][0]["semantic_score"];
        let warnings = end["warnings"].to_string();
        if works {
            let score = best.as_f64().unwrap_or_else(|| panic!("{end}"));
            assert!(score > 0.0 && score <= 1.0, "{end}");
            assert_eq!(end["warnings"], json!([]));
        } else {
            assert!(best.is_null(), "{end}");
            assert!(warnings.contains("ranked by words"), "{warnings}");
        }
    }
}

#[tokio::test]
async fn a_paraphrase_is_unverified_by_words_and_verified_by_embeddings() {
    let corpus = folder();
    let says = "Aboard, the vessel brings its tank to a rolling bubble in nine minutes [1].";
    let request = json!({"query": "How much water does the kettle boil?", "mode": "speed"});
    // Every sentence about those nine minutes has the same embedding, unlike all others.
    let meaning = |text: &str| {
        let same = f64::from(u8::from(text.contains("nine minutes")));
        vec![same, 1.0 - same]
    };
    for embeddings in [false, true] {
        let llm = model::chat_with_meanings(Script::says(says), meaning);
        let mut stack = with_corpus(corpus.path())
            .env("LLM_BASE_URL", llm.url_for("/v1"))
            .env("LLM_MODEL", "double");
        if embeddings {
            stack = stack
                .env("EMBEDDING_BASE_URL", llm.url_for("/v1"))
                .env("EMBEDDING_MODEL", "double");
        }
        let stack = stack.start().await;
        let id = stack.client().enqueue(request.clone()).await;
        let end = stack.client().wait_completed(&id).await;
        let answer = end["answer"].as_str().unwrap_or_default();
        if embeddings {
            assert_eq!(answer, says, "{end}");
            assert_eq!(end["hallucination_count"], 0, "{end}");
        } else {
            let marked = says.replace("[1]", "[1] [unverified]");
            assert_eq!(answer, marked, "{end}");
            assert_eq!(end["hallucination_count"], 1, "{end}");
        }
        assert_eq!(end["citation_mapping"][0]["mention_count"], 1, "{end}");
    }
}
