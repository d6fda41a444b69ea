use super::*;
use crate::{
    cleaning::{is_invisible, tests::unwanted},
    providers::local::CorpusSettings,
    web::fetch::FetchRules,
    wiring::PipelineSettings,
};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

const PAGE: &str = "<html><head><title>Tides</title></head><body><nav>Home Shop</nav><main>\
    <h1>Tides</h1><p>Tides are the rise and fall of sea levels. They are caused by the gravity of \
    the Moon and the Sun, together with the rotation of the Earth.</p></main></body></html>";

struct CommandOutput {
    succeeded: bool,
    output: String,
}

impl CommandOutput {
    fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap()
    }
}

/// Settings without Redis, and with a history that cannot be opened.
fn shared() -> SharedSettings {
    let lookup = |name: &str| {
        let value = match name {
            "REDIS_URL" => "redis+unix:///nowhere/no.sock",
            "DATABASE_URL" => "sqlite:///proc/nowhere/history.db",
            _ => return None,
        };
        Some(value.to_owned())
    };
    SharedSettings::read(&mut settings::SettingsReader::new(&lookup)).unwrap()
}

async fn worker(settings: &PipelineSettings, arguments: &[&str]) -> anyhow::Result<CommandOutput> {
    let arguments = std::iter::once(&"privachat-worker").chain(arguments);
    let command = Cli::try_parse_from(arguments)?.command.unwrap();
    let mut out = Vec::new();
    let code = run(command, settings, &shared(), &mut out).await?;
    Ok(CommandOutput {
        succeeded: format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS),
        output: String::from_utf8(out)?,
    })
}

fn corpus(folder: &TempDir) -> PipelineSettings {
    let documents = folder.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("tides.html"), PAGE).unwrap();
    PipelineSettings {
        corpus: Some(CorpusSettings {
            paths: vec![documents],
            index_dir: folder.path().join("index"),
            base_url: None,
        }),
        ..PipelineSettings::default()
    }
}

#[test]
fn the_arguments_are_declared_consistently() {
    Cli::command().debug_assert();
    assert!(
        Cli::try_parse_from(["privachat-worker"])
            .unwrap()
            .command
            .is_none()
    );
    assert!(Cli::try_parse_from(["privachat-worker", "ask", "x", "--mode", "slow"]).is_err());
}

