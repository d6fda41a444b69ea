//! The context window of a model: as configured, as the server reports it, or a default.

use super::client::OpenAiClient;
use crate::{
    pipeline::{Deadline, ModelLimits},
    upstream,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use url::Url;

/// How long a search waits for the context window.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);
/// Ollama's default context; it truncates longer prompts silently.
const OLLAMA_DEFAULT_CONTEXT: u32 = 4096;
/// An answer gets at most the context divided by this.
const CONTEXT_PER_ANSWER: u32 = 2;
/// Fields of a model's entry in `GET /models` that hold its context: those of OpenRouter, vLLM and
/// several others.
const CONTEXT_POINTERS: [&str; 5] = [
    "/max_model_len",
    "/context_length",
    "/context_window",
    "/max_context_length",
    "/meta/n_ctx",
];

/// Context windows by model name. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ContextCache(Arc<Mutex<HashMap<String, u32>>>);

impl OpenAiClient {
    /// The limits of `model`; queries the server once and uses a default if it does not report
    /// them.
    pub(super) async fn find_limits(&self, model: &str, deadline: Deadline) -> ModelLimits {
        let context = match self.config.context_tokens {
            Some(tokens) => tokens,
            None => {
                let asking = self.cached_context(model, deadline);
                let asked = deadline.at_most(LOOKUP_TIMEOUT).limit(asking).await;
                asked.unwrap_or(ModelLimits::DEFAULT.context_tokens)
            }
        };
        ModelLimits {
            context_tokens: context,
            answer_tokens: self
                .config
                .max_answer_tokens
                .min(context / CONTEXT_PER_ANSWER),
        }
    }

    async fn cached_context(&self, model: &str, deadline: Deadline) -> u32 {
        // The lock is held during the request, so that concurrent searches send only one.
        let mut known = self.context_cache.0.lock().await;
        if let Some(context) = known.get(model) {
            return *context;
        }
        let found = self.fetch_context(model, deadline).await;
        let context = found.unwrap_or(ModelLimits::DEFAULT.context_tokens);
        known.insert(model.to_owned(), context);
        context
    }

    /// The context window that the server reports, if any.
    pub(super) async fn fetch_context(&self, model: &str, deadline: Deadline) -> Option<u32> {
        if let Some(models) = fetch_object(self.get("models"), deadline).await
            && let Some(context) = listed_context(&models, model)
        {
            return Some(context);
        }
        let root = ollama_root(&self.config.base_url)?;
        let ask = |method, path| self.request(method, upstream::endpoint(&root, path));
        let version = fetch_object(ask(Method::GET, "api/version"), deadline).await?;
        version.get("version")?;
        let loaded = fetch_object(ask(Method::GET, "api/ps"), deadline).await;
        let loaded = loaded.and_then(|models| loaded_context(&models, model));
        if loaded.is_some() {
            return loaded;
        }
        let body = json!({"model": model});
        let shown = fetch_object(ask(Method::POST, "api/show").json(&body), deadline).await;
        let set = shown.and_then(|model| parse_num_ctx(model.get("parameters")?.as_str()?));
        Some(set.unwrap_or(OLLAMA_DEFAULT_CONTEXT))
    }
}

async fn fetch_object(request: RequestBuilder, deadline: Deadline) -> Option<Value> {
    let reply = upstream::send(request, deadline).await.ok()?;
    if !reply.status.is_success() {
        return None;
    }
    Some(reply.json().ok()?.value)
}

fn listed_context(models: &Value, name: &str) -> Option<u32> {
    let entries = models.get("data").unwrap_or(models).as_array()?;
    let entry = entries
        .iter()
        .find(|entry| is_model(entry.get("id"), name))?;
    CONTEXT_POINTERS
        .iter()
        .find_map(|member| positive_u32(entry.pointer(member)))
}

/// The context of a model that Ollama has loaded (`/api/ps`).
fn loaded_context(models: &Value, name: &str) -> Option<u32> {
    let entries = models.get("models")?.as_array()?;
    let entry = entries
        .iter()
        .find(|entry| is_model(entry.get("name"), name))?;
    positive_u32(entry.get("context_length"))
}

/// Ollama lists "llama3" as "llama3:latest".
fn is_model(value: Option<&Value>, name: &str) -> bool {
    let id = value.and_then(Value::as_str).unwrap_or_default();
    id == name || id.strip_suffix(":latest") == Some(name)
}

fn positive_u32(value: Option<&Value>) -> Option<u32> {
    let number = u32::try_from(value?.as_u64()?).unwrap_or(u32::MAX);
    (number > 0).then_some(number)
}

/// The `num_ctx` of a model file's parameters.
fn parse_num_ctx(parameters: &str) -> Option<u32> {
    parameters.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let named = words.next() == Some("num_ctx");
        words.next().filter(|_| named)?.parse().ok()
    })
}

/// The root of Ollama's own API, if `base` can be its OpenAI-compatible path.
fn ollama_root(base: &Url) -> Option<Url> {
    let path = base.path().trim_end_matches('/');
    let above = path.strip_suffix("/v1")?.to_owned();
    let mut root = base.clone();
    root.set_path(&above);
    Some(root)
}
