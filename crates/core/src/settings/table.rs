//! Every setting, in one table: `--help` prints it, and tests hold `.env.example` to it.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What holds when it is not set; empty when nothing does.
    pub default: &'static str,
    /// What it means, in a line.
    pub meaning: &'static str,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        default,
        meaning,
    }
}

/// All settings of both binaries.
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
        "file of PEM certificates of authorities that may sign Redis' certificate, beside the public ones; for rediss://",
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
        "the same for the certificate of Postgres; sslmode is verify-full then, unless DATABASE_URL says otherwise",
    ),
    setting(
        "HISTORY_DAYS",
        "0",
        "days that ended searches are kept in the history; 0 for ever",
    ),
    setting(
        "HISTORY_MAX",
        "0",
        "ended searches that the history keeps at most, the newest; 0 for all",
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
        "file that the API writes its address to once it listens",
    ),
    setting(
        "MAX_QUEUE_LENGTH",
        "10000",
        "searches that may wait; beyond it the API answers 429",
    ),
    setting(
        "ALLOWED_HOSTS",
        "",
        "comma-separated names by which clients call the service, beside localhost, addresses and API_HOST; \
         *.example.com for subdomains, * for any",
    ),
    setting(
        "CORS_ORIGINS",
        "",
        "comma-separated origins that browsers may call from; * for all",
    ),
    setting(
        "API_KEYS",
        "",
        "comma-separated keys, each key or name:key; once set, requests need one of them",
    ),
    setting(
        "API_ADMIN_KEYS",
        "",
        "the same for operators: these keys see every search, the queue and the metrics",
    ),
    setting(
        "API_RATE_LIMIT",
        "0",
        "requests a minute that a key, or an address without one, may send; 0 for any number",
    ),
    setting(
        "API_TRUSTED_PROXIES",
        "",
        "comma-separated addresses, networks or names of proxies whose X-Forwarded-For names the client",
    ),
    setting(
        "SHUTDOWN_DELAY_SECONDS",
        "5",
        "how long an API that is told to stop takes requests, not ready, until load balancers notice",
    ),
    setting(
        "METRICS_HOST",
        "127.0.0.1",
        "address of the port for /metrics, /livez and /readyz",
    ),
    setting(
        "METRICS_PORT",
        "",
        "that port, which wants no key; 0 picks a free one; without it the worker has none",
    ),
    setting(
        "METRICS_ADDR_FILE",
        "",
        "file that the address of that port is written to once it is open",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "an OpenTelemetry collector that takes OTLP over HTTP, such as http://localhost:4318; without it there are no traces",
    ),
    setting("ENVIRONMENT", "production", "name shown by /api/v1/health"),
    setting(
        "WORKER_NAME",
        "",
        "name of a worker in logs and records; host and process id by default",
    ),
    setting("WORKER_SLOTS", "16", "searches that a worker runs at once"),
    setting(
        "WORKER_SLOTS_BALANCED",
        "8",
        "at most so many of them in balanced mode",
    ),
    setting(
        "WORKER_SLOTS_DEEP",
        "4",
        "at most so many of them in deep mode",
    ),
    setting(
        "JOB_TTL_SECONDS",
        "86400",
        "how long the record of a search lives in Redis",
    ),
    setting(
        "WEBHOOK_SECRET",
        "",
        "signs what callback_url gets: whsec_ and base64 of 24 to 64 random bytes; without it callback_url is refused",
    ),
    setting(
        "JOB_MAX_ATTEMPTS",
        "3",
        "how often a search that fails for a passing reason is started",
    ),
    setting(
        "JOB_LEASE_SECONDS",
        "15",
        "how long a worker may be silent before its search is taken over",
    ),
    setting(
        "DRAIN_SECONDS",
        "70",
        "how long a stopping process finishes what it has begun: requests in flight, running searches",
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
        "where serper.dev answers",
    ),
    setting("PERPLEXITY_API_KEY", "", "key for Perplexity"),
    setting(
        "PERPLEXITY_BASE_URL",
        "https://api.perplexity.ai",
        "where Perplexity answers",
    ),
    setting(
        "WIKIPEDIA_BASE_URL",
        "",
        "a MediaWiki api.php; Wikipedia in the question's language by default, `off` for none",
    ),
    setting(
        "CORPUS_PATHS",
        "",
        "comma-separated folders of documents to search",
    ),
    setting(
        "CORPUS_BASE_URL",
        "",
        "address under which those documents are published; file:// links by default",
    ),
    setting("DATA_DIR", "data", "folder for the index of the documents"),
    setting(
        "LLM_BASE_URL",
        "",
        "an OpenAI-compatible API, usually ending in /v1",
    ),
    setting("LLM_API_KEY", "", "key for it, if it wants one"),
    setting("LLM_MODEL", "", "model that writes the answers"),
    setting("FALLBACK_LLM_MODEL", "", "model to try when that one fails"),
    setting("OPENROUTER_API_KEY", "", "stands in for LLM_API_KEY"),
    setting(
        "OPENROUTER_BASE_URL",
        "https://openrouter.ai/api/v1",
        "stands in for LLM_BASE_URL when OPENROUTER_API_KEY is set",
    ),
    setting(
        "LLM_CONTEXT_TOKENS",
        "0",
        "tokens that fit into the model's context; 0 asks the server",
    ),
    setting(
        "LLM_ANSWER_TOKENS",
        "1024",
        "tokens that an answer may have",
    ),
    setting(
        "EMBEDDING_BASE_URL",
        "",
        "an OpenAI-compatible API with /embeddings, for ranking by meaning",
    ),
    setting("EMBEDDING_API_KEY", "", "key for it, if it wants one"),
    setting("EMBEDDING_MODEL", "", "model that makes the embeddings"),
    setting(
        "RERANK_BASE_URL",
        "",
        "an API with /rerank, instead of EMBEDDING_BASE_URL",
    ),
    setting("RERANK_API_KEY", "", "key for it, if it wants one"),
    setting("RERANK_MODEL", "", "model that reranks"),
    setting(
        "UPSTREAM_CA_FILE",
        "",
        "the same for the certificates of configured engines and models; not for pages and callbacks",
    ),
    setting(
        "CACHE_TTL_SECONDS",
        "0",
        "how long an answer serves the same request again; 0 for never",
    ),
    setting(
        "PAGE_CACHE_TTL_SECONDS",
        "3600",
        "how long a page that was read is not fetched again; 0 for never",
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
        "error, warn, info, debug or trace, the last two for its own parts; or a filter such as privachat_core=debug",
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
