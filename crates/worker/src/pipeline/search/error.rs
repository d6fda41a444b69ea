//! The errors of the search stage: no provider configured, all failed, nothing found.

use super::route::ProviderCall;
use crate::pipeline::{
    outcome::PipelineError,
    provider::{EngineFailure, ProviderError},
};
use privachat_core::schema::{SearchEngine, Stage, error_code};
use std::time::Duration;

pub(super) fn not_configured(engine: SearchEngine) -> PipelineError {
    let message = match engine {
        SearchEngine::Auto => "No search provider is configured.".to_owned(),
        named => format!("The search provider {} is not configured.", named.as_str()),
    };
    PipelineError {
        stage: Stage::Search,
        code: error_code::NO_PROVIDER,
        message,
        hint: Some(missing_setting(engine).to_owned()),
        retryable: false,
        retry_after: None,
        warnings: Vec::new(),
    }
}

fn missing_setting(engine: SearchEngine) -> &'static str {
    match engine {
        SearchEngine::Searxng => "Set SEARXNG_BASE_URL for the worker.",
        SearchEngine::Serperdev => "Set SERPER_API_KEY for the worker.",
        SearchEngine::Perplexity => "Set PERPLEXITY_API_KEY for the worker.",
        SearchEngine::Wikipedia => "Set WIKIPEDIA_BASE_URL for the worker.",
        SearchEngine::Local => "Set CORPUS_PATHS for the worker.",
        SearchEngine::Auto => {
            "Set at least one of SEARXNG_BASE_URL, CORPUS_PATHS, SERPER_API_KEY and \
             PERPLEXITY_API_KEY for the worker."
        }
    }
}

/// The error for calls that gave no candidate.
pub(super) fn no_sources(attempts: &[ProviderCall]) -> PipelineError {
    let errors = distinct_errors(attempts);
    let empty = provider_names(attempts, |attempt| attempt.result.is_ok());
    if attempts.iter().any(|attempt| attempt.excluded > 0) {
        return all_excluded();
    }
    let silences = attempts.iter().filter_map(engine_failure);
    if let Some(silence) = silences.min() {
        let silent = provider_names(attempts, |attempt| engine_failure(attempt) == Some(silence));
        return engines_failed(silence, &silent);
    }
    if errors.is_empty() || is_conclusive(attempts) {
        return nothing_found(&empty);
    }
    let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let mut message = format!("No search provider gave results: {}", reasons.join("; "));
    if !empty.is_empty() {
        message.push_str(&format!("; {} found nothing", empty.join(" and ")));
    }
    message.push('.');
    let all_late = errors
        .iter()
        .all(|error| matches!(error, ProviderError::TimedOut { .. }));
    PipelineError {
        stage: Stage::Search,
        code: if all_late {
            error_code::TIMEOUT
        } else {
            error_code::UPSTREAM_UNAVAILABLE
        },
        message,
        hint: retry_hint(&errors, all_late),
        retryable: errors.iter().any(|error| error.is_transient()),
        retry_after: shortest_retry_after(&errors),
        warnings: Vec::new(),
    }
}

/// The shortest wait, if all transient errors ask for one.
fn shortest_retry_after(errors: &[&ProviderError]) -> Option<Duration> {
    let transient = errors.iter().filter(|error| error.is_transient());
    let waits: Option<Vec<Duration>> = transient.map(|error| error.retry_after()).collect();
    waits?.into_iter().min()
}

/// When to try again and what to do: the hint of a provider, or the setting to check.
fn retry_hint(errors: &[&ProviderError], all_late: bool) -> Option<String> {
    let what = error_hint(errors, all_late);
    let Some(wait) = shortest_retry_after(errors) else {
        return what;
    };
    let seconds = wait.as_secs_f64().ceil();
    let when = format!("Try again in {seconds} s: the providers limit the rate of requests.");
    Some(what.map_or_else(|| when.clone(), |what| format!("{when} {what}")))
}

