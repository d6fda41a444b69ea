//! A language model that answers, and every way in which it fails: the user gets a cited answer in
//! time, and the reason why it is another one than usual.

use std::time::Duration;

use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::model::{self, Script};
use privachat_tests::upstream::{Reply, Request, Step, searxng};
use privachat_tests::{Stack, Upstream, binaries};
use serde_json::{Value, json};

const QUESTION: &str = "What does asyncio.gather do?";
const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";
const WAIT_FACT: &str =
    "asyncio.wait gives two sets of tasks, those that are done and those that are pending.";
const CITED: &str = "It runs awaitable objects concurrently [1]. The results come as a list [1].";

/// The shortest time limit is 10 s. A search that waits for an upstream instead does not end.
const MAX_SECONDS: f64 = 60.0;

/// A stack with two sources and the model server `llm`.
struct ModelStack {
    stack: Stack,
    llm: Upstream,
    _searxng: Upstream,
}

impl ModelStack {
    async fn start(llm: Upstream) -> Self {
        Self::with(llm, |builder| builder).await
    }

    async fn with(llm: Upstream, more: impl FnOnce(StackBuilder) -> StackBuilder) -> Self {
        let searxng = searxng::finding(vec![
            searxng::Result::new("gather", "https://one.example.org/gather", FACT),
            searxng::Result::new("wait", "https://two.example.com/wait", WAIT_FACT),
        ]);
        let builder = Stack::builder(binaries!())
            .env("WIKIPEDIA_BASE_URL", "off")
            .env("SEARXNG_BASE_URL", searxng.url())
            .env("LLM_BASE_URL", llm.url_for("/v1"))
            .env("LLM_API_KEY", "key-of-the-test")
            .env("LLM_MODEL", "usual")
            // Set, so that the first request is the one for the answer.
            .env("LLM_CONTEXT_TOKENS", "8192");
        let stack = more(builder).start().await;
        Self {
            stack,
            llm,
            _searxng: searxng,
        }
    }

    async fn ask(&self) -> Value {
        self.ask_for(None).await
    }

    /// Completed in time with a citation.
    async fn ask_for(&self, model: Option<&str>) -> Value {
        let request = json!({"query": QUESTION, "mode": "speed", "timeout": 10, "model": model});
        let id = self.stack.client().enqueue(request).await;
        let end = self.stack.client().wait_completed(&id).await;
        assert!(
            end["execution_time"].as_f64().expect("a time") < MAX_SECONDS,
            "{end}"
        );
        assert!(text(&end).contains("[1]"), "{end}");
        assert!(end["citation_mapping"].is_array(), "{end}");
        assert!(!end.to_string().contains("key-of-the-test"));
        assert!(self.llm.calls() > 0, "the model was asked");
        end
    }
}

async fn answer_after(reply: Reply) -> Value {
    ModelStack::start(Upstream::always(reply)).await.ask().await
}

async fn answer_of(script: Script) -> Value {
    ModelStack::start(model::chat(script)).await.ask().await
}

fn text(end: &Value) -> &str {
    end["answer"].as_str().unwrap_or_default()
}

fn assert_extractive(end: &Value, reasons: &[&str]) {
    assert_eq!(end["model_used"], "extractive", "{end}");
    assert!(
        text(end).contains("runs awaitable objects concurrently"),
        "{end}"
    );
    assert_warned(end, "the answer quotes the sources instead");
    reasons.iter().for_each(|reason| assert_warned(end, reason));
}

fn assert_salvaged(end: &Value, reason: &str) {
    assert_eq!(
        end["answer"], "It runs awaitable objects concurrently [1].",
        "{end}"
    );
    assert_eq!(end["model_used"], "usual", "{end}");
    assert_warned(end, reason);
    assert_warned(end, "the answer ends early");
}

fn assert_warned(end: &Value, part: &str) {
    let warnings = end["warnings"].as_array().expect("warnings");
    let warned = warnings
        .iter()
        .any(|warning| warning.as_str().unwrap_or_default().contains(part));
    assert!(warned, "no warning has {part:?}: {end}");
}

#[tokio::test]
async fn a_streamed_answer_comes_with_its_citations_its_model_and_its_cost() {
    let model_stack = ModelStack::start(model::chat(Script::says(&format!(
        "{CITED} Tasks that are done and pending come in sets [2]."
    ))))
    .await;
    let end = model_stack.ask().await;
    assert!(text(&end).starts_with(CITED), "{end}");
    assert_eq!(
        (&end["model_used"], &end["warnings"]),
        (&json!("usual"), &json!([]))
    );
    let mapping = end["citation_mapping"].as_array().unwrap();
    let counted: Vec<_> = mapping
        .iter()
        .map(|citation| (&citation["citation_number"], &citation["mention_count"]))
        .collect();
    assert_eq!(counted, [(&json!(1), &json!(2)), (&json!(2), &json!(1))]);
    let sources = end["sources"].as_array().unwrap();
    for citation in mapping {
        let at = usize::try_from(citation["source_index"].as_u64().unwrap()).unwrap();
        assert_eq!(citation["source_url"], sources[at]["url"]);
    }
    assert_eq!(end["usage"]["prompt_tokens"], 100, "{end}");
    assert!(
        end["usage"]["completion_tokens"].as_u64() > Some(10),
        "{end}"
    );

    let call = model_stack.llm.requests().remove(0);
    assert_eq!(call.header("authorization"), Some("Bearer key-of-the-test"));
    assert!(call.json().to_string().contains("awaitable objects"));
}

