//! Settings of the worker.

use crate::{
    daemon::{CallbackSettings, DaemonSettings, SlotLimits},
    llm::LlmConfig,
    providers::local::CorpusSettings,
    semantics::{SimilarityConfig, SimilarityServer},
    web::fetch::FetchRules,
    wiring::{KeyedUpstream, PipelineSettings, WikipediaSettings},
};
use privachat_core::{
    cache::Cache,
    domain::DomainList,
    history::Retention,
    secret::Secret,
    settings::{InvalidSettings, Lookup, SettingsReader, SharedSettings},
};
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};
use url::Url;

const OPENROUTER_BASE_URL: &str = "https://openrouter.ai/api/v1";

/// Settings of the worker.
#[derive(Clone)]
pub struct WorkerSettings {
    /// Settings of both binaries.
    pub shared: SharedSettings,
    /// Settings of the pipeline.
    pub pipeline: PipelineSettings,
    /// Life of a cached page; zero turns the page cache off.
    pub page_cache_ttl: Duration,
    cache_ttl: Duration,
    name: String,
    slots: SlotLimits,
    lease: Duration,
    max_attempts: u32,
    retention: Retention,
}

impl WorkerSettings {
    /// Reads all settings.
    ///
    /// # Errors
    /// `InvalidSettings` lists every invalid setting.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, InvalidSettings> {
        let mut reader = SettingsReader::new(lookup);
        let shared = SharedSettings::read(&mut reader);
        let name = reader.text("WORKER_NAME").unwrap_or_else(default_name);
        let slots = SlotLimits {
            total: slot_count(&mut reader, "WORKER_SLOTS", 16),
            balanced: slot_count(&mut reader, "WORKER_SLOTS_BALANCED", 8),
            deep: slot_count(&mut reader, "WORKER_SLOTS_DEEP", 4),
        };
        let lease = Duration::from_secs(reader.number("JOB_LEASE_SECONDS", 15, 3..=300));
        let most_attempts = reader.number("JOB_MAX_ATTEMPTS", 3, 1..=100);
        let most_attempts = u32::try_from(most_attempts).unwrap_or(u32::MAX);
        let keep = Retention {
            days: optional_limit(&mut reader, "HISTORY_DAYS", 36_500),
            max_sessions: optional_limit(&mut reader, "HISTORY_MAX", 1_000_000_000),
        };
        let cache_ttl = Duration::from_secs(reader.number("CACHE_TTL_SECONDS", 0, 0..=86_400));
        let page_cache_ttl = reader.number("PAGE_CACHE_TTL_SECONDS", 3600, 0..=86_400);
        let page_cache_ttl = Duration::from_secs(page_cache_ttl);
        let pipeline = pipeline(&mut reader);
        match shared {
            Some(shared) => reader.finish(Self {
                shared,
                pipeline,
                page_cache_ttl,
                cache_ttl,
                name,
                slots,
                lease,
                max_attempts: most_attempts,
                retention: keep,
            }),
            None => Err(reader
                .finish(())
                .err()
                .unwrap_or(InvalidSettings(Vec::new()))),
        }
    }

    /// The settings of the daemon.
    #[must_use]
    pub fn daemon(&self) -> DaemonSettings {
        DaemonSettings {
            name: self.name.clone(),
            database_url: self.shared.database_url.clone(),
            retention: self.retention,
            slots: self.slots,
            lease: self.lease,
            drain: self.shared.drain_timeout,
            max_attempts: self.max_attempts,
            cache: Cache::new(self.shared.redis.clone()),
            cache_ttl: self.cache_ttl,
            callbacks: CallbackSettings {
                keys: self.shared.webhook_keys.clone(),
                allow_hosts: self.pipeline.fetch.allow_hosts.clone(),
            },
        }
    }
}

fn slot_count(reader: &mut SettingsReader<'_>, name: &'static str, default: u64) -> usize {
    usize::try_from(reader.number(name, default, 1..=1000)).unwrap_or(usize::MAX)
}