#[tokio::test]
async fn a_question_is_answered_from_the_corpus_with_a_citation() {
    let folder = tempfile::tempdir().unwrap();
    let settings = corpus(&folder);
    let ended = worker(&settings, &["ask", "What causes tides?"])
        .await
        .unwrap();
    assert!(ended.succeeded, "{}", ended.output);
    assert!(
        ended.output.contains("[1]") && ended.output.contains("Moon"),
        "{}",
        ended.output
    );
    assert!(ended.output.contains("tides.html"), "{}", ended.output);

    let ended = worker(
        &settings,
        &["ask", "What causes tides?", "--mode", "deep", "--json"],
    )
    .await
    .unwrap();
    let response = ended.json();
    assert_eq!(response["status"], "completed");
    assert_eq!(response["mode"], "deep");
    assert_eq!(response["model_used"], "extractive");
    assert_eq!(response["citation_mapping"][0]["source_index"], 0);
    assert!(response["confidence"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn ask_without_any_provider_says_what_to_set() {
    let settings = PipelineSettings::default();
    let ended = worker(&settings, &["ask", "What causes tides?"])
        .await
        .unwrap();
    assert!(!ended.succeeded);
    assert!(
        ended.output.contains("SEARXNG_BASE_URL"),
        "{}",
        ended.output
    );
    let ended = worker(&settings, &["ask", "What causes tides?", "--json"])
        .await
        .unwrap();
    assert_eq!(ended.json()["error_code"], "no_provider");
    assert!(worker(&settings, &["ask", "  "]).await.is_err());
}

#[tokio::test]
async fn search_prints_the_results_of_one_provider() {
    let folder = tempfile::tempdir().unwrap();
    let settings = corpus(&folder);
    let ended = worker(
        &settings,
        &["search", "--provider", "local", "tides", "--json"],
    )
    .await
    .unwrap();
    assert_eq!(ended.json()[0]["provider"], "local");
    let ended = worker(&settings, &["search", "--provider", "local", "tides"])
        .await
        .unwrap();
    assert!(ended.output.starts_with("1. Tides"), "{}", ended.output);
    let ended = worker(&settings, &["search", "--provider", "local", "zzyzx"])
        .await
        .unwrap();
    assert_eq!(ended.output, "Nothing was found.\n");
    for refused in ["auto", "searxng"] {
        assert!(
            worker(&settings, &["search", "--provider", refused, "tides"])
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn read_parses_a_file_by_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let (html, markdown) = (folder.path().join("a.html"), folder.path().join("a.md"));
    fs::write(&html, PAGE).unwrap();
    fs::write(&markdown, "# Tides\n\n- rise\n- fall\n").unwrap();
    let settings = PipelineSettings::default();

    let ended = worker(&settings, &["read", html.to_str().unwrap()])
        .await
        .unwrap();
    assert!(ended.output.contains("Title: Tides"), "{}", ended.output);
    assert!(
        ended.output.contains("gravity") && !ended.output.contains("Shop"),
        "{}",
        ended.output
    );

    let ended = worker(&settings, &["read", markdown.to_str().unwrap(), "--json"])
        .await
        .unwrap();
    assert_eq!(ended.json()["blocks"][1]["kind"], "list item");
    assert!(worker(&settings, &["read", "no-such-file"]).await.is_err());
}

#[tokio::test]
async fn read_fetches_a_page_but_not_from_a_private_address() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw(PAGE, "text/html");
    Mock::given(path("/tides"))
        .respond_with(page)
        .mount(&server)
        .await;
    let address = format!("{}/tides", server.uri());

    let refused = worker(&PipelineSettings::default(), &["read", &address]).await;
    assert!(refused.is_err());
    let settings = PipelineSettings {
        fetch: FetchRules {
            allow_hosts: vec!["127.0.0.1".to_owned()],
            ..FetchRules::default()
        },
        ..PipelineSettings::default()
    };
    let ended = worker(&settings, &["read", &address]).await.unwrap();
    assert!(
        ended.output.contains("gravity of the Moon"),
        "{}",
        ended.output
    );
}

#[tokio::test]
async fn check_finds_the_supported_claims_of_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.json");
    let input = serde_json::json!({
        "answer": "Tides are caused by the gravity of the Moon [1]. Tides were invented in 1987 [1].",
        "sources": [{"title": "Tides", "url": "https://example.org/", "text":
            "Tides are the rise and fall of sea levels. They are caused by the gravity of the Moon."}],
    });
    fs::write(&file, input.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let settings = PipelineSettings::default();

    let claims = worker(&settings, &["check", file, "--json"])
        .await
        .unwrap()
        .json();
    assert_eq!(claims["hallucination_count"], 1);
    assert_eq!(claims["claims"][0]["supported"], true);
    let sentence = claims["claims"][0]["evidence"][0]["sentence"]
        .as_str()
        .unwrap();
    assert!(sentence.contains("gravity"), "{sentence}");

    let ended = worker(&settings, &["check", file]).await.unwrap();
    assert!(ended.output.contains("UNSUPPORTED"), "{}", ended.output);
    fs::write(folder.path().join("bad.json"), "{}").unwrap();
    let bad = folder.path().join("bad.json");
    assert!(
        worker(&settings, &["check", bad.to_str().unwrap()])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn check_config_names_what_is_off_and_what_is_broken() {
    let ended = worker(&PipelineSettings::default(), &["check-config"])
        .await
        .unwrap();
    assert!(!ended.succeeded);
    assert!(
        ended
            .output
            .contains("off   searxng     set SEARXNG_BASE_URL"),
        "{}",
        ended.output
    );
    assert!(
        ended.output.contains("No search provider works"),
        "{}",
        ended.output
    );

    let server = MockServer::start().await;
    let json_off = ResponseTemplate::new(403).set_body_raw("<html>Forbidden</html>", "text/html");
    Mock::given(path("/search"))
        .respond_with(json_off)
        .mount(&server)
        .await;
    let settings = PipelineSettings {
        searxng: Some(server.uri().parse().unwrap()),
        ..PipelineSettings::default()
    };
    let ended = worker(&settings, &["check-config"]).await.unwrap();
    assert!(!ended.succeeded);
    assert!(ended.output.contains("FAIL  searxng"), "{}", ended.output);
    assert!(
        ended.output.contains("enable json under search.formats"),
        "{}",
        ended.output
    );

    let folder = tempfile::tempdir().unwrap();
    let settings = corpus(&folder);
    fs::write(folder.path().join("documents/scan.pdf"), "%PDF-1.7 broken").unwrap();
    worker(&settings, &["search", "--provider", "local", "tides"])
        .await
        .unwrap();
    let ended = worker(&settings, &["check-config"]).await.unwrap();
    assert!(!ended.succeeded, "Redis is required");
    for part in [
        "ok    local       2 files, 1 sections",
        "warn  local       1 of its files cannot be parsed: file:///",
        "/documents/scan.pdf (a PDF that cannot be parsed)",
        // A unit test runs without confinement.
        "warn  parser      this kernel does not take files and network away",
        "FAIL  redis       Redis does not answer\n                  start Redis",
        "FAIL  history     the history file /proc/nowhere/history.db cannot be used",
    ] {
        assert!(ended.output.contains(part), "{part}: {}", ended.output);
    }
}

#[tokio::test]
async fn check_config_names_a_missing_folder_of_documents() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = corpus(&folder);
    let missing = folder.path().join("nonexistent");
    if let Some(corpus) = &mut settings.corpus {
        corpus.paths.push(missing.clone());
    }
    let ended = worker(&settings, &["check-config"]).await.unwrap();
    let told = format!(
        "FAIL  local       {} in CORPUS_PATHS is not there",
        missing.display()
    );
    assert!(ended.output.contains(&told), "{}", ended.output);

    let mut settings = corpus(&tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    if let Some(corpus) = &mut settings.corpus {
        corpus.index_dir = file;
    }
    let ended = worker(&settings, &["check-config"]).await.unwrap();
    assert!(ended.output.contains("DATA_DIR"), "{}", ended.output);
}

/// Untrusted text that commands print: from a page, a file name, a file, an answer.
#[tokio::test]
async fn no_command_prints_invisible_characters() {
    let hidden: String = unwanted().filter(|c| *c != '\r').collect();
    let folder = tempfile::tempdir().unwrap();
    let settings = corpus(&folder);
    let documents = folder.path().join("documents");
    let page = PAGE.replace("Tides", &format!("T{hidden}ides"));
    fs::write(documents.join("hidden.html"), &page).unwrap();
    fs::write(
        documents.join("\u{1b}[2J\u{202e}.md"),
        "# Tides\n\nThe Moon causes tides.",
    )
    .unwrap();
    let text = format!("The Moon causes t{hidden}ides.");
    let markdown = folder.path().join("hidden.md");
    fs::write(
        &markdown,
        format!("# T{hidden}ides\n\n{text}\n\n    co{hidden}de\n"),
    )
    .unwrap();
    let answer = serde_json::json!({
        "answer": format!("{text} [1]"),
        "sources": [{"title": text, "url": format!("https://a.example/{hidden}"), "text": text}],
    });
    let check = folder.path().join("check.json");
    fs::write(&check, answer.to_string()).unwrap();
    let (markdown, check) = (markdown.to_str().unwrap(), check.to_str().unwrap());
    let commands: [&[&str]; 5] = [
        &["search", "--provider", "local", "Moon tides"],
        &["ask", "What causes tides?"],
        &["read", markdown],
        &["check", check],
        &["check-config"],
    ];
    for command in commands {
        for json in [false, true] {
            let has_json = command != ["check-config"];
            let arguments = [command, if json && has_json { &["--json"] } else { &[] }].concat();
            let ended = worker(&settings, &arguments).await.unwrap();
            let found: Vec<char> = ended.output.chars().filter(|c| is_invisible(*c)).collect();
            assert!(
                found.is_empty(),
                "{arguments:?} {found:?}: {}",
                ended.output
            );
            assert!(
                !has_json || ended.output.contains("ides"),
                "{}",
                ended.output
            );
            if json && has_json {
                ended.json();
            }
        }
    }
}
