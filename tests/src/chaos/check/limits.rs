//! 6: attempts and crashes stay within their limits and are counted correctly.

use std::collections::BTreeMap;

use super::{History, Job, ViolationList, field};

/// The third crash ends the search.
const MAX_CRASHES: u64 = 3;

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    for (id, job) in &history.jobs {
        let crashes = job.number("crashes").unwrap_or(u64::MAX);
        let attempt = job.number("attempt").unwrap_or(u64::MAX);
        if crashes > MAX_CRASHES {
            violations.add(6, id, format!("{crashes} crashes"));
        }
        // Lost together with others: only one of them crashed the worker.
        let losses = job.number("losses").unwrap_or(0);
        let lost = crashes.saturating_add(losses);
        if attempt > history.max_attempts.saturating_add(lost) {
            violations.add(6, id, format!("{attempt} attempts, {lost} of them lost"));
        }
        if job.count("started").checked_sub(job.count("released")) != Some(attempt) {
            violations.add(
                6,
                id,
                format!("{attempt} attempts counted, its events differ"),
            );
        }
        if *job.member("attempt") != attempt {
            violations.add(
                6,
                id,
                "its record counts other attempts than its control hash",
            );
        }
    }
    executions(history, violations);
}

/// Each execution in a worker's log is an attempt that its search has counted.
fn executions(history: &History<'_>, violations: &mut ViolationList<'_>) {
    let mut executions: BTreeMap<(&str, u64, &str), u64> = BTreeMap::new();
    for (worker, line) in history.lines("started") {
        let id = field(line, "session_id").as_str().unwrap_or_default();
        let attempt = field(line, "attempt").as_u64().unwrap_or_default();
        *executions.entry((id, attempt, worker)).or_default() += 1;
    }
    for ((id, attempt, worker), count) in executions {
        let known = history
            .jobs
            .get(id)
            .map_or(0, |job| started(job, attempt, worker));
        if count > known {
            violations.add(
                6,
                id,
                format!("{worker} ran attempt {attempt} {count} times, its events know of {known}"),
            );
        }
    }
}

fn started(job: &Job<'_>, attempt: u64, worker: &str) -> u64 {
    let same = job.events.iter().filter(|event| {
        event.kind == "started"
            && event.data["attempt"] == attempt
            && event.data["worker"] == worker
    });
    same.count() as u64
}
