//! The OpenAPI 3.1 document, made from the handlers, and the page that shows it.

mod access;
mod empty;
mod headers;
mod links;
mod sent;

use crate::{routes, state::State};
use access::Access;
use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{self, Bytes},
};
use empty::Empty;
use headers::Headers;
use links::Links;
use privachat_core::{
    mode::Mode,
    schema::{
        PromptStrategy, SearchEngine, SearchResponse, Status, validate::Fault,
        worker::WorkerDescription,
    },
};
pub(crate) use sent::{SentEvent, SentQueue};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};
use uuid::Uuid;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "PrivaChat Search",
        description = "A self-hosted answer engine: ask a question, get an answer with numbered citations. \
                       HEAD is answered wherever GET is.",
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
    modifiers(&Access, &Empty, &Headers, &Links),
    tags(
        (name = "search", description = "Ask, and follow the search"),
        (name = "sessions", description = "Searches that have ended"),
        (name = "queue", description = "What waits and who works"),
        (name = "health", description = "For load balancers and people"),
    )
)]
struct Document;

/// Where the document is.
pub(crate) const PATH: &str = "/api/openapi.json";

/// The document as it is sent, JSON. Its tree of objects is ten times as large, and each thread of
/// the server would keep one.
pub(crate) fn document() -> serde_json::Result<Bytes> {
    Document::openapi().to_json().map(Bytes::from)
}

/// GET /api/openapi.json.
pub(crate) async fn get(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(state.document.clone())
}

/// Swagger UI at /api/docs/.
pub(crate) fn page() -> SwaggerUi {
    SwaggerUi::new("/api/docs/{_:.*}").config(Config::from(PATH).try_it_out_enabled(true))
}

/// A search. Unknown members are ignored; numbers may come as text, booleans as 0, 1 or words.
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
    /// Sources in the answer; the mode's number by default.
    #[schema(minimum = 5, maximum = 50)]
    max_sources: Option<u32>,
    /// Running time of the search in seconds; the mode's by default.
    #[schema(minimum = 10, maximum = 300)]
    timeout: Option<u32>,
    /// Language model; the configured one by default.
    #[schema(pattern = r"^[^\x00]*$")]
    model: Option<String>,
    /// Where to look.
    #[schema(default = "auto")]
    search_engine: Option<SearchEngine>,
    /// How the prompt is put together.
    #[schema(default = "auto")]
    prompt_strategy: Option<PromptStrategy>,
    /// Spread sources over domains and topics.
    #[schema(default = true, required = false)]
    enable_diversity: bool,
    /// Prefer recent sources.
    #[schema(default = false, required = false)]
    enable_recency: bool,
    /// Let the question's intent weigh in the ranking.
    #[schema(default = false, required = false)]
    enable_query_aware: bool,
    /// Answer at once and search in the background.
    #[schema(default = false, required = false)]
    async_mode: bool,
    /// How long the result is kept, in seconds.
    #[schema(minimum = 60, maximum = 604800)]
    ttl_seconds: Option<u32>,
    /// Whether a cached answer will do.
    #[schema(default = true, required = false)]
    cache: bool,
    /// Who is told the outcome, by a signed POST (docs/WEBHOOKS.md); http or https, without
    /// credentials and fragment. The host may be an IPv6 address too, in brackets. Needs the
    /// setting WEBHOOK_SECRET.
    #[schema(
        max_length = 2048,
        pattern = "^https?://(([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)*[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?\
                   |((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))\
                   (:(6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?([/?][^#\\s\\x00]*)?$"
    )]
    callback_url: Option<String>,
}

/// The faults of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct Faults {
    detail: Vec<Fault>,
}

/// Why a request is refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// Stable name; docs/ERRORS.md lists them.
    error: String,
    /// For a person.
    message: Option<String>,
    /// Names the request in the logs.
    #[schema(required = false)]
    trace_id: Option<String>,
    /// The search, when there is one.
    #[schema(required = false)]
    session_id: Option<Uuid>,
    /// Why the search failed, for a program.
    #[schema(required = false)]
    error_code: Option<String>,
    /// What to do about it.
    #[schema(required = false)]
    error_hint: Option<String>,
    /// What was cut or went wrong on the way.
    #[schema(required = false)]
    warnings: Option<Vec<String>>,
}

/// Why there is nothing.
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
    /// The response, once the search has ended.
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
    /// Ask for the next page with this as `before`; null on the last page.
    #[schema(required)]
    pub(crate) next_before: Option<String>,
}

/// An ended search in the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedBody {
    pub(crate) id: Uuid,
    /// The question.
    pub(crate) query: String,
    /// How thorough the search was.
    pub(crate) mode: Mode,
    pub(crate) status: Status,
    /// Why there is no answer, for a program: `cancelled` among others.
    #[schema(required)]
    pub(crate) error_code: Option<String>,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) completed_at: String,
    /// The first 200 characters of the answer.
    #[schema(required)]
    pub(crate) answer_excerpt: Option<String>,
    /// Sources of the answer; null for a short while after an upgrade.
    #[schema(required)]
    pub(crate) source_count: Option<u64>,
}

/// Queues, workers, searches.
#[derive(Serialize, ToSchema)]
pub(crate) struct QueueBody {
    pub(crate) modes: Vec<ModeBody>,
    pub(crate) workers: Vec<WorkerBody>,
    /// Searches that have not ended, those that run first; at most 50.
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
    /// Why, for programs.
    pub(crate) error_code: Option<String>,
    /// Why, for people.
    pub(crate) error: Option<String>,
}

/// The searches of one mode.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModeBody {
    pub(crate) mode: Mode,
    /// Searches that wait.
    pub(crate) depth: u64,
    /// Seconds since the oldest of them was accepted.
    pub(crate) oldest_age_seconds: Option<f64>,
    /// Searches that run, on all workers.
    pub(crate) running: usize,
    /// Searches that can run, on all workers.
    pub(crate) slots: usize,
}

/// A worker that was heard of within the last minute.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkerBody {
    pub(crate) name: String,
    /// Seconds since its last heartbeat.
    pub(crate) last_seen_seconds: f64,
    #[serde(flatten)]
    pub(crate) description: WorkerDescription,
}

/// That the service is there.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: String,
    service: String,
    version: String,
    environment: String,
}

/// That the process is alive.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    status: String,
}

/// Whether requests can be served.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    status: String,
    redis: String,
    /// `durable`: what is accepted is on disk first; `delayed`: within a second; `off`: never;
    /// `unknown`: Redis does not tell.
    durability: Option<String>,
    /// What is weaker than what the service promises. Not there when nothing is.
    warnings: Option<Vec<String>>,
}

/// What this is and where things are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Root {
    service: String,
    version: String,
    docs: String,
    health: String,
    status: String,
}
