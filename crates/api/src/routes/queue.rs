//! GET /api/v1/queue and /api/v1/queue/events.

use crate::{
    access::Admin,
    metrics::Transport,
    openapi,
    problem::Problem,
    queue::{self, sse},
    state::State,
};
use actix_web::{HttpResponse, web};

/// What waits, runs and failed of late, and who works. At most 50 searches and 50 failures are
/// named.
#[utoipa::path(
    get, path = "/api/v1/queue", operation_id = "queue", tag = "queue",
    responses(
        (status = 200, description = "Queues and workers", body = openapi::QueueBody),
        (status = 503, description = "Redis does not answer", body = openapi::Refusal),
    )
)]
pub(crate) async fn get(_: Admin, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let snapshot = queue::take(&state.jobs).await?;
    Ok(HttpResponse::Ok().json(snapshot.into_body()))
}

/// The queue whenever it changes, at most once a second. Ages hold at the moment of the event; that
/// time passes is no change.
#[utoipa::path(
    get, path = "/api/v1/queue/events", operation_id = "queue_events", tag = "queue",
    responses(
        (status = 200, description = "Server-Sent Events of the kind `queue`", body = openapi::SentQueue, content_type = "text/event-stream"),
    )
)]
pub(crate) async fn events(_: Admin, state: web::Data<State>) -> HttpResponse {
    let listening = state.metrics.listening(Transport::Sse);
    sse::answer(state.queue.watch(), state.stopping.clone(), listening)
}
