//! One request to the model to write the answer, and what of its text is used.

use super::{Answer, abstention::is_abstention, streamed_text::StreamedText, truncation};
use crate::pipeline::{
    Completion, CompletionEvent, Deadline, LanguageModel, ModelError, Plan, ProgressSink, Prompt,
    RankedSource,
    answer::{
        citations,
        prompt::{PromptBudget, build_prompt, estimate_tokens},
    },
    check,
    cpu_pool::CpuPool,
};
use privachat_core::schema::{SearchRequest, Usage};
use std::sync::Arc;

/// Shorter prompts, in tokens, are not checked for truncation by the server.
const MIN_CHECKED_PROMPT_TOKENS: u64 = 1500;

pub(super) enum WriteResult {
    Written(Answer),
    /// No usable text; `streamed` if some was already sent to subscribers.
    Failed {
        reason: String,
        streamed: bool,
        usage: Option<Usage>,
    },
    TooLong,
}

pub(super) struct Writer<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) sources: &'a Arc<Vec<RankedSource>>,
    pub(super) request: &'a SearchRequest,
    pub(super) cores: &'a CpuPool,
    pub(super) sink: &'a dyn ProgressSink,
}

impl Writer<'_> {
    pub(super) async fn attempt(
        &self,
        model: &dyn LanguageModel,
        budget: PromptBudget,
        deadline: Deadline,
    ) -> WriteResult {
        let mut shown = StreamedText::new(self.sources.len(), self.sink);
        let Some((prompt, estimate)) = self.prompt(budget, deadline).await else {
            return write_failed(&ModelError::TimedOut.to_string(), None, &shown);
        };
        let result = {
            let mut on_piece = |piece: CompletionEvent<'_>| match piece {
                CompletionEvent::Text(text) => shown.push(text),
                CompletionEvent::Discard => shown.discard(),
            };
            deadline
                .limit(model.complete(&prompt, deadline, &mut on_piece))
                .await
        };
        shown.finish();
        match result {
            Some(Ok(completion)) => self.completed(completion, estimate, &shown, deadline).await,
            Some(Err(ModelError::ContextTooSmall)) if !shown.any() => WriteResult::TooLong,
            Some(Err(ModelError::Interrupted {
                model,
                reason,
                partial,
                usage,
            })) => {
                let reason = format!("the language model's answer was cut ({reason})");
                self.salvage(&partial, model, usage, &reason, &shown)
            }
            Some(Err(error)) => {
                let reason = match error.hint() {
                    Some(hint) => format!("{error}: {hint}"),
                    None => error.to_string(),
                };
                let name = self.model_name(model);
                self.salvage(&shown.text, name, error.usage(), &reason, &shown)
            }
            None => {
                let reason = ModelError::TimedOut.to_string();
                self.salvage(&shown.text, self.model_name(model), None, &reason, &shown)
            }
        }
    }

    /// The prompt and an estimate of its tokens.
    async fn prompt(&self, budget: PromptBudget, deadline: Deadline) -> Option<(Prompt, u64)> {
        let (plan, sources) = (Arc::clone(self.plan), Arc::clone(self.sources));
        let request = self.request.clone();
        self.cores
            .cut(deadline, move || {
                let prompt = build_prompt(&plan, &sources, &request, budget);
                let estimate = estimate_tokens(&prompt.system) + estimate_tokens(&prompt.user);
                (prompt, u64::try_from(estimate).unwrap_or(u64::MAX))
            })
            .await
    }

    /// The name of the requested model, for when the server did not report one.
    fn model_name(&self, model: &dyn LanguageModel) -> String {
        let asked = self.request.model.as_deref();
        asked.unwrap_or_else(|| model.name()).to_owned()
    }

    async fn completed(
        &self,
        completion: Completion,
        estimate: u64,
        shown: &StreamedText<'_>,
        deadline: Deadline,
    ) -> WriteResult {
        let usage = completion.usage;
        let mut attempt = if completion.truncated {
            let reason = "the language model's answer was cut at its limit";
            self.salvage(&completion.text, completion.model, usage, reason, shown)
        } else {
            let text = citations::clean(completion.text.trim(), self.sources.len());
            self.accept(text, completion.model, usage, shown, deadline)
                .await
        };
        if let (WriteResult::Written(answer), Some(warning)) =
            (&mut attempt, truncated_prompt_warning(usage, estimate))
        {
            self.sink.warn(warning.clone());
            answer.warnings.push(warning);
        }
        attempt
    }

    /// Accepts a complete answer; adds citations if the model gave none.
    async fn accept(
        &self,
        text: String,
        model: String,
        usage: Option<Usage>,
        shown: &StreamedText<'_>,
        deadline: Deadline,
    ) -> WriteResult {
        let declined = is_abstention(&text, self.sources.len());
        let cited = !citations::cited_numbers(&text, self.sources.len()).is_empty();
        if cited || declined {
            return WriteResult::Written(Answer {
                abstained: declined,
                text,
                model_used: model,
                usage,
                ..Answer::default()
            });
        }
        let sources = Arc::clone(self.sources);
        let citing = self
            .cores
            .cut(deadline, move || check::add_citations(&text, &sources));
        let Some(text) = citing.await.flatten() else {
            let reason = "the language model cited nothing and no source supports its answer";
            return write_failed(reason, usage, shown);
        };
        let warning = "the language model cited nothing; citations were added where a source supports the sentence".to_owned();
        self.sink.warn(warning.clone());
        WriteResult::Written(Answer {
            text,
            model_used: model,
            usage,
            warnings: vec![warning],
            ..Answer::default()
        })
    }

    /// Keeps the complete sentences of an answer that ended early, if one of them is cited.
    fn salvage(
        &self,
        text: &str,
        model: String,
        usage: Option<Usage>,
        reason: &str,
        shown: &StreamedText<'_>,
    ) -> WriteResult {
        let text = citations::clean(text.trim(), self.sources.len());
        let Some(text) = truncation::complete_sentences(&text, self.sources.len()) else {
            return write_failed(reason, usage, shown);
        };
        let warning = format!("{reason}; the answer ends early");
        self.sink.warn(warning.clone());
        WriteResult::Written(Answer {
            text,
            model_used: model,
            usage,
            warnings: vec![warning],
            ..Answer::default()
        })
    }
}

