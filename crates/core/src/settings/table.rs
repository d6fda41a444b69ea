//! The table of all settings. `--help` prints it; a test compares it with `.env.example`.

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The default; empty if there is none.
    pub default: &'static str,
    /// The meaning, in one line.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default,
        meaning,
    }
}

/// The settings of both binaries.
pub const SETTINGS: &[Setting] = &[
    setting(
        "REDIS_URL",
        "redis://localhost:6379/0",
        "Redis: rediss:// and redis+unix:///path/to.sock too; a Cluster is redis://host1:port1,host2:port2, \
         Sentinel is redis+sentinel://host1:port1,host2:port2/name-of-the-master",
    ),
    setting(
        "REDIS_CA_FILE",
        "",
        "for rediss://: file with PEM certificates of authorities to trust in addition to the public ones",
    ),
    setting(
        "DATABASE_URL",
        "sqlite://data/privachat.db",
        "history: sqlite://path or postgres://user:password@host/db, with ?sslmode=verify-full over a network that is \
         not your own",
    ),
    setting(
        "DATABASE_CA_FILE",
        "",
        "the same for Postgres; sslmode is verify-full then, unless DATABASE_URL sets another",
    ),
    setting(
        "HISTORY_DAYS",
        "0",
        "days that ended searches are kept in the history; 0 for no limit",
    ),
    setting(
        "HISTORY_MAX",
        "0",
        "largest number of ended searches in the history, the newest; 0 for no limit",
    ),
    setting("API_HOST", "127.0.0.1", "address the API listens on"),
    setting(
        "API_PORT",
        "8001",
        "port the API listens on; 0 picks a free one",
    ),
    setting(
        "API_ADDR_FILE",
        "",
        "file to which the API writes its address once it listens",
    ),
    setting(
        "MAX_QUEUE_LENGTH",
        "10000",
        "largest number of waiting searches; above it the API answers 429",
    ),
    setting(
        "ALLOWED_HOSTS",
        "",
        "comma-separated names by which clients call the service; localhost, addresses and API_HOST \
         need no entry; *.example.com for subdomains, * for any",
    ),
    setting(
        "CORS_ORIGINS",
        "",
        "comma-separated origins whose web pages may call the API; * for all",
    ),
    setting(
        "API_KEYS",
        "",
        "comma-separated API keys, each key or name:key; once set, requests need one",
    ),
    setting(
        "API_ADMIN_KEYS",
        "",
        "admin keys in the same form: they see every search, the queue and the metrics",
    ),
    setting(
        "API_RATE_LIMIT",
        "0",
        "requests a minute for each key, or for each address without a key; 0 for no limit",
    ),
    setting(
        "API_TRUSTED_PROXIES",
        "",
        "comma-separated addresses, networks or names of proxies whose X-Forwarded-For is trusted",
    ),
    setting(
        "SHUTDOWN_DELAY_SECONDS",
        "5",
        "how long a stopping API still accepts requests, not ready, until load balancers notice",
    ),
    setting(
        "METRICS_HOST",
        "127.0.0.1",
        "address of the port for /metrics, /livez and /readyz",
    ),
    setting(
        "METRICS_PORT",
        "",
        "port for these, without a key; 0 picks a free one; not opened when not set",
    ),
    setting(
        "METRICS_ADDR_FILE",
        "",
        "file to which the address of that port is written once it is open",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "an OpenTelemetry collector with OTLP over HTTP, such as http://localhost:4318; no traces when not set",
    ),
    setting("ENVIRONMENT", "production", "name shown by /api/v1/health"),
    setting(
        "WORKER_NAME",
        "",
        "name of a worker in logs and records; host and process id by default",
    ),
    setting(
        "WORKER_SLOTS",
        "16",
        "searches that a worker runs at a time",
    ),
    setting(
        "WORKER_SLOTS_BALANCED",
        "8",
        "largest number of these in balanced mode",
    ),
    setting(
        "WORKER_SLOTS_DEEP",
        "4",
        "largest number of these in deep mode",
    ),
    setting(
        "JOB_TTL_SECONDS",
        "86400",
        "how long the record of a search is kept in Redis",
    ),
    setting(
        "WEBHOOK_SECRET",
        "",
        "signs callbacks: whsec_ and the base64 of 24 to 64 random bytes; without it callback_url is refused",
    ),
    setting(
        "JOB_MAX_ATTEMPTS",
        "3",
        "attempts per search, when it fails for a temporary reason",
    ),
    setting(
        "JOB_LEASE_SECONDS",
        "15",
        "how long a worker may be silent before another worker gets its search",
    ),
    setting(
        "DRAIN_SECONDS",
        "70",
        "how long a stopping process may finish its running searches or requests in flight",
    ),
    setting(
        "SEARXNG_BASE_URL",
        "",
        "a SearXNG instance with the json format enabled",
    ),
    setting("SERPER_API_KEY", "", "key for serper.dev"),
    setting(
        "SERPER_BASE_URL",
        "https://google.serper.dev",
        "address of serper.dev",
    ),
    setting("PERPLEXITY_API_KEY", "", "key for Perplexity"),
    setting(
        "PERPLEXITY_BASE_URL",
        "https://api.perplexity.ai",
        "address of Perplexity",
    ),
    setting(
        "WIKIPEDIA_BASE_URL",
        "",
        "a MediaWiki api.php; by default Wikipedia in the question's language, `off` for none",
    ),
    setting(
        "CORPUS_PATHS",
        "",
        "comma-separated folders of documents to search",
    ),
    setting(
        "CORPUS_BASE_URL",
        "",
        "address under which these documents are published; file:// links by default",
    ),
    setting(
        "DATA_DIR",
        "data",
        "folder for the index of these documents",
    ),
    setting(
        "LLM_BASE_URL",
        "",
        "an OpenAI-compatible API, usually ending in /v1",
    ),
    setting("LLM_API_KEY", "", "key for it, if it needs one"),
    setting("LLM_MODEL", "", "model that writes the answers"),
    setting(
        "FALLBACK_LLM_MODEL",
        "",
        "model to use when LLM_MODEL fails",
    ),
    setting("OPENROUTER_API_KEY", "", "used when LLM_API_KEY is not set"),
    setting(
        "OPENROUTER_BASE_URL",
        "https://openrouter.ai/api/v1",
        "used when LLM_BASE_URL is not set and OPENROUTER_API_KEY is",
    ),
    setting(
        "LLM_CONTEXT_TOKENS",
        "0",
        "the model's context window in tokens; 0 asks the server",
    ),
    setting(
        "LLM_ANSWER_TOKENS",
        "1024",
        "largest number of tokens of an answer",
    ),
    setting(
        "EMBEDDING_BASE_URL",
        "",
        "an OpenAI-compatible API with /embeddings, for ranking by meaning",
    ),
    setting("EMBEDDING_API_KEY", "", "key for it, if it needs one"),
    setting("EMBEDDING_MODEL", "", "model that makes the embeddings"),
    setting(
        "RERANK_BASE_URL",
        "",
        "an API with /rerank, instead of EMBEDDING_BASE_URL",
    ),
    setting("RERANK_API_KEY", "", "key for it, if it needs one"),
    setting("RERANK_MODEL", "", "model that reranks"),
    setting(
        "UPSTREAM_CA_FILE",
        "",
        "like REDIS_CA_FILE, for the configured engines and models; not for pages and callbacks",
    ),
    setting(
        "CACHE_TTL_SECONDS",
        "0",
        "how long a cached answer serves the same request; 0 for never",
    ),
    setting(
        "PAGE_CACHE_TTL_SECONDS",
        "3600",
        "how long a cached page is not fetched again; 0 for never",
    ),
    setting(
        "EXCLUDED_DOMAINS",
        "",
        "comma-separated domains that are never searched or read; *.example.com for subdomains",
    ),
    setting(
        "FETCH_ALLOW_HOSTS",
        "",
        "comma-separated hosts that may be read although their address is private",
    ),
    setting(
        "FETCH_ROBOTS",
        "on",
        "whether robots.txt is honoured: on or off",
    ),
    setting(
        "LOG_LEVEL",
        "info",
        "error, warn, info, debug or trace (the last two without libraries), or a filter such as privachat_core=debug",
    ),
    setting(
        "LOG_FORMAT",
        "auto",
        "json, pretty, or auto: pretty on a terminal",
    ),
];

pub(super) fn is_known(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name == name)
}

/// The table as text, for `--help`.
#[must_use]
pub fn help() -> String {
    let width = SETTINGS
        .iter()
        .map(|setting| setting.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::from(
        "Settings, from the environment; NAME_FILE names a file with the value of NAME:\n",
    );
    for setting in SETTINGS {
        let default = match setting.default {
            "" => String::new(),
            default => format!(" [{default}]"),
        };
        text.push_str(&format!(
            "  {:width$}  {}{default}\n",
            setting.name, setting.meaning
        ));
    }
    text
}
