//! Enqueues a validated search as a job, once for each `Idempotency-Key` of an owner.

use crate::{access::Caller, problem::Problem, request_log, state::AppState};
use actix_web::HttpRequest;
use chrono::{DateTime, SubsecRound, Utc};
use privachat_core::{
    jobs::{EnqueueResult, NewJob},
    schema::{SearchJob, SearchRequest, time},
    telemetry,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tracing::{Instrument, Span};
use uuid::Uuid;

/// How long an asynchronous search may wait in the queue.
const ASYNC_QUEUE_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// Derives session ids from idempotency keys; any fixed UUID would do.
const IDEMPOTENCY_NAMESPACE: Uuid = Uuid::from_u128(0x9a1f_6a0e_63b4_4c57_a5c5_0d4a_b1b9_58f3);
const MAX_IDEMPOTENCY_KEY_LENGTH: usize = 255;

/// A search that is stored and enqueued.
pub(crate) struct AcceptedSearch {
    pub(crate) id: Uuid,
    pub(crate) created_at: DateTime<Utc>,
    /// Whether an earlier request with the same idempotency key submitted it.
    pub(crate) replayed: bool,
}

/// The `Idempotency-Key` of a request, 1 to 255 printable ASCII characters.
fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(header) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let bytes = header.as_bytes();
    let sensible = (1..=MAX_IDEMPOTENCY_KEY_LENGTH).contains(&bytes.len())
        && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    match (sensible, header.to_str()) {
        (true, Ok(key)) => Ok(Some(key.to_owned())),
        _ => Err(Problem::BadIdempotencyKey),
    }
}

/// What a request says besides the search itself.
#[derive(Debug, Default)]
pub(crate) struct SubmitContext {
    /// The `Idempotency-Key`.
    pub(crate) idempotency_key: Option<String>,
    /// The name of the API key that the search belongs to.
    pub(crate) owner: Option<String>,
    /// The `X-Request-Id`.
    pub(crate) request_id: String,
}

impl SubmitContext {
    /// Reads it from a request.
    pub(crate) fn from_request(request: &HttpRequest, caller: &Caller) -> Result<Self, Problem> {
        Ok(Self {
            idempotency_key: idempotency_key(request)?,
            owner: caller.key_name().map(str::to_owned),
            request_id: request_log::current_request_id(request),
        })
    }
}

/// Submits a search. Once this returns, the search runs even if this process dies.
pub(crate) async fn submit(
    state: &AppState,
    search: &SearchRequest,
    envelope: &SubmitContext,
) -> Result<AcceptedSearch, Problem> {
    let key = envelope.idempotency_key.as_deref();
    let id = match key {
        Some(key) => session_id_for_key(key, envelope.owner.as_deref()),
        None => Uuid::new_v4(),
    };
    request_log::set_session_id(id);
    // A replay adds nothing to the queue, so a full queue does not refuse it.
    let repeats = key.is_some() && state.jobs.record(id).await?.is_some();
    if !repeats && state.jobs.is_queue_full(state.max_queue_length).await? {
        return Err(Problem::QueueFull);
    }
    let created_at = Utc::now().trunc_subsecs(6);
    let publishing = publish_span(id);
    let traceparent = telemetry::traceparent(&publishing);
    let job = new_job(state, id, search, created_at, envelope, traceparent)?;
    let publish = async {
        match key {
            Some(_) => state.jobs.enqueue_idempotent(&job).await,
            None => state.jobs.enqueue(&job).await,
        }
    };
    let submitted = publish.instrument(publishing).await?;
    match submitted {
        EnqueueResult::Conflict => Err(Problem::IdempotencyConflict),
        EnqueueResult::Exists => Ok(AcceptedSearch {
            id,
            created_at,
            replayed: key.is_some(),
        }),
        EnqueueResult::Created => {
            state.metrics.accepted(search.mode);
            Ok(AcceptedSearch {
                id,
                created_at,
                replayed: false,
            })
        }
    }
}

/// The session id for an idempotency key; keys of different owners never collide.
fn session_id_for_key(key: &str, owner: Option<&str>) -> Uuid {
    let name = match owner {
        // Neither a key nor the name of an owner has a line break.
        Some(owner) => format!("{owner}\n{key}"),
        None => key.to_owned(),
    };
    Uuid::new_v5(&IDEMPOTENCY_NAMESPACE, name.as_bytes())
}

fn new_job(
    state: &AppState,
    id: Uuid,
    search: &SearchRequest,
    created_at: DateTime<Utc>,
    envelope: &SubmitContext,
    traceparent: Option<String>,
) -> Result<NewJob, Problem> {
    let payload = SearchJob {
        created_at,
        request_id: Some(envelope.request_id.clone()).filter(|id| !id.is_empty()),
        traceparent,
        search: search.clone(),
    };
    let longest_wait = if search.async_mode {
        ASYNC_QUEUE_TIMEOUT
    } else {
        search.time_limit()
    };
    Ok(NewJob {
        id,
        mode: search.mode,
        request_hash: match envelope.idempotency_key {
            Some(_) => request_hash(search)?,
            // No later request can have the same id.
            None => String::new(),
        },
        request: to_json(&payload)?.into(),
        public_fields: public_fields(id, search, created_at),
        ttl: search
            .ttl_seconds
            .map_or(state.job_ttl, Duration::from_secs),
        run_timeout: search.time_limit(),
        queue_timeout: longest_wait,
        owner: envelope.owner.clone(),
        callback: search.callback_url.clone(),
    })
}

/// The producer span; the worker's span continues it.
fn publish_span(id: Uuid) -> Span {
    tracing::info_span!(
        "search.queue publish",
        otel.kind = "producer",
        messaging.system = "redis",
        messaging.destination.name = "search.queue",
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.message.id = %id,
    )
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| Problem::Internal(error.into()))
}

/// The JSON members that all records of the search contain.
fn public_fields(id: Uuid, search: &SearchRequest, created_at: DateTime<Utc>) -> String {
    format!(
        r#""session_id":"{id}","query":{},"mode":"{}","created_at":"{}""#,
        Value::from(search.query.as_str()),
        search.mode_name(),
        time::format(&created_at)
    )
}

/// The hash of what is asked; another request with the same key but another hash is a conflict.
/// Leaves out the time of the POST and how the client waits: a client may repeat an interrupted
/// POST as a stream, or the other way round.
fn request_hash(search: &SearchRequest) -> Result<String, Problem> {
    let asked = SearchRequest {
        async_mode: false,
        ..search.clone()
    };
    let digest = Sha256::digest(to_json(&asked)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
