//! The check of the language model for `check-config`.

use super::{
    client::OpenAiClient,
    error::{self, CompletionError, ModelSource},
};
use crate::{
    cleaning,
    pipeline::{Deadline, LanguageModel, ModelError, ModelLimits, Prompt},
    upstream::{self, ProbeError, UpstreamResponse},
};
use url::{Host, Url};

/// A model's name is cut to this many characters.
const MAX_NAME_CHARS: usize = 200;
/// A message lists at most this many models.
const MAX_LISTED_MODELS: usize = 8;

impl OpenAiClient {
    /// Checks that the server lists the configured models. With an API key, or without a list, it
    /// also requests one token of each: the list may be public.
    ///
    /// # Errors
    /// When the server does not respond, refuses the key or lacks a configured model.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let reply = upstream::send(self.get("models"), deadline).await;
        let reply =
            reply.map_err(|trouble| self.probe_error(&CompletionError::from(trouble).error))?;
        if matches!(reply.status.as_u16(), 404 | 405 | 501) {
            return self.probe_by_completions(deadline).await;
        }
        if !reply.status.is_success() {
            let failure = error::classify_response(&reply, ModelSource::Configured);
            return Err(self.probe_error(&failure.error));
        }
        let Some(models) = listed_models(&reply) else {
            return self.probe_by_completions(deadline).await;
        };
        for (setting, name) in self.configured_models() {
            if !has_model(&models, name) {
                return Err(missing_model(setting, name, &models));
            }
        }
        if self.config.api_key.is_some() {
            self.probe_by_completions(deadline).await?;
        }
        let mut report = format!(
            "{} is available, {}",
            self.config.model,
            self.describe_context(deadline).await
        );
        if let Some(fallback) = &self.config.fallback_model {
            report.push_str(&format!("; {fallback} is available too"));
        }
        Ok(report)
    }

    fn probe_error(&self, error: &ModelError) -> ProbeError {
        let hint = match error {
            ModelError::TimedOut | ModelError::Unavailable { .. } => {
                Some(unreachable_hint(&self.config.base_url))
            }
            _ => error.hint().map(str::to_owned),
        };
        ProbeError {
            problem: error.to_string(),
            hint,
        }
    }

    fn configured_models(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let fallback = self.config.fallback_model.iter();
        std::iter::once(("LLM_MODEL", &self.config.model))
            .chain(fallback.map(|name| ("FALLBACK_LLM_MODEL", name)))
    }

    /// The model's context, and what to set when it is small or a guess.
    async fn describe_context(&self, deadline: Deadline) -> String {
        if let Some(tokens) = self.config.context_tokens {
            return format!("with a context of {tokens} tokens (LLM_CONTEXT_TOKENS)");
        }
        let usual = ModelLimits::DEFAULT.context_tokens;
        match self.fetch_context(&self.config.model, deadline).await {
            Some(tokens) if tokens < usual => format!(
                "with a context of only {tokens} tokens, so few sources fit: raise it \
                 (for Ollama, set OLLAMA_CONTEXT_LENGTH=16384 where it runs)"
            ),
            Some(tokens) => format!("with a context of {tokens} tokens"),
            None => format!(
                "with an unknown context: {usual} tokens are assumed; set \
                 LLM_CONTEXT_TOKENS to change that"
            ),
        }
    }

    /// Requests one token of each model by itself, so that the fallback does not hide a failure of
    /// the first.
    async fn probe_by_completions(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let mut answering = Vec::new();
        for (setting, name) in self.configured_models() {
            let mut alone = self.clone();
            alone.config.model.clone_from(name);
            alone.config.fallback_model = None;
            let answered = alone.probe_by_completion(deadline).await;
            answered.map_err(|error| ProbeError {
                problem: format!("{setting}: {}", error.problem),
                ..error
            })?;
            answering.push(name.as_str());
        }
        let verb = if answering.len() == 1 {
            "answers"
        } else {
            "answer"
        };
        Ok(format!("{} {verb}", answering.join(" and ")))
    }

    async fn probe_by_completion(&self, deadline: Deadline) -> Result<(), ProbeError> {
        let prompt = Prompt {
            system: String::new(),
            user: "Say yes.".to_owned(),
            model: None,
            max_tokens: 1,
            wants_json: false,
        };
        match self.complete(&prompt, deadline, &mut |_| {}).await {
            Ok(_) | Err(ModelError::Unusable { .. }) => Ok(()),
            Err(error) => Err(self.probe_error(&error)),
        }
    }
}

fn listed_models(reply: &UpstreamResponse) -> Option<Vec<String>> {
    let body = reply.json().ok()?.value;
    let entries = body.get("data").unwrap_or(&body).as_array()?;
    let ids = entries.iter().filter_map(|entry| entry.get("id")?.as_str());
    Some(
        ids.map(|id| cleaning::clean_line(id, MAX_NAME_CHARS))
            .collect(),
    )
}

/// Ollama lists "llama3" as "llama3:latest".
fn has_model(models: &[String], name: &str) -> bool {
    models
        .iter()
        .any(|model| model == name || model.strip_suffix(":latest") == Some(name))
}

fn missing_model(setting: &str, name: &str, models: &[String]) -> ProbeError {
    let named: Vec<&str> = models
        .iter()
        .take(MAX_LISTED_MODELS)
        .map(String::as_str)
        .collect();
    let more = if models.len() > MAX_LISTED_MODELS {
        ", …"
    } else {
        ""
    };
    ProbeError {
        problem: format!("the server has no model {name:?}"),
        hint: Some(format!(
            "set {setting} to one of: {}{more}",
            named.join(", ")
        )),
    }
}

/// The hint for a server that does not respond.
fn unreachable_hint(base_url: &Url) -> String {
    let where_it_is = match base_url.host() {
        Some(Host::Domain("host.docker.internal")) => {
            "; a server on the container's host must listen on more than 127.0.0.1 \
             (Ollama: OLLAMA_HOST=0.0.0.0)"
        }
        Some(host) if is_loopback(&host) => {
            "; in a container, this is the container itself: use host.docker.internal for its host"
        }
        _ => "",
    };
    format!("check LLM_BASE_URL and that the server is running{where_it_is}")
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreachable_server_hint_depends_on_its_host() {
        let hint = |url: &str| unreachable_hint(&Url::parse(url).unwrap());
        assert!(hint("http://host.docker.internal:11434/v1").contains("OLLAMA_HOST"));
        for here in [
            "http://localhost:1/v1",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(hint(here).contains("host.docker.internal"), "{here}");
        }
        assert!(hint("http://llm:8000/v1").ends_with("is running"));
    }
}
