//! The OpenAPI 3.1 document, generated from the handlers and the types below, and Swagger UI.

mod allow_empty;
mod links;
mod middleware_responses;
mod optional_headers;
mod sse_schemas;

use crate::{routes, state::AppState};
use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{self, Bytes},
};
use allow_empty::AllowEmptyValues;
use links::SessionLinks;
use middleware_responses::MiddlewareResponses;
use optional_headers::OptionalHeaders;
use privachat_core::{
    mode::Mode,
    schema::{
        PromptStrategy, SearchEngine, SearchResponse, Status, validate::Fault,
        worker::WorkerDescription,
    },
};
use serde::Serialize;
pub(crate) use sse_schemas::{SentEvent, SentQueue};
use utoipa::{OpenApi, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};
use uuid::Uuid;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "PrivaChat Search",
        description = "A self-hosted answer engine: ask a question, get an answer with numbered citations. \
                       Each GET resource also handles HEAD.",
    ),
    paths(
        routes::search::post,
        routes::search::post_direct,
        routes::status::get,
        routes::events::get,
        routes::socket::get,
        routes::control::cancel,
        routes::control::retry,
        routes::list::get,
        routes::sessions::get,
        routes::sessions::delete,
        routes::queue::get,
        routes::queue::events,
        routes::health::health,
        routes::health::live,
        routes::health::ready,
        crate::metrics::get,
        routes::root::get,
    ),
    components(schemas(routes::list::EndingName)),
    modifiers(&MiddlewareResponses, &AllowEmptyValues, &OptionalHeaders, &SessionLinks),
    tags(
        (name = "search", description = "Submit a search and follow it"),
        (name = "sessions", description = "Searches that have ended"),
        (name = "queue", description = "Queues and workers"),
        (name = "health", description = "Health, readiness and metrics"),
    )
)]
struct Document;

/// The path of the document.
pub(crate) const DOCUMENT_PATH: &str = "/api/openapi.json";

/// The document as JSON text. Its object tree is ten times as large, and each server thread would
/// hold one.
pub(crate) fn document() -> serde_json::Result<Bytes> {
    Document::openapi().to_json().map(Bytes::from)
}

/// GET /api/openapi.json.
pub(crate) async fn get(state: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(state.openapi_document.clone())
}

/// Swagger UI at /api/docs/.
pub(crate) fn swagger_ui() -> SwaggerUi {
    SwaggerUi::new("/api/docs/{_:.*}").config(Config::from(DOCUMENT_PATH).try_it_out_enabled(true))
}

/// A search. Unknown members are ignored; numbers may be sent as text, booleans as 0, 1 or words.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "describes the wire and is never built"
)]
#[schema(example = json!({ "query": "What is Python?", "mode": "balanced", "async_mode": true }))]
pub(crate) struct SearchBody {
    /// The question, 1–5000 characters.
    #[schema(
        min_length = 1,
        max_length = 5000,
        pattern = r"^[^\x00]*[^\s\x85\x00][^\x00]*$"
    )]
    query: String,
    /// How thorough the search is.
    #[schema(default = "balanced")]
    mode: Option<Mode>,
    /// Maximal number of sources; the mode decides by default.
    #[schema(minimum = 5, maximum = 50)]
    max_sources: Option<u32>,
    /// Timeout of the search in seconds; the mode decides by default.
    #[schema(minimum = 10, maximum = 300)]
    timeout: Option<u32>,
    /// Language model; the configured one by default.
    #[schema(pattern = r"^[^\x00]*$")]
    model: Option<String>,
    /// The search engine to use.
    #[schema(default = "auto")]
    search_engine: Option<SearchEngine>,
    /// How the prompt is built.
    #[schema(default = "auto")]
    prompt_strategy: Option<PromptStrategy>,
    /// Spread sources over domains and topics.
    #[schema(default = true, required = false)]
    enable_diversity: bool,
    /// Prefer recent sources.
    #[schema(default = false, required = false)]
    enable_recency: bool,
    /// Consider the intent of the question in the ranking.
    #[schema(default = false, required = false)]
    enable_query_aware: bool,
    /// Respond at once and search in the background.
    #[schema(default = false, required = false)]
    async_mode: bool,
    /// How long the result is kept, in seconds.
    #[schema(minimum = 60, maximum = 604800)]
    ttl_seconds: Option<u32>,
    /// Whether a cached answer may be used.
    #[schema(default = true, required = false)]
    cache: bool,
    /// Receives the outcome as a signed POST (docs/WEBHOOKS.md); http or https, without credentials
    /// and fragment. The host may also be an IPv6 address in brackets. Needs the setting
    /// WEBHOOK_SECRET.
    #[schema(
        max_length = 2048,
        pattern = "^https?://(([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)*[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?\
                   |((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))\
                   (:(6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?([/?][^#\\s\\x00]*)?$"
    )]
    callback_url: Option<String>,
}