fn error_hint(errors: &[&ProviderError], all_late: bool) -> Option<String> {
    if let Some(hint) = errors.iter().find_map(|error| error.hint()) {
        return Some(hint.to_owned());
    }
    let again = if all_late {
        "Try again, with a longer timeout. "
    } else {
        ""
    };
    let setting = errors
        .first()
        .map(|error| address_setting(error.provider()))?;
    Some(format!(
        "{again}Check {setting} and that what it names is running; \
         `privachat-worker check-config` tests each provider."
    ))
}

/// The setting with the address of a provider.
fn address_setting(provider: &str) -> &'static str {
    match provider {
        "searxng" => "SEARXNG_BASE_URL",
        "serperdev" => "SERPER_BASE_URL",
        "perplexity" => "PERPLEXITY_BASE_URL",
        "wikipedia" => "WIKIPEDIA_BASE_URL",
        _ => "CORPUS_PATHS",
    }
}

fn nothing_found(empty: &[&str]) -> PipelineError {
    PipelineError {
        stage: Stage::Search,
        code: error_code::NO_SOURCES,
        message: format!(
            "Nothing was found for this question by {}.",
            empty.join(" and ")
        ),
        hint: Some("Ask in other words, or choose another search_engine.".to_owned()),
        retryable: false,
        retry_after: None,
        warnings: Vec::new(),
    }
}

/// All hits are in excluded domains.
fn all_excluded() -> PipelineError {
    PipelineError {
        stage: Stage::Search,
        code: error_code::SOURCES_FILTERED,
        message: "Everything that was found lies in excluded domains.".to_owned(),
        hint: documented_remedy(error_code::SOURCES_FILTERED),
        retryable: false,
        retry_after: None,
        warnings: Vec::new(),
    }
}

fn engine_failure(attempt: &ProviderCall) -> Option<EngineFailure> {
    attempt.result.as_ref().ok()?.silence
}

/// There are no hits, and engines behind `providers` failed.
fn engines_failed(silence: EngineFailure, providers: &[&str]) -> PipelineError {
    let (code, what) = match silence {
        EngineFailure::Refused => (error_code::SOURCES_BLOCKED, "refused to search"),
        EngineFailure::Late => (error_code::TIMEOUT, "did not answer in time"),
        EngineFailure::Failed => (error_code::UPSTREAM_UNAVAILABLE, "failed"),
    };
    PipelineError {
        stage: Stage::Search,
        code,
        message: format!(
            "Nothing was found, and engines behind {} {what}.",
            providers.join(" and ")
        ),
        hint: documented_remedy(code),
        // SearXNG suspends engines that refuse or fail for minutes and more.
        retryable: silence == EngineFailure::Late,
        retry_after: None,
        warnings: Vec::new(),
    }
}

fn documented_remedy(code: &str) -> Option<String> {
    error_code::find(code).map(|problem| problem.remedy.to_owned())
}

/// Whether empty results mean that nothing exists. Those of the local corpus alone do not: they say
/// nothing about the web.
fn is_conclusive(attempts: &[ProviderCall]) -> bool {
    attempts
        .iter()
        .any(|attempt| attempt.result.is_ok() && attempt.provider != SearchEngine::Local.as_str())
}

fn distinct_errors(attempts: &[ProviderCall]) -> Vec<&ProviderError> {
    let mut errors: Vec<&ProviderError> = Vec::new();
    for error in attempts.iter().filter_map(|a| a.result.as_ref().err()) {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

fn provider_names(
    attempts: &[ProviderCall],
    wanted: impl Fn(&ProviderCall) -> bool,
) -> Vec<&'static str> {
    let mut names = Vec::new();
    for attempt in attempts.iter().filter(|attempt| wanted(attempt)) {
        if !names.contains(&attempt.provider) {
            names.push(attempt.provider);
        }
    }
    names
}
