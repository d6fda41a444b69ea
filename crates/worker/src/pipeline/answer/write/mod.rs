//! Writes the answer: with the language model if there is one and it is in time, else from the
//! sources' own sentences.

mod attempt;
mod declining;
mod salvage;
mod shown;

use super::{extractive, prompt::PromptBudget};
use crate::pipeline::{
    Context, Deadline, LanguageModel, ModelError, Plan, ProgressSink, RankedSource, last_resort,
};
use attempt::{Attempt, Task};
use privachat_core::schema::{Event, SearchRequest, Stage, Usage};
use std::{sync::Arc, time::Duration};

/// Reserved for an extracted answer in case the model fails.
const RESERVE: Duration = Duration::from_secs(1);
/// The minimum time for an extracted answer, even after the deadline: it is the last resort.
const LAST_MOMENT: Duration = Duration::from_millis(200);
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
    pub declined: bool,
    /// 0–1: how likely the extracted sentences answer the question; `None` if a model wrote the
    /// answer. Independent of their support, which quotations always have.
    pub answered: Option<f64>,
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
    let task = Task {
        plan,
        sources,
        request,
        cores: &context.cores,
        sink,
    };
    let model = context.model.as_deref().filter(|_| !sources.is_empty());
    match model {
        Some(model) => with_model(model, &task, deadline).await,
        None => quoted(&task, deadline).await,
    }
}

async fn with_model(model: &dyn LanguageModel, task: &Task<'_>, deadline: Deadline) -> Answer {
    let model_deadline = deadline.keep(RESERVE.min(deadline.remaining() / 3));
    let asked = task.request.model.as_deref();
    let limits = model.limits(asked, model_deadline).await;
    let usual = PromptBudget::of(limits);
    let mut last = Attempt::TooLong;
    for budget in [usual, usual.smaller()] {
        last = task.attempt(model, budget, model_deadline).await;
        if !matches!(last, Attempt::TooLong) {
            break;
        }
    }
    let (reason, streamed, usage) = match last {
        Attempt::Written(answer) => return answer,
        Attempt::Failed {
            reason,
            streamed,
            usage,
        } => (reason, streamed, usage),
        Attempt::TooLong => (ModelError::ContextTooSmall.to_string(), false, None),
    };
    let warning = format!("{reason}; the answer quotes the sources instead");
    task.sink.warn(warning.clone());
    if streamed {
        task.sink.emit(Event::Discard {});
    }
    let answer = quoted(task, deadline).await;
    let mut warnings = vec![warning];
    warnings.extend(answer.warnings);
    Answer {
        warnings,
        usage,
        ..answer
    }
}

/// The extracted answer, streamed sentence by sentence.
async fn quoted(task: &Task<'_>, deadline: Deadline) -> Answer {
    let Task {
        plan,
        sources,
        sink,
        ..
    } = task;
    let choosing = {
        let (plan, sources) = (Arc::clone(plan), Arc::clone(sources));
        move || match extractive::quotes(&plan, &sources) {
            Some(quotes) => (quotes, false),
            None => (extractive::Quotes::none(&plan, &sources), true),
        }
    };
    let deadline = deadline.max(Deadline::after(LAST_MOMENT));
    let Some((quotes, declined)) = task.cores.cut(deadline, choosing).await else {
        return passages(sources, *sink);
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
        declined,
        answered: Some(quotes.answered),
        ..Answer::default()
    }
}

/// The best passages unchanged, if there was no time to choose sentences.
fn passages(sources: &[RankedSource], sink: &dyn ProgressSink) -> Answer {
    let text = last_resort::answer(sources);
    sink.emit(Event::Text {
        delta: text.clone(),
    });
    Answer {
        text,
        model_used: EXTRACTIVE.to_owned(),
        warnings: vec![
            "choosing sentences was cut: the answer shows the best passages as they are".to_owned(),
        ],
        answered: Some(0.0),
        ..Answer::default()
    }
}

#[cfg(test)]
mod tests;