/// All validation errors of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct Faults {
    detail: Vec<Fault>,
}

/// Why a request failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// Stable code; docs/ERRORS.md lists them.
    error: String,
    /// What is wrong, in English.
    message: Option<String>,
    /// The request id, as in the logs.
    #[schema(required = false)]
    trace_id: Option<String>,
    /// The search, if the failure concerns one.
    #[schema(required = false)]
    session_id: Option<Uuid>,
    /// The stable code of why the search failed.
    #[schema(required = false)]
    error_code: Option<String>,
    /// What to do about it.
    #[schema(required = false)]
    error_hint: Option<String>,
    /// What was cut or failed without ending the search.
    #[schema(required = false)]
    warnings: Option<Vec<String>>,
}

/// The search does not exist or has expired.
#[derive(Serialize, ToSchema)]
pub(crate) struct Detail {
    detail: String,
}

/// A session that does not exist.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnknownSession {
    detail: Refusal,
}

/// A search from the history.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionBody {
    id: Uuid,
    /// The question.
    query: String,
    /// Always "search".
    mode: String,
    status: Status,
    /// The response; null until the search has ended.
    result: Option<SearchResponse>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    completed_at: Option<String>,
}

/// A page of the history.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionsBody {
    /// Newest first.
    pub(crate) sessions: Vec<ListedBody>,
    /// The `before` of the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_before: Option<String>,
}

/// An ended search in a page of the history.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedBody {
    pub(crate) id: Uuid,
    /// The question.
    pub(crate) query: String,
    /// How thorough the search was.
    pub(crate) mode: Mode,
    pub(crate) status: Status,
    /// The stable code of why there is no answer, such as `cancelled`.
    #[schema(required)]
    pub(crate) error_code: Option<String>,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) completed_at: String,
    /// The first 200 characters of the answer.
    #[schema(required)]
    pub(crate) answer_excerpt: Option<String>,
    /// Number of sources; null for a short time after an upgrade.
    #[schema(required)]
    pub(crate) source_count: Option<u64>,
}

/// Queues, workers, and live and failed searches.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueBody {
    pub(crate) modes: Vec<ModeBody>,
    pub(crate) workers: Vec<WorkerBody>,
    /// Searches that have not ended, running ones first; at most 50.
    pub(crate) searches: Vec<LiveBody>,
    /// Searches that failed within the last day and were not cancelled, newest first; at most 50.
    pub(crate) failures: Vec<FailureBody>,
}

/// A search that has not ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiveBody {
    pub(crate) session_id: Uuid,
    pub(crate) mode: Mode,
    /// pending or processing.
    pub(crate) status: Status,
    /// Seconds since it was accepted.
    pub(crate) age_seconds: f64,
}

/// A search that failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureBody {
    pub(crate) session_id: Uuid,
    pub(crate) mode: Mode,
    #[schema(format = DateTime)]
    pub(crate) failed_at: String,
    /// The stable code of why it failed.
    pub(crate) error_code: Option<String>,
    /// Why it failed, in English.
    pub(crate) error: Option<String>,
}

/// The queue of one mode.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModeBody {
    pub(crate) mode: Mode,
    /// Waiting searches.
    pub(crate) depth: u64,
    /// Seconds since the oldest waiting search was accepted.
    pub(crate) oldest_age_seconds: Option<f64>,
    /// Running searches, on all workers.
    pub(crate) running: usize,
    /// Worker slots, of all workers.
    pub(crate) slots: usize,
}

/// A worker with a heartbeat within the last minute.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkerBody {
    pub(crate) name: String,
    /// Seconds since its last heartbeat.
    pub(crate) last_seen_seconds: f64,
    #[serde(flatten)]
    pub(crate) description: WorkerDescription,
}

/// The service responds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: String,
    service: String,
    version: String,
    environment: String,
}

/// The process responds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    status: String,
}

/// Whether the process can serve requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    status: String,
    redis: String,
    /// When Redis syncs an accepted search to disk. `durable`: before it replies; `delayed`: within
    /// a second; `off`: never; `unknown`: Redis does not allow the query.
    durability: Option<String>,
    /// Guarantees that the setup of Redis weakens; absent when there are none.
    warnings: Option<Vec<String>>,
}

/// The service and its main addresses.
#[derive(Serialize, ToSchema)]
pub(crate) struct Root {
    service: String,
    version: String,
    docs: String,
    health: String,
    status: String,
}
