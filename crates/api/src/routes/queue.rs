//! GET /api/v1/queue.

use crate::{openapi, problem::Problem, state::State};
use actix_web::{HttpResponse, web};
use privachat_core::{
    jobs::{Overview, SeenWorker},
    mode::Mode,
    schema::worker::{PerMode, WorkerDescription},
};

/// What waits, per mode, and who works.
#[utoipa::path(
    get, path = "/api/v1/queue", operation_id = "queue", tag = "queue",
    responses(
        (status = 200, description = "Queues and workers", body = openapi::QueueBody),
        (status = 503, description = "Redis does not answer", body = openapi::Refusal),
    )
)]
pub(crate) async fn get(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let overview = state.jobs.overview().await?;
    Ok(HttpResponse::Ok().json(body(&overview)))
}

fn body(overview: &Overview) -> openapi::QueueBody {
    let workers: Vec<openapi::WorkerBody> = overview.workers.iter().map(worker).collect();
    let modes = overview.queues.iter().map(|queue| {
        let sum = |numbers: fn(&WorkerDescription) -> PerMode| -> usize {
            workers
                .iter()
                .map(|worker| of(numbers(&worker.description), queue.mode))
                .sum()
        };
        openapi::ModeBody {
            mode: queue.mode,
            depth: queue.depth,
            oldest_age_seconds: queue.oldest.map(|age| age.as_secs_f64()),
            running: sum(|description| description.running),
            slots: sum(|description| description.slots),
        }
    });
    openapi::QueueBody {
        modes: modes.collect(),
        workers,
    }
}

fn worker(seen: &SeenWorker) -> openapi::WorkerBody {
    openapi::WorkerBody {
        name: seen.name.clone(),
        last_seen_seconds: seen.seen.as_secs_f64(),
        // A worker of another version may say it otherwise; then only its name is known.
        description: serde_json::from_str(&seen.description).unwrap_or_default(),
    }
}

fn of(numbers: PerMode, mode: Mode) -> usize {
    match mode {
        Mode::Speed => numbers.speed,
        Mode::Balanced => numbers.balanced,
        Mode::Deep => numbers.deep,
    }
}
