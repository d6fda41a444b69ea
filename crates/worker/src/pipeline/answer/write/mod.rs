//! Writes the answer: with the language model if there is one and it is in time, else from the
//! sources' own sentences.

mod abstention;
mod model_call;
mod streamed_text;
mod truncation;

use super::{extractive, prompt::PromptBudget};
use crate::pipeline::{
    Context, Deadline, LanguageModel, ModelError, Plan, ProgressSink, RankedSource, fallback,
};
use model_call::{WriteResult, Writer};
use privachat_core::schema::{Event, SearchRequest, Stage, Usage};
use std::{sync::Arc, time::Duration};

/// Reserved for an extracted answer in case the model fails.
const EXTRACT_RESERVE: Duration = Duration::from_secs(1);
/// The minimum time for an extracted answer, even after the deadline: it is the last resort.
const MIN_EXTRACT_TIME: Duration = Duration::from_millis(200);
/// The `model_used` of answers that no model wrote.
pub const EXTRACTIVE: &str = "extractive";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// With clean citations.
    pub text: String,
    /// The model that wrote it, or [`EXTRACTIVE`].
    pub model_used: String,
    /// Tokens spent, also by a model whose text was not used.
    pub usage: Option<Usage>,
    /// What was cut or replaced, and why.
    pub warnings: Vec<String>,
    /// Whether it only says that the sources do not answer the question.
    pub abstained: bool,
    /// 0–1: how likely the extracted sentences answer the question; `None` if a model wrote the
    /// answer. Independent of their support, which quotations always have.
    pub answerability: Option<f64>,
}

/// Writes the answer to `plan` from `sources` and streams it to `sink`. Always returns an answer,
/// before `deadline` unless extracting it takes the minimum time.
pub async fn write(
    context: &Context,
    plan: &Arc<Plan>,
    sources: &Arc<Vec<RankedSource>>,
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Answer {
    sink.stage(Stage::Answer, 0, 1, "Writing the answer");
    let task = Writer {
        plan,
        sources,
        request,
        cores: &context.cpu_pool,
        sink,
    };
    let model = context.model.as_deref().filter(|_| !sources.is_empty());
    match model {
        Some(model) => write_with_model(model, &task, deadline).await,
        None => write_extracted(&task, deadline).await,
    }
}

async fn write_with_model(
    model: &dyn LanguageModel,
    task: &Writer<'_>,
    deadline: Deadline,
) -> Answer {
    let model_deadline = deadline.earlier_by(EXTRACT_RESERVE.min(deadline.remaining() / 3));
    let asked = task.request.model.as_deref();
    let limits = model.limits(asked, model_deadline).await;
    let usual = PromptBudget::from_limits(limits);
    let mut last = WriteResult::TooLong;
    for budget in [usual, usual.smaller()] {
        last = task.attempt(model, budget, model_deadline).await;
        if !matches!(last, WriteResult::TooLong) {
            break;
        }
    }
    let (reason, streamed, usage) = match last {
        WriteResult::Written(answer) => return answer,
        WriteResult::Failed {
            reason,
            streamed,
            usage,
        } => (reason, streamed, usage),
        WriteResult::TooLong => (ModelError::ContextTooSmall.to_string(), false, None),
    };
    let warning = format!("{reason}; the answer quotes the sources instead");
    task.sink.warn(warning.clone());
    if streamed {
        task.sink.emit(Event::Discard {});
    }
    let answer = write_extracted(task, deadline).await;
    let mut warnings = vec![warning];
    warnings.extend(answer.warnings);
    Answer {
        warnings,
        usage,
        ..answer
    }
}

/// The extracted answer, streamed sentence by sentence.
async fn write_extracted(task: &Writer<'_>, deadline: Deadline) -> Answer {
    let Writer {
        plan,
        sources,
        sink,
        ..
    } = task;
    let choosing = {
        let (plan, sources) = (Arc::clone(plan), Arc::clone(sources));
        move || match extractive::extract(&plan, &sources) {
            Some(quotes) => (quotes, false),
            None => (extractive::ExtractedAnswer::none(&plan, &sources), true),
        }
    };
    let deadline = deadline.max(Deadline::after(MIN_EXTRACT_TIME));
    let Some((quotes, declined)) = task.cores.cut(deadline, choosing).await else {
        return write_passages(sources, *sink);
    };
    for delta in quotes.deltas() {
        sink.emit(Event::Text { delta });
    }
    let unanswered = quotes
        .unanswered
        .iter()
        .map(|part| format!("the sources that were found do not answer this part: {part}"));
    Answer {
        text: quotes.text(),
        model_used: EXTRACTIVE.to_owned(),
        warnings: unanswered.collect(),
        abstained: declined,
        answerability: Some(quotes.answered),
        ..Answer::default()
    }
}

/// The best passages unchanged, if there was no time to choose sentences.
fn write_passages(sources: &[RankedSource], sink: &dyn ProgressSink) -> Answer {
    let text = fallback::quote_passages(sources);
    sink.emit(Event::Text {
        delta: text.clone(),
    });
    Answer {
        text,
        model_used: EXTRACTIVE.to_owned(),
        warnings: vec![
            "choosing sentences was cut: the answer shows the best passages as they are".to_owned(),
        ],
        answerability: Some(0.0),
        ..Answer::default()
    }
}

#[cfg(test)]
mod tests;
