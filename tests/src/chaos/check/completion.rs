//! 1: an accepted search ends in time. 2: it ends once, and nothing changes afterwards.

use std::collections::BTreeSet;

use super::{History, Job, ViolationList, is_terminal};
use crate::chaos::log::Entry;

/// How long after its own deadline a search may still be open: its worker may be lost at the last
/// moment.
const GRACE: u64 = 40_000;

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    let accepted: BTreeSet<&str> = history.accepted().collect();
    for id in accepted {
        if !history.jobs.contains_key(id) {
            violations.add(1, id, "accepted and lost");
        }
    }
    for (id, job) in &history.jobs {
        ends_in_time(id, job, violations);
        ends_once(id, job, violations);
    }
    for entry in history.entries {
        if let Entry::Ended { id, digest } = entry
            && history
                .jobs
                .get(id.as_str())
                .is_none_or(|job| job.digest != *digest)
        {
            violations.add(2, id, "its record changed after its end");
        }
    }
}

fn ends_in_time(id: &str, job: &Job<'_>, violations: &mut ViolationList<'_>) {
    if !is_terminal(job.status()) {
        return violations.add(1, id, format!("has not ended: it is {}", job.status()));
    }
    let end = job.events.iter().find(|event| is_terminal(&event.kind));
    // Before its first start, a search is limited by how long it may wait.
    let limit = job.number("deadline").or(job.number("expires"));
    match (end, limit) {
        (Some(end), Some(limit)) if end.time_ms() > limit + GRACE => {
            let late = end.time_ms() - limit;
            violations.add(1, id, format!("ended {late} ms after its limit"));
        }
        (None, _) => violations.add(2, id, "ended without an event of its end"),
        (_, None) => violations.add(1, id, "has no limit"),
        _ => {}
    }
}

fn ends_once(id: &str, job: &Job<'_>, violations: &mut ViolationList<'_>) {
    let ends = job.count("completed") + job.count("failed");
    if ends > 1 {
        violations.add(2, id, format!("ended {ends} times"));
    }
    let end = job
        .events
        .iter()
        .rev()
        .find(|event| is_terminal(&event.kind));
    if let Some(end) = end
        && end.kind != job.status()
    {
        let status = job.status();
        violations.add(
            2,
            id,
            format!("its last event is {}, its record {status}", end.kind),
        );
    }
}
