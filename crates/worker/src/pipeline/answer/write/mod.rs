//! Writing the answer: a model when there is one and it is in time, the sources' own sentences
//! otherwise.

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

/// Time kept back for the answer without a model and for its check.
const RESERVE: Duration = Duration::from_secs(1);
/// What the answer without a model may take even when its time is up: it is all there will be.
const LAST_MOMENT: Duration = Duration::from_millis(200);
/// What `model_used` says when no model wrote the answer.
pub const EXTRACTIVE: &str = "extractive";

/// A written answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The text, its citations clean.
    pub text: String,
    /// The model that wrote it, or [`EXTRACTIVE`].
    pub model_used: String,
    /// Tokens spent, also by a model whose text was not used.
    pub usage: Option<Usage>,
    /// What was cut or replaced, and why.
    pub warnings: Vec<String>,
    /// Whether it only says that the sources do not tell.
    pub declined: bool,
    /// 0–1: how much speaks for the quoted sentences being what was asked for; `None` when a model
    /// wrote the answer. That they are true to their source says nothing about it.
    pub answered: Option<f64>,
}

/// Writes the answer to `plan` from `sources` and streams it to `sink`. Always gives an answer; it
/// ends before `deadline` as long as the model can be dropped.
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

/// The answer without a model, shown sentence by sentence.
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

/// The best passages as they are, when there was no time to choose sentences.
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
