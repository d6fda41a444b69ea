//! What Redis says when somebody asks for the metrics.

use super::names;
use crate::state::State;
use privachat_core::{
    jobs::{Durability, JobsError, Overview},
    metrics::Moment,
    mode::Mode,
    schema::worker::{PerMode, WorkerDescription},
};
use std::time::Duration;
use tokio::time::timeout;

/// Scrapers wait 10 s as a rule; who looks because something is wrong shall have an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Fills in the state of the whole service, and whether Redis told it.
pub(super) async fn look(state: &State, moment: &mut Moment) {
    let jobs = &state.jobs;
    let asked = async {
        let (overview, unsaved, callbacks) = tokio::try_join!(
            jobs.overview(),
            jobs.unsaved_count(),
            jobs.callbacks_count()
        )?;
        Ok::<_, JobsError>((overview, unsaved, callbacks))
    };
    let (overview, unsaved, callbacks) = match timeout(PATIENCE, asked).await {
        Ok(Ok(told)) => told,
        // It answers, and what it has is damaged.
        Ok(Err(error)) if error.is_about_data() => {
            moment.set(&names::REDIS_UP, 1.0);
            return;
        }
        _away => {
            moment.set(&names::REDIS_UP, 0.0);
            return;
        }
    };
    moment.set(&names::REDIS_UP, 1.0);
    moment.set(&names::HISTORY_UNSAVED, number(unsaved));
    moment.set(&names::CALLBACKS_WAITING, number(callbacks));
    show(&overview, moment);
    match state.durability.get().await {
        Durability::Durable => moment.set(&names::REDIS_DURABLE, 1.0),
        Durability::Delayed | Durability::Off => moment.set(&names::REDIS_DURABLE, 0.0),
        Durability::Unknown => {}
    }
}

fn show(overview: &Overview, moment: &mut Moment) {
    let depth = moment.gauges(&names::QUEUE_DEPTH);
    let oldest = moment.gauges(&names::QUEUE_OLDEST);
    for queue in &overview.queues {
        let mode = queue.mode.as_str();
        depth.set([mode.into()], number(queue.depth));
        let age = queue.oldest.unwrap_or_default();
        oldest.set([mode.into()], age.as_secs_f64());
    }
    let workers: Vec<WorkerDescription> = overview
        .workers
        .iter()
        // A worker of another version may say it otherwise.
        .map(|worker| serde_json::from_str(&worker.description).unwrap_or_default())
        .collect();
    let running = moment.gauges(&names::QUEUE_RUNNING);
    for mode in Mode::ALL {
        let sum: usize = workers.iter().map(|it| of(it.running, mode)).sum();
        running.set([mode.as_str().into()], number(sum as u64));
    }
    // Speed searches may use every slot of a worker.
    let slots: usize = workers.iter().map(|worker| worker.slots.speed).sum();
    moment.set(&names::WORKER_SLOTS, number(slots as u64));
    moment.set(&names::WORKERS, number(workers.len() as u64));
}

fn of(numbers: PerMode, mode: Mode) -> usize {
    match mode {
        Mode::Speed => numbers.speed,
        Mode::Balanced => numbers.balanced,
        Mode::Deep => numbers.deep,
    }
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