#[tokio::test]
async fn a_captured_stream_and_a_captured_whole_answer_are_both_understood() {
    for sample in ["stream-usage.sse", "stream.sse", "nonstream.json"] {
        let end = answer_after(model::sample(200, sample)).await;
        assert!(
            text(&end).contains("awaitables concurrently"),
            "{sample}: {end}"
        );
        assert_eq!(end["model_used"], "mock-gpt", "{sample}");
    }
}

#[tokio::test]
async fn a_model_that_is_down_is_replaced_by_the_sources_own_sentences() {
    let gone = Upstream::always(Reply::hang());
    let address = gone.url_for("/v1");
    drop(gone);
    let unused = Upstream::always(Reply::hang());
    let model_stack =
        ModelStack::with(unused, |builder| builder.env("LLM_BASE_URL", address)).await;
    let request = json!({"query": QUESTION, "mode": "speed", "timeout": 10});
    let id = model_stack.stack.client().enqueue(request).await;
    let end = model_stack.stack.client().wait_completed(&id).await;
    assert_extractive(
        &end,
        &["the language model is not available (connection refused)"],
    );
}

#[tokio::test]
async fn a_wrong_key_is_a_warning_that_names_the_setting() {
    let end = answer_after(model::bad_key()).await;
    assert_extractive(&end, &["HTTP 401", "LLM_API_KEY"]);
}

