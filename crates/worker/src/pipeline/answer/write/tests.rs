use super::*;
use crate::pipeline::{
    Completion, CompletionEvent, NullSink, Prompt,
    answer::fixtures::{plan, ranked},
    cpu_pool::CpuPool,
};
use async_trait::async_trait;
use privachat_core::mode::Mode;
use std::sync::Mutex;

/// Streams `pieces`, then returns the last of `ends`.
struct ScriptedModel {
    pieces: Vec<&'static str>,
    ends: Mutex<Vec<Result<(), ModelError>>>,
    prompts: Mutex<Vec<usize>>,
    hangs: bool,
    truncated: bool,
}

impl ScriptedModel {
    fn saying(pieces: &[&'static str]) -> Self {
        Self {
            pieces: pieces.to_vec(),
            ends: Mutex::new(Vec::new()),
            prompts: Mutex::new(Vec::new()),
            hangs: false,
            truncated: false,
        }
    }

    fn failing(self, ends: Vec<Result<(), ModelError>>) -> Self {
        Self {
            ends: Mutex::new(ends),
            ..self
        }
    }
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        _deadline: Deadline,
        on_piece: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        self.prompts.lock().unwrap().push(prompt.user.len());
        let end = self.ends.lock().unwrap().pop().unwrap_or(Ok(()));
        if end == Err(ModelError::ContextTooSmall) {
            return Err(ModelError::ContextTooSmall);
        }
        for piece in &self.pieces {
            on_piece(CompletionEvent::Text(piece));
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        end.map(|()| Completion {
            text: self.pieces.concat(),
            model: "scripted".to_owned(),
            usage: Some(Usage {
                prompt_tokens: 10,
                completion_tokens: 5,
                total_tokens: 15,
            }),
            truncated: self.truncated,
        })
    }
}

#[derive(Default)]
struct TextRecorder(Mutex<Vec<Event>>);

impl ProgressSink for TextRecorder {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl TextRecorder {
    fn text(&self) -> String {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .fold(String::new(), |text, event| match event {
                Event::Text { delta } => text + delta,
                Event::Discard {} => String::new(),
                _ => text,
            })
    }
}

fn sources() -> Vec<RankedSource> {
    vec![ranked(
        "Mars",
        "https://en.wikipedia.org/wiki/Mars",
        "Mars is the fourth planet from the Sun. It has two small moons, Phobos and Deimos.",
    )]
}

async fn write_answer(model: Option<&dyn LanguageModel>, sink: &dyn ProgressSink) -> Answer {
    write_answer_until(Deadline::after(Duration::from_secs(10)), model, sink).await
}

async fn write_answer_until(
    deadline: Deadline,
    model: Option<&dyn LanguageModel>,
    sink: &dyn ProgressSink,
) -> Answer {
    let question = "What is Mars?";
    let request = SearchRequest::new(question, Mode::Balanced);
    let plan = plan(question);
    let (plan, sources) = (Arc::new(plan), Arc::new(sources()));
    let task = Writer {
        plan: &plan,
        sources: &sources,
        request: &request,
        cores: &CpuPool::default(),
        sink,
    };
    match model {
        Some(model) => write_with_model(model, &task, deadline).await,
        None => write_extracted(&task, deadline).await,
    }
}

/// A deadline that leaves the model a tenth of a second.
fn short_deadline() -> Deadline {
    Deadline::after(EXTRACT_RESERVE + Duration::from_millis(100))
}

#[tokio::test]
async fn a_model_streams_with_clean_citations() {
    let model = ScriptedModel::saying(&["Mars is a planet [", "1, 7", "]. It is", " red [9]."]);
    let sink = TextRecorder::default();
    let answer = write_answer(Some(&model), &sink).await;
    assert_eq!(answer.text, "Mars is a planet [1]. It is red.");
    assert_eq!(sink.text(), answer.text);
    assert_eq!(answer.model_used, "scripted");
    assert_eq!(answer.usage.unwrap().total_tokens, 15);
    assert!(answer.warnings.is_empty());
}

#[tokio::test]
async fn without_a_model_the_answer_is_extracted() {
    let sink = TextRecorder::default();
    let answer = write_answer(None, &sink).await;
    assert_eq!(answer.model_used, EXTRACTIVE);
    assert!(
        answer
            .text
            .starts_with("Mars is the fourth planet from the Sun [1]."),
        "{}",
        answer.text
    );
    assert_eq!(sink.text(), answer.text);
}

#[tokio::test]
async fn when_the_model_is_down_the_answer_is_extracted_with_a_warning() {
    let down = ModelError::Unavailable {
        reason: "HTTP 502".to_owned(),
    };
    let model = ScriptedModel::saying(&[]).failing(vec![Err(down)]);
    let answer = write_answer(Some(&model), &NullSink).await;
    assert_eq!(answer.model_used, EXTRACTIVE);
    assert!(answer.warnings[0].contains("HTTP 502"));
}

#[tokio::test]
async fn a_hanging_model_is_dropped_before_the_deadline() {
    let model = ScriptedModel {
        hangs: true,
        ..ScriptedModel::saying(&[])
    };
    let deadline = short_deadline();
    let answer = write_answer_until(deadline, Some(&model), &NullSink).await;
    assert_eq!(answer.model_used, EXTRACTIVE);
    assert!(answer.warnings[0].contains("in time"));
    assert!(!deadline.has_passed());
}

#[tokio::test]
async fn complete_sentences_of_a_late_model_are_kept() {
    let model = ScriptedModel {
        hangs: true,
        ..ScriptedModel::saying(&["Mars is the fourth planet [1]. It has two sm"])
    };
    let answer = write_answer_until(short_deadline(), Some(&model), &NullSink).await;
    assert_eq!(answer.text, "Mars is the fourth planet [1].");
    assert_ne!(answer.model_used, EXTRACTIVE);
    assert!(answer.warnings[0].contains("ends early"));
}

#[tokio::test]
async fn a_cut_answer_without_a_cited_sentence_is_replaced() {
    let cut = ModelError::Interrupted {
        model: "scripted".to_owned(),
        reason: "connection reset".to_owned(),
        partial: "Mars is".to_owned(),
        usage: None,
    };
    let model = ScriptedModel::saying(&["Mars is"]).failing(vec![Err(cut)]);
    let sink = TextRecorder::default();
    let answer = write_answer(Some(&model), &sink).await;
    assert_eq!(answer.model_used, EXTRACTIVE);
    assert!(answer.warnings[0].contains("connection reset"));
    // The streamed text of the model is discarded.
    assert_eq!(sink.text(), answer.text);
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_retried_smaller() {
    let model = ScriptedModel::saying(&["Mars is a planet [1]."])
        .failing(vec![Err(ModelError::ContextTooSmall)]);
    let answer = write_answer(Some(&model), &NullSink).await;
    assert_eq!(answer.model_used, "scripted");
    assert_eq!(model.prompts.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_uncited_answer_gets_citations_of_sources_that_support_it() {
    let model = ScriptedModel::saying(&["Mars is the fourth planet from the Sun."]);
    let answer = write_answer(Some(&model), &NullSink).await;
    assert_eq!(answer.text, "Mars is the fourth planet from the Sun [1].");
    assert_eq!(answer.warnings.len(), 1);
}

#[tokio::test]
async fn an_answer_that_no_source_supports_is_replaced() {
    let model = ScriptedModel::saying(&["Bananas grow in warm countries near Ecuador."]);
    let answer = write_answer(Some(&model), &NullSink).await;
    assert_eq!(answer.model_used, EXTRACTIVE);
    assert_eq!(answer.usage.unwrap().total_tokens, 15);
}

#[tokio::test]
async fn a_cited_answer_that_names_gaps_is_no_abstention() {
    let text = "Mars is the fourth planet [1]. The sources do not mention its limits.";
    let model = ScriptedModel::saying(&[text]);
    let answer = write_answer(Some(&model), &NullSink).await;
    assert_eq!(answer.text, text);
    assert!(!answer.abstained);
    let model = ScriptedModel::saying(&["The sources do not answer this question."]);
    assert!(write_answer(Some(&model), &NullSink).await.abstained);
}

#[tokio::test]
async fn only_extracted_answers_have_an_answerability() {
    let quoted = write_answer(None, &NullSink).await;
    assert!(
        quoted.answerability.unwrap() > 0.3,
        "{:?}",
        quoted.answerability
    );
    let model = ScriptedModel::saying(&["Mars is a planet [1]."]);
    assert_eq!(
        write_answer(Some(&model), &NullSink).await.answerability,
        None
    );
}

#[tokio::test]
async fn an_answer_is_extracted_even_after_the_deadline() {
    let answer = write_answer_until(Deadline::after(Duration::ZERO), None, &NullSink).await;
    assert!(answer.text.contains("[1]"), "{}", answer.text);
}
