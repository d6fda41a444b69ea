//! One run and those who follow it.

use super::{
    Ran, SAME_MOMENT,
    others::{Others, Seat},
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

/// What is to be run.
pub(super) struct Work {
    pub(super) context: Context,
    pub(super) request: SearchRequest,
    pub(super) deadline: Deadline,
    /// The workers to share with and the name of the question; `None` to keep to oneself.
    pub(super) others: Option<(Arc<Others>, String)>,
    /// Whether another worker that has the same question may be waited for.
    pub(super) may_wait: bool,
}

/// A run under way; it is stopped when its last follower drops it.
pub(super) struct Flight {
    deadline: Deadline,
    story: watch::Receiver<Story>,
    /// Whether somebody has been told what it cost.
    is_billed: AtomicBool,
    _task: AbortOnDropHandle<()>,
}

/// What has happened so far. A search tells a bounded number of events.
#[derive(Default)]
struct Story {
    events: Vec<Event>,
    ended: Option<Ran>,
}

struct Teller(watch::Sender<Story>);

impl ProgressSink for Teller {
    fn emit(&self, event: Event) {
        self.0.send_modify(|story| story.events.push(event));
    }
}

impl Flight {
    pub(super) fn start(work: Work) -> Self {
        let (sender, story) = watch::channel(Story::default());
        let deadline = work.deadline;
        let work = async move {
            let teller = Teller(sender);
            let ran = ran(&work, &teller).await;
            teller.0.send_modify(|story| story.ended = Some(ran));
        };
        // In the name of whoever began it: one run has one trace, and its lines one search.
        let task = tokio::spawn(work.in_current_span());
        Self {
            deadline,
            story,
            is_billed: AtomicBool::new(false),
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Whether it ends early enough for a caller that has until `deadline`.
    pub(super) fn ends_by(&self, deadline: Deadline) -> bool {
        self.deadline.keep(SAME_MOMENT) <= deadline
    }

    /// Tells `sink` everything from the beginning, and how it ended; `None` when it broke.
    pub(super) async fn follow(&self, sink: &dyn ProgressSink) -> Option<Ran> {
        let mut story = self.story.clone();
        let mut told = 0;
        loop {
            let (news, ended) = {
                let story = story.borrow_and_update();
                let news = story.events.get(told..).unwrap_or_default().to_vec();
                (news, story.ended.clone())
            };
            told += news.len();
            news.into_iter().for_each(|event| sink.emit(event));
            if ended.is_some() {
                return ended;
            }
            story.changed().await.ok()?;
        }
    }

    /// The end for one follower: tokens were spent once, so only the first shows them.
    pub(super) fn billed(&self, ran: &Ran) -> Ran {
        let mut ran = ran.clone();
        if self.is_billed.swap(true, Ordering::Relaxed)
            && let Ok(outcome) = &mut ran.result
        {
            outcome.usage = None;
        }
        ran
    }
}

const WAITING: &str = "the same question is being answered already; waiting for its answer";

async fn ran(work: &Work, teller: &Teller) -> Ran {
    let run = pipeline::run(&work.context, &work.request, work.deadline, teller);
    let Some((others, digest)) = &work.others else {
        return Ran::of(run.await);
    };
    if let Some(outcome) = others.kept(digest).await {
        retell(teller, &outcome);
        return Ran {
            result: Ok(outcome),
            cached: true,
        };
    }
    let seat = others.take(digest).await;
    if work.may_wait && matches!(seat, Seat::Theirs(_)) {
        let sink: &dyn ProgressSink = teller;
        sink.stage(Stage::Plan, 0, 1, WAITING);
    }
    if work.may_wait
        && let Some(outcome) = others.answer_of(digest, &seat, work.deadline).await
    {
        retell(teller, &outcome);
        return Ran::of(Ok(outcome));
    }
    let result = seat.hold(run).await;
    if let Ok(outcome) = &result {
        let is_degraded = work.context.model.is_some() && outcome.model_used == answer::EXTRACTIVE;
        seat.leave(outcome, is_degraded);
    }
    Ran::of(result)
}

/// The events of a search that was answered elsewhere.
fn retell(teller: &Teller, outcome: &Outcome) {
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