#[tokio::test]
async fn refusals_of_the_model_server_are_distinguished() {
    let cases = [
        (model::rate_limited(), "limits the rate of requests"),
        (
            model::sample(429, "err-429-stream.sse"),
            "limits the rate of requests",
        ),
        (model::server_error(), "HTTP 500"),
        (model::context_exceeded(), "longer than the context"),
        (
            Reply::new(500, "text/plain", "Internal Server Error"),
            "HTTP 500",
        ),
        (Reply::json(404, r#"{"detail":"Not Found"}"#), "LLM_MODEL"),
        (
            Reply::html("<!DOCTYPE html><title>Welcome</title>"),
            "LLM_BASE_URL",
        ),
    ];
    for (reply, reason) in cases {
        let end = answer_after(reply).await;
        assert_extractive(&end, &[reason]);
        assert!(
            !end.to_string().contains("litellm"),
            "its own words may hold anything"
        );
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_tried_once_more_with_a_shorter_one() {
    let llm = model::chat(Script::says(CITED));
    llm.next(model::context_exceeded());
    let model_stack = ModelStack::start(llm).await;
    let end = model_stack.ask().await;
    assert_eq!(
        (&end["answer"], &end["model_used"]),
        (&json!(CITED), &json!("usual"))
    );
    assert_eq!(model_stack.llm.calls(), 2);
}

#[tokio::test]
async fn complete_sentences_of_a_broken_stream_are_kept() {
    let script = || Script::says("It runs awaitable objects concurrently [1]. The results come");
    assert_salvaged(&answer_of(script().then_cuts()).await, "broke off");
    assert_salvaged(&answer_of(script().then_fails()).await, "reports an error");
    // No end mark and no finish_reason: the answer may be incomplete.
    let whole = answer_of(Script::says(CITED).without_end_mark()).await;
    assert_eq!(whole["answer"], CITED, "a finish_reason is an end: {whole}");
    assert_eq!(whole["warnings"], json!([]));
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_sentence_ends_is_not_shown() {
    let captured = answer_after(model::sample(200, "scripted-midfail.sse")).await;
    assert_extractive(&captured, &["the server reports an error"]);
    let captured = answer_after(model::sample(200, "scripted-hang.sse")).await;
    assert_eq!(captured["status"], "completed", "{captured}");
    let cut = answer_of(Script::says("It runs awaitable").then_cuts()).await;
    assert_extractive(&cut, &["broke off"]);
}

#[tokio::test]
async fn hanging_and_slow_models_are_given_up_in_time() {
    let half = "It runs awaitable objects concurrently [1]. The results come";
    let llm = Upstream::start(
        move |request: &Request| match request.json()["model"].as_str() {
            Some("silent") => Reply::hang(),
            Some("drips") => {
                let drip =
                    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hm \"}}]}\n\n";
                let steps = [
                    Step::Send(drip.into()),
                    Step::Wait(Duration::from_millis(500)),
                ];
                let steps = steps.iter().cloned().cycle().take(200).collect();
                Reply::steps(200, "text/event-stream", steps)
            }
            _ => Script::says(half).then_hangs().reply(request),
        },
    );
    let model_stack = ModelStack::start(llm).await;
    let (silent, drips, stuck) = tokio::join!(
        model_stack.ask_for(Some("silent")),
        model_stack.ask_for(Some("drips")),
        model_stack.ask(),
    );
    assert_extractive(&silent, &["did not answer in time"]);
    assert_extractive(&drips, &["out of time"]);
    assert_salvaged(&stuck, "out of time");
}

#[tokio::test]
async fn nonsense_and_empty_replies_are_no_answers() {
    let cases = [
        (Reply::nonsense(), "not available"),
        (Reply::cut(), "not available"),
        (Reply::json(200, "[1, 2"), ""),
        (Reply::json(200, "{}"), ""),
        (
            Reply::new(200, "text/event-stream", ""),
            "ended without text",
        ),
        (
            Reply::new(200, "text/event-stream", "data: {oops\n\n"),
            "not JSON",
        ),
        (
            Reply::new(200, "text/event-stream", "data: [DONE]\n\n"),
            "empty answer",
        ),
    ];
    for (reply, reason) in cases {
        assert_extractive(&answer_after(reply).await, &[reason]);
    }
    let off = answer_of(Script::says(
        "Bananas are yellow. Bears eat honey in winter.",
    ))
    .await;
    assert_extractive(&off, &["no source supports its answer"]);
}

#[tokio::test]
async fn reasoning_blocks_are_not_shown() {
    let written = format!("<think>The user wants [7] gather.\n\nHm.</think>\n\n{CITED}");
    let end = answer_of(Script::says(&written)).await;
    assert_eq!(
        (&end["answer"], &end["model_used"]),
        (&json!(CITED), &json!("usual"))
    );
    let only = answer_of(Script::says(
        "<think>The user wants gather, I think.</think>",
    ))
    .await;
    assert_extractive(&only, &["reasoning without an answer"]);
    let unclosed = answer_of(Script::says("<think>The user wants gather [1].")).await;
    assert_extractive(&unclosed, &["reasoning without an answer"]);
}

#[tokio::test]
async fn citation_numbers_beyond_the_sources_never_appear() {
    let written = "It runs awaitable objects concurrently [1][99]. The results come as a list [0, 1]. Nobody knows more [3].";
    let end = answer_of(Script::says(written)).await;
    let answer = text(&end);
    for number in ["99", "[0", "3"] {
        assert!(!answer.contains(number), "{answer}");
    }
    let numbers: Vec<_> = end["citation_mapping"].as_array().unwrap().iter().collect();
    assert!(
        numbers
            .iter()
            .all(|citation| citation["citation_number"] == 1),
        "{end}"
    );

    let none = answer_of(Script::says("It runs awaitable objects concurrently [99].")).await;
    assert!(
        text(&none).contains("[1]") && !text(&none).contains("99"),
        "{none}"
    );
}

#[tokio::test]
async fn a_fallback_model_answers_when_the_first_one_fails_or_is_silent() {
    let llm = Upstream::start(|request: &Request| match request.json()["model"].as_str() {
        Some("usual") => model::rate_limited(),
        Some("silent") => Reply::hang(),
        _ => Script::says(CITED).reply(request),
    });
    let model_stack =
        ModelStack::with(llm, |builder| builder.env("FALLBACK_LLM_MODEL", "second")).await;
    let (limited, silent) = tokio::join!(model_stack.ask(), model_stack.ask_for(Some("silent")));
    for end in [limited, silent] {
        assert_eq!(
            (&end["answer"], &end["model_used"]),
            (&json!(CITED), &json!("second")),
            "{end}"
        );
    }
}

#[tokio::test]
async fn odd_characters_of_a_model_are_removed_without_losing_the_answer() {
    let chunk = |text: &str| {
        format!(
            "data: {{\"model\": \"us\\u001bual\", \"choices\": [{{\"delta\": {{\"content\": \"{text}\"}}}}]}}\n\n"
        )
    };
    let chunks = [
        chunk("It runs awaitable objects\\u202e\\u001b \\ud83d"),
        chunk("\\ude00 concurrently\\u0000 [1]."),
        "data: [DONE]\n\n".to_owned(),
    ];
    let end = answer_after(Reply::new(200, "text/event-stream", chunks.concat())).await;
    let expected = "It runs awaitable objects \u{1f600} concurrently [1].";
    assert_eq!(text(&end), expected, "{end}");
    assert_eq!(end["model_used"], "usual", "{end}");
}

#[tokio::test]
async fn an_endless_answer_in_one_chunk_is_cut_at_the_requested_tokens() {
    let endless = "It runs awaitable objects concurrently [1]. ".repeat(16_000);
    let end = answer_of(Script::says(&endless)).await;
    assert!(text(&end).len() <= 1024 * 16, "{}", text(&end).len());
    assert_warned(&end, "the language model's answer was cut at its limit");
}