fn write_failed(reason: &str, usage: Option<Usage>, shown: &StreamedText<'_>) -> WriteResult {
    WriteResult::Failed {
        reason: reason.to_owned(),
        streamed: shown.any(),
        usage,
    }
}

/// The warning for a server that truncated the prompt: it read less than half of the estimate,
/// which is up to a third too high.
fn truncated_prompt_warning(usage: Option<Usage>, estimate: u64) -> Option<String> {
    let read = usage?.prompt_tokens;
    let cut = read > 0 && estimate >= MIN_CHECKED_PROMPT_TOKENS && read < estimate / 2;
    cut.then(|| {
        format!(
            "the language model's server read only {read} tokens of a prompt of about {estimate}: \
             raise its context (num_ctx in Ollama) or set LLM_CONTEXT_TOKENS to what it has"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_of_which_less_than_half_was_read_was_truncated() {
        let read = |prompt_tokens| {
            Some(Usage {
                prompt_tokens,
                completion_tokens: 1,
                total_tokens: prompt_tokens + 1,
            })
        };
        assert!(
            truncated_prompt_warning(read(2048), 6000)
                .unwrap()
                .contains("num_ctx")
        );
        for (usage, estimate) in [
            (read(4500), 6000),
            (read(100), 900),
            (read(0), 6000),
            (None, 6000),
        ] {
            assert_eq!(truncated_prompt_warning(usage, estimate), None);
        }
    }
}
