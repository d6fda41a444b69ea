//! 1: what is accepted ends in time. 2: it ends once, and nothing changes afterwards.

use std::collections::BTreeSet;

use super::{Complaints, History, Job, is_terminal};
use crate::chaos::log::Entry;

/// How long after its own limit a search may still be open: its worker is lost in the last moment.
const GRACE: u64 = 40_000;

pub(super) fn check(history: &History<'_>, complaints: &mut Complaints<'_>) {
    let accepted: BTreeSet<&str> = history.accepted().collect();
    for id in accepted {
        if !history.jobs.contains_key(id) {
            complaints.add(1, id, "accepted and lost");
        }
    }
    for (id, job) in &history.jobs {
        ends_in_time(id, job, complaints);
        ends_once(id, job, complaints);
    }
    for entry in history.entries {
        if let Entry::Ended { id, digest } = entry
            && history
                .jobs
                .get(id.as_str())
                .is_none_or(|job| job.digest != *digest)
        {
            complaints.add(2, id, "its record changed after its end");
        }
    }
}

fn ends_in_time(id: &str, job: &Job<'_>, complaints: &mut Complaints<'_>) {
    if !is_terminal(job.status()) {
        return complaints.add(1, id, format!("has not ended: it is {}", job.status()));
    }
    let end = job.events.iter().find(|event| is_terminal(&event.kind));
    // Before it is started the first time, what limits it is how long it may wait.
    let limit = job.number("deadline").or(job.number("expires"));
    match (end, limit) {
        (Some(end), Some(limit)) if end.at() > limit + GRACE => {
            let late = end.at() - limit;
            complaints.add(1, id, format!("ended {late} ms after its limit"));
        }
        (None, _) => complaints.add(2, id, "ended without an event that says so"),
        (_, None) => complaints.add(1, id, "has no limit"),
        _ => {}
    }
}

fn ends_once(id: &str, job: &Job<'_>, complaints: &mut Complaints<'_>) {
    let ends = job.count("completed") + job.count("failed");
    if ends > 1 {
        complaints.add(2, id, format!("ended {ends} times"));
    }
    let said = job
        .events
        .iter()
        .rev()
        .find(|event| is_terminal(&event.kind));
    if let Some(said) = said
        && said.kind != job.status()
    {
        let status = job.status();
        complaints.add(
            2,
            id,
            format!("its event says {}, its record {status}", said.kind),
        );
    }
}
