//! An in-flight run and its followers.

use super::{
    JOIN_TOLERANCE, RunResult,
    leader_lock::{Coordinator, RunRole},
};
use crate::pipeline::{self, Context, Deadline, Outcome, ProgressSink, answer};
use privachat_core::schema::{Event, SearchRequest, Stage};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// What to run.
pub(super) struct RunSpec {
    pub(super) context: Context,
    pub(super) request: SearchRequest,
    pub(super) deadline: Deadline,
    /// Shares the run with other workers under this digest; `None` runs it alone.
    pub(super) coordinator: Option<(Arc<Coordinator>, String)>,
    /// Whether to wait for another worker that leads the same search.
    pub(super) may_follow: bool,
}

/// An in-flight run; aborted when its last follower drops it.
pub(super) struct InFlightRun {
    deadline: Deadline,
    log: watch::Receiver<EventLog>,
    /// Whether a follower has got the token usage.
    is_usage_reported: AtomicBool,
    _task: AbortOnDropHandle<()>,
}

/// The events so far, which are bounded, and the result.
#[derive(Default)]
struct EventLog {
    events: Vec<Event>,
    result: Option<RunResult>,
}

struct LogSink(watch::Sender<EventLog>);

impl ProgressSink for LogSink {
    fn emit(&self, event: Event) {
        self.0.send_modify(|story| story.events.push(event));
    }
}

impl InFlightRun {
    pub(super) fn start(work: RunSpec) -> Self {
        let (sender, log) = watch::channel(EventLog::default());
        let deadline = work.deadline;
        let work = async move {
            let teller = LogSink(sender);
            let ran = execute(&work, &teller).await;
            teller.0.send_modify(|story| story.result = Some(ran));
        };
        // In the span of the search that started the run: its trace and log lines belong to that
        // one.
        let task = tokio::spawn(work.in_current_span());
        Self {
            deadline,
            log,
            is_usage_reported: AtomicBool::new(false),
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Whether the run ends early enough for a search with this deadline.
    pub(super) fn ends_by(&self, deadline: Deadline) -> bool {
        self.deadline.earlier_by(JOIN_TOLERANCE) <= deadline
    }

    /// Emits all events to `sink`, from the first, and returns the result; `None` when the run
    /// panicked.
    pub(super) async fn subscribe(&self, sink: &dyn ProgressSink) -> Option<RunResult> {
        let mut story = self.log.clone();
        let mut told = 0;
        loop {
            let (news, ended) = {
                let story = story.borrow_and_update();
                let news = story.events.get(told..).unwrap_or_default().to_vec();
                (news, story.result.clone())
            };
            told += news.len();
            news.into_iter().for_each(|event| sink.emit(event));
            if ended.is_some() {
                return ended;
            }
            story.changed().await.ok()?;
        }
    }

    /// The result for one follower: only the first one gets the token usage, which is spent once.
    pub(super) fn without_repeated_usage(&self, ran: &RunResult) -> RunResult {
        let mut ran = ran.clone();
        if self.is_usage_reported.swap(true, Ordering::Relaxed)
            && let Ok(outcome) = &mut ran.result
        {
            outcome.usage = None;
        }
        ran
    }
}

const FOLLOWING_MESSAGE: &str =
    "the same question is being answered already; waiting for its answer";

async fn execute(work: &RunSpec, teller: &LogSink) -> RunResult {
    let run = pipeline::run(&work.context, &work.request, work.deadline, teller);
    let Some((others, digest)) = &work.coordinator else {
        return RunResult::uncached(run.await);
    };
    if let Some(outcome) = others.cached(digest).await {
        replay(teller, &outcome);
        return RunResult {
            result: Ok(outcome),
            cached: true,
        };
    }
    let seat = others.try_lead(digest).await;
    if work.may_follow && matches!(seat, RunRole::Follower(_)) {
        let sink: &dyn ProgressSink = teller;
        sink.stage(Stage::Plan, 0, 1, FOLLOWING_MESSAGE);
    }
    if work.may_follow
        && let Some(outcome) = others.await_leader(digest, &seat, work.deadline).await
    {
        replay(teller, &outcome);
        return RunResult::uncached(Ok(outcome));
    }
    let result = seat.renew_while(run).await;
    if let Ok(outcome) = &result {
        let is_degraded = work.context.model.is_some() && outcome.model_used == answer::EXTRACTIVE;
        seat.publish(outcome, is_degraded);
    }
    RunResult::uncached(result)
}

/// Emits the events of an outcome from the cache or from another worker.
fn replay(teller: &LogSink, outcome: &Outcome) {
    for message in &outcome.warnings {
        teller.emit(Event::Warning {
            message: message.clone(),
        });
    }
    teller.emit(Event::Sources {
        sources: outcome.sources.clone(),
    });
    teller.emit(Event::Text {
        delta: outcome.answer.clone(),
    });
}
