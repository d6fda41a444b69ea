//! Writing the answer: a model when there is one and it is in time, the sources' own sentences
//! otherwise.

mod salvage;

use super::{
    citations::{self, CitationFilter},
    extractive,
    prompt::{PromptBudget, prompt},
};
use crate::pipeline::{
    Context, Deadline, LanguageModel, ModelError, Piece, Plan, ProgressSink, RankedSource, check,
};
use privachat_core::schema::{Event, SearchRequest, Stage, Usage};
use std::{sync::Arc, time::Duration};

/// Time kept back for the answer without a model and for its check.
const RESERVE: Duration = Duration::from_secs(1);
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
}

/// What became of a model's try.
enum Attempt {
    Written(Answer),
    /// Nothing that can be used; whether text of it was already shown, and what it cost.
    Failed {
        reason: String,
        streamed: bool,
        usage: Option<Usage>,
    },
    TooLong,
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
    let model = context.model.as_deref();
    write_with(model, plan, sources, request, deadline, sink).await
}

async fn write_with(
    model: Option<&dyn LanguageModel>,
    plan: &Plan,
    sources: &[RankedSource],
    request: &SearchRequest,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Answer {
    let Some(model) = model.filter(|_| !sources.is_empty()) else {
        return from_sources(plan, sources, sink);
    };
    let model_deadline = deadline.keep(RESERVE);
    let mut last = Attempt::TooLong;
    for budget in [PromptBudget::USUAL, PromptBudget::SMALL] {
        let task = Task {
            plan,
            sources,
            request,
            budget,
        };
        last = task.attempt(model, model_deadline, sink).await;
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
    sink.warn(warning.clone());
    if streamed {
        sink.emit(Event::Text {
            delta: "\n\n".to_owned(),
        });
    }
    let answer = from_sources(plan, sources, sink);
    let mut warnings = vec![warning];
    warnings.extend(answer.warnings);
    Answer {
        warnings,
        usage,
        ..answer
    }
}

/// The answer without a model, shown sentence by sentence.
fn from_sources(plan: &Plan, sources: &[RankedSource], sink: &dyn ProgressSink) -> Answer {
    let found = extractive::parts(plan, sources);
    let declined = found.is_none();
    let parts = found.unwrap_or_else(|| vec![extractive::not_answered(plan, sources)]);
    for (index, part) in parts.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        sink.emit(Event::Text {
            delta: format!("{space}{part}"),
        });
    }
    Answer {
        text: parts.join(" "),
        model_used: EXTRACTIVE.to_owned(),
        declined,
        ..Answer::default()
    }
}

struct Task<'a> {
    plan: &'a Plan,
    sources: &'a [RankedSource],
    request: &'a SearchRequest,
    budget: PromptBudget,
}

