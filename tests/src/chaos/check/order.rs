//! 3: the attempt that ends a search is the last that started, and no older one writes. 4: only
//! legal state transitions. 5: leases never overlap. 11: a stream read in parts equals the whole,
//! and its end is last.

use std::collections::BTreeMap;

use super::{History, Job, ViolationList, field, is_terminal};
use crate::chaos::log::Entry;

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    for (id, job) in &history.jobs {
        edges(id, job, violations);
        the_last_attempt_wins(id, job, violations);
    }
    ending_workers_started_it_last(history, violations);
    parts(history, violations);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Pending,
    Running,
    Over,
}

fn edges(id: &str, job: &Job<'_>, violations: &mut ViolationList<'_>) {
    // The transition to `queued` is not stored.
    let mut state = State::Pending;
    for event in job.events {
        let kind = event.kind.as_str();
        state = match (state, kind) {
            (State::Pending, "started") => State::Running,
            (State::Running, "stage" | "sources" | "text" | "warning") => State::Running,
            (State::Running, "retry" | "released") => State::Pending,
            (State::Running, "completed" | "failed") | (State::Pending, "failed") => State::Over,
            (State::Running, "started") => {
                violations.add(5, id, format!("started at {} while it ran", event.id));
                State::Running
            }
            (State::Pending, "stage" | "sources" | "text" | "warning") => {
                violations.add(
                    3,
                    id,
                    format!("{kind} at {} of an attempt that is over", event.id),
                );
                State::Pending
            }
            (State::Over, _) => {
                violations.add(11, id, format!("{kind} at {} after its end", event.id));
                State::Over
            }
            (before, _) => {
                violations.add(4, id, format!("{kind} at {} when {before:?}", event.id));
                before
            }
        };
    }
}

fn the_last_attempt_wins(id: &str, job: &Job<'_>, violations: &mut ViolationList<'_>) {
    let started = job
        .events
        .iter()
        .rev()
        .find(|event| event.kind == "started");
    let winner = job.member("attempt");
    if job.status() == "completed" && started.is_none_or(|event| event.data["attempt"] != *winner) {
        violations.add(
            3,
            id,
            format!("its result is of attempt {winner}, not of the last one"),
        );
    }
}

/// A worker that learns that it ended a search, now or before, has started it last.
fn ending_workers_started_it_last(history: &History<'_>, violations: &mut ViolationList<'_>) {
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for (worker, line) in history.lines("ended") {
        let id = field(line, "session_id").as_str().unwrap_or_default();
        let ended = field(line, "ended").as_str();
        if ended == Some("Fenced") {
            continue;
        }
        *ends.entry(id).or_default() += u32::from(ended != Some("Already"));
        let Some(job) = history.jobs.get(id) else {
            continue;
        };
        let last = job
            .events
            .iter()
            .rev()
            .find(|event| event.kind == "started");
        if last.is_none_or(|event| event.data["worker"] != worker) {
            violations.add(
                3,
                id,
                format!("{worker} ended it and had not started it last"),
            );
        }
    }
    for (id, count) in ends.into_iter().filter(|(_, count)| *count > 1) {
        violations.add(2, id, format!("{count} workers report that they ended it"));
    }
}

fn parts(history: &History<'_>, violations: &mut ViolationList<'_>) {
    for entry in history.entries {
        let Entry::Parts {
            id,
            after,
            first,
            second,
        } = entry
        else {
            continue;
        };
        let whole = history.jobs.get(id.as_str()).map(|job| job.events);
        let whole = whole.unwrap_or_default().iter().map(|event| &event.id);
        if !whole.eq(first.iter().chain(second)) || first.last() != Some(after) {
            violations.add(
                11,
                id,
                format!("its stream parted after {after} is not the whole"),
            );
        }
    }
    for (id, job) in &history.jobs {
        if job
            .events
            .last()
            .is_none_or(|event| !is_terminal(&event.kind))
        {
            violations.add(11, id, "its last event is not its end");
        }
    }
}