/// A limit; zero means no limit.
fn optional_limit(reader: &mut SettingsReader<'_>, name: &'static str, most: u64) -> u32 {
    u32::try_from(reader.number(name, 0, 0..=most)).unwrap_or(u32::MAX)
}

/// The name of the container or machine, and the process id.
fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim())
        .filter(|host| !host.is_empty())
        .unwrap_or("worker");
    format!("{host}-{}", std::process::id())
}

fn pipeline(reader: &mut SettingsReader<'_>) -> PipelineSettings {
    PipelineSettings {
        searxng: reader.http_url("SEARXNG_BASE_URL"),
        serper: keyed_upstream(reader, "SERPER_API_KEY", "SERPER_BASE_URL"),
        perplexity: keyed_upstream(reader, "PERPLEXITY_API_KEY", "PERPLEXITY_BASE_URL"),
        wikipedia: wikipedia(reader),
        corpus: corpus(reader),
        llm: llm(reader),
        semantics: semantics(reader),
        fetch: FetchRules {
            allow_hosts: reader.list("FETCH_ALLOW_HOSTS"),
            excluded_domains: DomainList::new(&reader.list("EXCLUDED_DOMAINS")),
            respect_robots: on_or_off(reader, "FETCH_ROBOTS", true),
            ..FetchRules::default()
        },
        parser_program: None,
        authorities: reader.ca_file("UPSTREAM_CA_FILE"),
    }
}

fn keyed_upstream(
    reader: &mut SettingsReader<'_>,
    key: &'static str,
    base: &'static str,
) -> Option<KeyedUpstream> {
    let base = reader.http_url(base);
    let key = Secret::new(reader.text(key)?);
    Some(KeyedUpstream { key, base })
}

fn wikipedia(reader: &mut SettingsReader<'_>) -> Option<WikipediaSettings> {
    if reader.text("WIKIPEDIA_BASE_URL").as_deref() == Some("off") {
        return None;
    }
    let base = reader.http_url("WIKIPEDIA_BASE_URL");
    Some(WikipediaSettings { base })
}

fn corpus(reader: &mut SettingsReader<'_>) -> Option<CorpusSettings> {
    let paths: Vec<PathBuf> = reader
        .list("CORPUS_PATHS")
        .into_iter()
        .map(PathBuf::from)
        .collect();
    let base_url = reader.http_url("CORPUS_BASE_URL");
    let data = reader.text("DATA_DIR").unwrap_or_else(|| "data".to_owned());
    (!paths.is_empty()).then(|| CorpusSettings {
        paths,
        index_dir: PathBuf::from(data).join("corpus"),
        base_url,
    })
}

/// The OPENROUTER_ settings are those of the service that this one replaces.
fn llm(reader: &mut SettingsReader<'_>) -> Option<LlmConfig> {
    let context_tokens = token_count(reader, "LLM_CONTEXT_TOKENS", 0, 0..=10_000_000);
    let answer_tokens = token_count(reader, "LLM_ANSWER_TOKENS", 1024, 64..=100_000);
    let own = reader.http_url("LLM_BASE_URL");
    let openrouter = reader.http_url("OPENROUTER_BASE_URL");
    let openrouter_key = reader.text("OPENROUTER_API_KEY");
    let api_key = reader
        .text("LLM_API_KEY")
        .or_else(|| openrouter_key.clone());
    let public = || {
        openrouter_key
            .as_ref()
            .and_then(|_set| Url::parse(OPENROUTER_BASE_URL).ok())
    };
    let base_url = own
        .or_else(|| openrouter.filter(|_url| openrouter_key.is_some()))
        .or_else(public)?;
    let Some(model) = reader.text("LLM_MODEL") else {
        reader.add_error(
            "LLM_MODEL",
            "must name a model when LLM_BASE_URL or OPENROUTER_API_KEY is set",
        );
        return None;
    };
    Some(LlmConfig {
        base_url,
        api_key: api_key.map(Secret::new),
        model,
        fallback_model: reader.text("FALLBACK_LLM_MODEL"),
        context_tokens: (context_tokens > 0).then_some(context_tokens),
        max_answer_tokens: answer_tokens,
    })
}

