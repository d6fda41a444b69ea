//! The gauges of the whole service, read from Redis for each scrape.

use super::definitions;
use crate::state::AppState;
use privachat_core::{
    jobs::{Durability, JobsError, Overview},
    metrics::ScrapeGauges,
    mode::Mode,
    schema::worker::{PerMode, WorkerDescription},
};
use std::time::Duration;
use tokio::time::timeout;

/// Shorter than a scraper waits (usually 10 s), so that a scrape succeeds while Redis is down.
const REDIS_TIMEOUT: Duration = Duration::from_secs(2);

/// Sets the gauges of the whole service, and `REDIS_UP`.
pub(super) async fn collect(state: &AppState, moment: &mut ScrapeGauges) {
    let jobs = &state.jobs;
    let asked = async {
        let (overview, unsaved, callbacks) = tokio::try_join!(
            jobs.overview(),
            jobs.unarchived_count(),
            jobs.unsettled_callback_count()
        )?;
        Ok::<_, JobsError>((overview, unsaved, callbacks))
    };
    let (overview, unsaved, callbacks) = match timeout(REDIS_TIMEOUT, asked).await {
        Ok(Ok(told)) => told,
        // Redis answers, with damaged data.
        Ok(Err(error)) if error.is_data_error() => {
            moment.set(&definitions::REDIS_UP, 1.0);
            return;
        }
        _away => {
            moment.set(&definitions::REDIS_UP, 0.0);
            return;
        }
    };
    moment.set(&definitions::REDIS_UP, 1.0);
    moment.set(&definitions::HISTORY_UNSAVED, to_f64(unsaved));
    moment.set(&definitions::CALLBACKS_WAITING, to_f64(callbacks));
    set_queue_gauges(&overview, moment);
    match state.durability.get().await {
        Durability::Durable => moment.set(&definitions::REDIS_DURABLE, 1.0),
        Durability::Delayed | Durability::Off => moment.set(&definitions::REDIS_DURABLE, 0.0),
        Durability::Unknown => {}
    }
}

fn set_queue_gauges(overview: &Overview, moment: &mut ScrapeGauges) {
    let depth = moment.gauges(&definitions::QUEUE_DEPTH);
    let oldest = moment.gauges(&definitions::QUEUE_OLDEST);
    for queue in &overview.queues {
        let mode = queue.mode.as_str();
        depth.set([mode.into()], to_f64(queue.depth));
        let age = queue.oldest_age.unwrap_or_default();
        oldest.set([mode.into()], age.as_secs_f64());
    }
    let workers: Vec<WorkerDescription> = overview
        .workers
        .iter()
        // A worker of another version may send another format.
        .map(|worker| serde_json::from_str(&worker.description).unwrap_or_default())
        .collect();
    let running = moment.gauges(&definitions::QUEUE_RUNNING);
    for mode in Mode::ALL {
        let sum: usize = workers.iter().map(|it| for_mode(it.running, mode)).sum();
        running.set([mode.as_str().into()], to_f64(sum as u64));
    }
    // Speed searches may use all slots of a worker.
    let slots: usize = workers.iter().map(|worker| worker.slots.speed).sum();
    moment.set(&definitions::WORKER_SLOTS, to_f64(slots as u64));
    moment.set(&definitions::WORKERS, to_f64(workers.len() as u64));
}

fn for_mode(numbers: PerMode, mode: Mode) -> usize {
    match mode {
        Mode::Speed => numbers.speed,
        Mode::Balanced => numbers.balanced,
        Mode::Deep => numbers.deep,
    }
}

fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
