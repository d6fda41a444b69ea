//! GET /api/v1/queue and /api/v1/queue/events.

use crate::{
    access::Admin,
    metrics::Transport,
    openapi,
    problem::Problem,
    queue::{self, sse},
    state::AppState,
};
use actix_web::{HttpResponse, web};

/// The queues, the workers, and at most 50 live and 50 recently failed searches.
#[utoipa::path(
    get, path = "/api/v1/queue", operation_id = "queue", tag = "queue",
    responses(
        (status = 200, description = "Queues and workers", body = openapi::QueueBody),
        (status = 503, description = "Redis does not answer", body = openapi::Refusal),
    )
)]
pub(crate) async fn get(_: Admin, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let snapshot = queue::take_snapshot(&state.jobs).await?;
    Ok(HttpResponse::Ok().json(snapshot.into_body()))
}

/// The queue on each change, at most once a second. Ages are those at the time of the event; their
/// growth is not a change.
#[utoipa::path(
    get, path = "/api/v1/queue/events", operation_id = "queue_events", tag = "queue",
    responses(
        (status = 200, description = "Server-Sent Events with the name `queue`", body = openapi::SentQueue, content_type = "text/event-stream"),
    )
)]
pub(crate) async fn events(_: Admin, state: web::Data<AppState>) -> HttpResponse {
    let listening = state.metrics.count_subscriber(Transport::Sse);
    sse::queue_events_response(
        state.queue_stream.subscribe(),
        state.shutdown.clone(),
        listening,
    )
}
