//! What `check-config` finds out about the language model.

use super::{
    client::OpenAi,
    refusal::{self, Failure, ModelName},
};
use crate::{
    pipeline::{Deadline, LanguageModel, ModelError, Prompt},
    upstream::{self, ProbeError, Reply},
};
use serde_json::Value;

/// How many of the server's models a message names.
const NAMED_MODELS: usize = 8;

impl OpenAi {
    /// Asks the server for its models and looks for the configured ones; a server that lists none
    /// is asked for one token.
    ///
    /// # Errors
    /// When the server does not answer, refuses the key or lacks a configured model.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let reply = upstream::exchange(self.get("models"), deadline).await;
        let reply = reply.map_err(|trouble| describe(&Failure::from(trouble).error))?;
        if matches!(reply.status.as_u16(), 404 | 405 | 501) {
            return self.probe_by_completion(deadline).await;
        }
        if !reply.status.is_success() {
            let status = reply.status.as_u16();
            let failure = refusal::classify(
                status,
                &reply.body,
                reply.retry_after,
                ModelName::Configured,
            );
            return Err(describe(&failure.error));
        }
        let Some(models) = listed(&reply) else {
            return self.probe_by_completion(deadline).await;
        };
        let configured = [
            ("LLM_MODEL", Some(&self.config.model)),
            ("FALLBACK_LLM_MODEL", self.config.fallback_model.as_ref()),
        ];
        for (setting, name) in configured {
            if let Some(name) = name
                && !has_model(&models, name)
            {
                return Err(missing(setting, name, &models));
            }
        }
        let limits = self.find_limits(&self.config.model, deadline).await;
        Ok(format!(
            "{} is there, with a context of {} tokens",
            self.config.model, limits.context_tokens
        ))
    }

    async fn probe_by_completion(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let prompt = Prompt {
            system: String::new(),
            user: "Say yes.".to_owned(),
            model: None,
            max_tokens: 1,
            json: false,
        };
        match self.complete(&prompt, deadline, &mut |_| {}).await {
            Ok(_) | Err(ModelError::Unusable { .. }) => {
                Ok(format!("{} answers", self.config.model))
            }
            Err(error) => Err(describe(&error)),
        }
    }
}

fn listed(reply: &Reply) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let entries = body.get("data").unwrap_or(&body).as_array()?;
    let ids = entries.iter().filter_map(|entry| entry.get("id")?.as_str());
    Some(ids.map(str::to_owned).collect())
}

/// Ollama lists "llama3" as "llama3:latest".
fn has_model(models: &[String], name: &str) -> bool {
    models
        .iter()
        .any(|model| model == name || model.strip_suffix(":latest") == Some(name))
}

fn missing(setting: &str, name: &str, models: &[String]) -> ProbeError {
    let named: Vec<&str> = models
        .iter()
        .take(NAMED_MODELS)
        .map(String::as_str)
        .collect();
    let more = if models.len() > NAMED_MODELS {
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

fn describe(error: &ModelError) -> ProbeError {
    let hint = match error {
        ModelError::TimedOut | ModelError::Unavailable { .. } => {
            Some("check LLM_BASE_URL and that the server is running".to_owned())
        }
        _ => error.hint().map(str::to_owned),
    };
    ProbeError {
        problem: error.to_string(),
        hint,
    }
}
