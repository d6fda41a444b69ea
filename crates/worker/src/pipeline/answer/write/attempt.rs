//! One request to the model to write the answer, and what of its text is used.

use super::{Answer, declining::declines, salvage, shown::Shown};
use crate::pipeline::{
    Completion, Deadline, LanguageModel, ModelError, Piece, Plan, ProgressSink, Prompt,
    RankedSource,
    answer::{
        citations,
        prompt::{PromptBudget, prompt, tokens},
    },
    blocking::Cores,
    check,
};
use privachat_core::schema::{SearchRequest, Usage};
use std::sync::Arc;

/// Shorter prompts, in tokens, are not checked for truncation by the server.
const NOTABLE_PROMPT: u64 = 1500;

pub(super) enum Attempt {
    Written(Answer),
    /// No usable text; `streamed` if some was already sent to subscribers.
    Failed {
        reason: String,
        streamed: bool,
        usage: Option<Usage>,
    },
    TooLong,
}

pub(super) struct Task<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) sources: &'a Arc<Vec<RankedSource>>,
    pub(super) request: &'a SearchRequest,
    pub(super) cores: &'a Cores,
    pub(super) sink: &'a dyn ProgressSink,
}

impl Task<'_> {
    pub(super) async fn attempt(
        &self,
        model: &dyn LanguageModel,
        budget: PromptBudget,
        deadline: Deadline,
    ) -> Attempt {
        let mut shown = Shown::new(self.sources.len(), self.sink);
        let Some((prompt, estimate)) = self.prompt(budget, deadline).await else {
            return failed(&ModelError::TimedOut.to_string(), None, &shown);
        };
        let result = {
            let mut on_piece = |piece: Piece<'_>| match piece {
                Piece::Text(text) => shown.push(text),
                Piece::Discard => shown.discard(),
            };
            deadline
                .cut(model.complete(&prompt, deadline, &mut on_piece))
                .await
        };
        shown.finish();
        match result {
            Some(Ok(completion)) => self.completed(completion, estimate, &shown, deadline).await,
            Some(Err(ModelError::ContextTooSmall)) if !shown.any() => Attempt::TooLong,
            Some(Err(ModelError::Cut {
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
                let prompt = prompt(&plan, &sources, &request, budget);
                let estimate = tokens(&prompt.system) + tokens(&prompt.user);
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
        shown: &Shown<'_>,
        deadline: Deadline,
    ) -> Attempt {
        let usage = completion.usage;
        let mut attempt = if completion.truncated {
            let reason = "the language model's answer was cut at its limit";
            self.salvage(&completion.text, completion.model, usage, reason, shown)
        } else {
            let text = citations::clean(completion.text.trim(), self.sources.len());
            self.accept(text, completion.model, usage, shown, deadline)
                .await
        };
        if let (Attempt::Written(answer), Some(warning)) =
            (&mut attempt, silently_cut(usage, estimate))
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
        shown: &Shown<'_>,
        deadline: Deadline,
    ) -> Attempt {
        let declined = declines(&text, self.sources.len());
        let cited = !citations::cited(&text, self.sources.len()).is_empty();
        if cited || declined {
            return Attempt::Written(Answer {
                declined,
                text,
                model_used: model,
                usage,
                ..Answer::default()
            });
        }
        let sources = Arc::clone(self.sources);
        let citing = self
            .cores
            .cut(deadline, move || check::cite(&text, &sources));
        let Some(text) = citing.await.flatten() else {
            let reason = "the language model cited nothing and no source supports its answer";
            return failed(reason, usage, shown);
        };
        let warning = "the language model cited nothing; citations were added where a source supports the sentence".to_owned();
        self.sink.warn(warning.clone());
        Attempt::Written(Answer {
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
        shown: &Shown<'_>,
    ) -> Attempt {
        let text = citations::clean(text.trim(), self.sources.len());
        let Some(text) = salvage::complete_sentences(&text, self.sources.len()) else {
            return failed(reason, usage, shown);
        };
        let warning = format!("{reason}; the answer ends early");
        self.sink.warn(warning.clone());
        Attempt::Written(Answer {
            text,
            model_used: model,
            usage,
            warnings: vec![warning],
            ..Answer::default()
        })
    }
}

fn failed(reason: &str, usage: Option<Usage>, shown: &Shown<'_>) -> Attempt {
    Attempt::Failed {
        reason: reason.to_owned(),
        streamed: shown.any(),
        usage,
    }
}

/// The warning for a server that truncated the prompt: it read less than half of the estimate,
/// which is up to a third too high.
fn silently_cut(usage: Option<Usage>, estimate: u64) -> Option<String> {
    let read = usage?.prompt_tokens;
    let cut = read > 0 && estimate >= NOTABLE_PROMPT && read < estimate / 2;
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
        assert!(silently_cut(read(2048), 6000).unwrap().contains("num_ctx"));
        for (usage, estimate) in [
            (read(4500), 6000),
            (read(100), 900),
            (read(0), 6000),
            (None, 6000),
        ] {
            assert_eq!(silently_cut(usage, estimate), None);
        }
    }
}