impl Task<'_> {
    async fn attempt(
        &self,
        model: &dyn LanguageModel,
        deadline: Deadline,
        sink: &dyn ProgressSink,
    ) -> Attempt {
        let prompt = prompt(self.plan, self.sources, self.request, self.budget);
        let mut shown = Shown::new(self.sources.len(), sink);
        let result = {
            let mut on_piece = |piece: Piece<'_>| match piece {
                Piece::Text(text) => shown.push(text),
                Piece::Discard => shown.discard(),
            };
            deadline
                .cut(model.complete(&prompt, deadline, &mut on_piece))
                .await
        };
        match result {
            Some(Ok(completion)) => {
                shown.finish();
                let usage = completion.usage;
                let text = citations::clean(completion.text.trim(), self.sources.len());
                if completion.truncated {
                    return self.salvage(
                        &text,
                        completion.model,
                        usage,
                        "the language model's answer was cut at its limit",
                        &shown,
                    );
                }
                self.accept(text, completion.model, usage, &shown)
            }
            Some(Err(ModelError::ContextTooSmall)) if !shown.any() => Attempt::TooLong,
            Some(Err(ModelError::Cut {
                model,
                reason,
                partial,
                usage,
            })) => {
                shown.finish();
                let text = citations::clean(partial.trim(), self.sources.len());
                let reason = format!("the language model's answer was cut ({reason})");
                self.salvage(&text, model, usage, &reason, &shown)
            }
            Some(Err(error)) => {
                shown.finish();
                let text = shown.text.trim().to_owned();
                let reason = match error.hint() {
                    Some(hint) => format!("{error}: {hint}"),
                    None => error.to_string(),
                };
                self.salvage(&text, self.model_name(), error.usage(), &reason, &shown)
            }
            None => {
                shown.finish();
                let text = shown.text.trim().to_owned();
                let reason = ModelError::TimedOut.to_string();
                self.salvage(&text, self.model_name(), None, &reason, &shown)
            }
        }
    }

    /// The name that was asked for, when the model had no chance to say its own.
    fn model_name(&self) -> String {
        self.request
            .model
            .clone()
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// A whole answer, cited after the fact when the model did not cite.
    fn accept(
        &self,
        text: String,
        model: String,
        usage: Option<Usage>,
        shown: &Shown<'_>,
    ) -> Attempt {
        let cited = !citations::cited(&text, self.sources.len()).is_empty();
        let declined = declines(&text);
        if cited || declined {
            return Attempt::Written(Answer {
                declined,
                text,
                model_used: model,
                usage,
                warnings: Vec::new(),
            });
        }
        if let Some(text) = check::cite(&text, self.sources) {
            let warning = "the language model cited nothing; citations were added where a source supports the sentence".to_owned();
            shown.sink.warn(warning.clone());
            return Attempt::Written(Answer {
                text,
                model_used: model,
                usage,
                warnings: vec![warning],
                declined: false,
            });
        }
        Attempt::Failed {
            reason: "the language model cited nothing and no source supports its answer".to_owned(),
            streamed: shown.any(),
            usage,
        }
    }

    /// What is left of an answer that broke off, if that is worth reading.
    fn salvage(
        &self,
        text: &str,
        model: String,
        usage: Option<Usage>,
        reason: &str,
        shown: &Shown<'_>,
    ) -> Attempt {
        let Some(text) = salvage::complete_sentences(text, self.sources.len()) else {
            return Attempt::Failed {
                reason: reason.to_owned(),
                streamed: shown.any(),
                usage,
            };
        };
        let warning = format!("{reason}; the answer ends early");
        shown.sink.warn(warning.clone());
        Attempt::Written(Answer {
            text,
            model_used: model,
            usage,
            warnings: vec![warning],
            declined: false,
        })
    }
}

/// Text on its way to the reader, its citations cleaned as it goes.
struct Shown<'a> {
    sources: usize,
    filter: CitationFilter,
    sink: &'a dyn ProgressSink,
    text: String,
}

impl<'a> Shown<'a> {
    fn new(sources: usize, sink: &'a dyn ProgressSink) -> Self {
        Self {
            sources,
            filter: CitationFilter::new(sources),
            sink,
            text: String::new(),
        }
    }

    fn push(&mut self, piece: &str) {
        let delta = self.filter.push(piece);
        self.show(delta);
    }

    /// Takes back what was shown.
    fn discard(&mut self) {
        self.filter = CitationFilter::new(self.sources);
        if self.text.is_empty() {
            return;
        }
        self.text.clear();
        self.sink.emit(Event::Discard {});
    }

    fn finish(&mut self) {
        let delta = self.filter.finish();
        self.show(delta);
    }

    fn show(&mut self, delta: String) {
        if delta.is_empty() {
            return;
        }
        self.text.push_str(&delta);
        self.sink.emit(Event::Text { delta });
    }

    fn any(&self) -> bool {
        !self.text.trim().is_empty()
    }
}

/// Whether a short answer says that the sources do not tell: there is nothing to cite in that.
fn declines(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.chars().count() < 400 && DECLINING.iter().any(|part| lower.contains(part))
}

const DECLINING: [&str; 12] = [
    "do not answer",
    "don't answer",
    "does not answer",
    "do not contain",
    "don't contain",
    "do not provide",
    "do not mention",
    "no information",
    "beantworten diese frage nicht",
    "keine information",
    "ne répondent pas",
    "no responden",
];

#[cfg(test)]
mod tests;