fn token_count(
    reader: &mut SettingsReader<'_>,
    name: &'static str,
    default: u64,
    bounds: RangeInclusive<u64>,
) -> u32 {
    u32::try_from(reader.number(name, default, bounds)).unwrap_or(u32::MAX)
}

fn on_or_off(reader: &mut SettingsReader<'_>, name: &'static str, default: bool) -> bool {
    match reader.text(name).as_deref() {
        None => default,
        Some("on") => true,
        Some("off") => false,
        Some(_) => {
            reader.add_error(name, "must be on or off");
            default
        }
    }
}

fn semantics(reader: &mut SettingsReader<'_>) -> Option<SimilarityConfig> {
    let embeddings = semantics_server(
        reader,
        ["EMBEDDING_BASE_URL", "EMBEDDING_API_KEY", "EMBEDDING_MODEL"],
    );
    let rerank = semantics_server(
        reader,
        ["RERANK_BASE_URL", "RERANK_API_KEY", "RERANK_MODEL"],
    );
    match (embeddings, rerank) {
        (Some(_), Some(_)) => {
            reader.add_error(
                "RERANK_BASE_URL",
                "must not be set together with EMBEDDING_BASE_URL: one of them ranks by meaning",
            );
            None
        }
        (Some(server), None) => Some(SimilarityConfig::Embeddings(server)),
        (None, Some(server)) => Some(SimilarityConfig::Rerank(server)),
        (None, None) => None,
    }
}

fn semantics_server(
    reader: &mut SettingsReader<'_>,
    [base, key, model]: [&'static str; 3],
) -> Option<SimilarityServer> {
    let base_url = reader.http_url(base)?;
    let api_key = reader.text(key).map(Secret::new);
    let Some(name) = reader.text(model) else {
        reader.add_error(model, format!("must name a model when {base} is set"));
        return None;
    };
    Some(SimilarityServer {
        base_url,
        api_key,
        model: name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<WorkerSettings, InvalidSettings> {
        WorkerSettings::read(&|name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_settings_wikipedia_is_the_only_provider_and_there_is_no_model() {
        let pipeline = read(&[]).unwrap().pipeline;
        assert!(pipeline.wikipedia.is_some());
        assert!(pipeline.searxng.is_none() && pipeline.corpus.is_none() && pipeline.llm.is_none());
    }

    #[test]
    fn the_settings_of_the_old_service_configure_the_model() {
        let pipeline = read(&[("OPENROUTER_API_KEY", "k"), ("LLM_MODEL", "m")])
            .unwrap()
            .pipeline;
        assert_eq!(pipeline.llm.unwrap().base_url.as_str(), OPENROUTER_BASE_URL);
    }

    #[test]
    fn one_server_ranks_by_meaning_and_its_model_must_be_named() {
        let embeddings = [
            ("EMBEDDING_BASE_URL", "http://localhost:1/v1"),
            ("EMBEDDING_MODEL", "e"),
        ];
        let rerank = [
            ("RERANK_BASE_URL", "http://localhost:2"),
            ("RERANK_MODEL", "r"),
        ];
        let settings = read(&embeddings).unwrap().pipeline;
        assert!(
            matches!(settings.semantics, Some(SimilarityConfig::Embeddings(server)) if server.model == "e")
        );
        let settings = read(&rerank).unwrap().pipeline;
        assert!(
            matches!(settings.semantics, Some(SimilarityConfig::Rerank(server)) if server.model == "r")
        );
        let complaint = read(&[embeddings, rerank].concat()).err().unwrap();
        assert!(
            complaint.to_string().contains("RERANK_BASE_URL"),
            "{complaint}"
        );
        let complaint = read(&rerank[..1]).err().unwrap();
        assert!(
            complaint.to_string().contains("RERANK_MODEL"),
            "{complaint}"
        );
    }

    #[test]
    fn an_llm_server_without_a_model_is_invalid() {
        let complaint = read(&[("LLM_BASE_URL", "http://localhost:11434/v1")])
            .err()
            .unwrap();
        assert!(complaint.to_string().contains("LLM_MODEL"), "{complaint}");
    }
}
