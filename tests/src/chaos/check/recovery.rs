//! 8: each fault is recovered from within its row of the crash table, as far as a search can be
//! attributed to the fault.

use std::collections::BTreeSet;

use super::{FaultSpan, History, Job, ViolationList, field};
use crate::chaos::log::Event;

/// Time for a sweep after the lease has expired.
const SWEEP: u64 = 2000;
/// Time until a queue entry that was popped and lost is queued again.
const REQUEUE_BOUND: u64 = 5000;
/// A dozen processes and at times other work share two cores. `make recovery` holds each row to its
/// bound; a fault without recovery exceeds this slack or never ends.
const SLACK: u64 = 40_000;
/// With less of the load left after a fault, there may have been nothing to start.
const LOAD_LEFT: u64 = 5000;

/// The delay of one search by a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    pub fault: String,
    /// A search, or `any` when the fault delayed all.
    pub id: String,
    pub took: u64,
    pub within: u64,
    /// No other fault overlapped.
    pub alone: bool,
}

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    for recovery in recoveries(history) {
        let Recovery {
            fault,
            id,
            took,
            within,
            ..
        } = recovery;
        if took > within {
            violations.add(
                8,
                &id,
                format!("{fault}: recovered after {took} ms, not {within}"),
            );
        }
    }
}

/// All recoveries that can be measured.
pub(in crate::chaos) fn recoveries(history: &History<'_>) -> Vec<Recovery> {
    let mut recoveries = Vec::new();
    for fault in &history.faults {
        match fault.name {
            "kill_worker" | "kill_after_pop" | "freeze" | "term_worker" => {
                let of_target = history.jobs.iter().filter_map(|(id, job)| {
                    let took = taken_over(job, fault)?;
                    Some(recovery(history, fault, id, took, history.lease + SWEEP))
                });
                recoveries.extend(of_target);
            }
            "kill_redis" | "cut_clients" => {
                let row = history.lease + SWEEP;
                recoveries.extend(resumed_after(history, fault, row));
            }
            "flush_scripts" | "fill_redis" => recoveries.extend(resumed_after(history, fault, 0)),
            _ => {}
        }
    }
    recoveries.extend(requeued_entries(history));
    recoveries
}

fn recovery(
    history: &History<'_>,
    fault: &FaultSpan<'_>,
    id: &str,
    took: u64,
    row: u64,
) -> Recovery {
    let held_up = delay_by_others(history, fault, took);
    Recovery {
        fault: fault.name.to_owned(),
        id: id.to_owned(),
        took,
        within: row + SLACK + held_up,
        alone: held_up == 0,
    }
}

/// The delay that other faults before its end may cause.
fn delay_by_others(history: &History<'_>, fault: &FaultSpan<'_>, took: u64) -> u64 {
    let overlap = |other: &&FaultSpan<'_>| {
        (other.from, other.name) != (fault.from, fault.name)
            && other.from <= fault.from.saturating_add(took)
            && other.until + history.lease >= fault.from
    };
    let cost = |other: &FaultSpan<'_>| match other.name {
        // For one lease, every sweeper leaves expired leases alone.
        "kill_redis" | "cut_clients" => other.until - other.from + history.lease + 1000,
        "fill_redis" | "hole_up" | "hole_down" | "latency" => other.until - other.from + 1000,
        // When a sweeper dies while it recovers a search, the others recover it after two seconds.
        _ => 2000,
    };
    history.faults.iter().filter(overlap).map(cost).sum()
}

/// How long after the fault another worker took over a search that ran on the fault's target.
fn taken_over(job: &Job<'_>, fault: &FaultSpan<'_>) -> Option<u64> {
    let lifecycle = |event: &&Event| {
        matches!(
            event.kind.as_str(),
            "started" | "retry" | "released" | "completed" | "failed"
        )
    };
    let after = job
        .events
        .iter()
        .filter(lifecycle)
        .position(|event| event.time_ms() > fault.from)?;
    let mut around = job
        .events
        .iter()
        .filter(lifecycle)
        .skip(after.checked_sub(1)?);
    let (running, next) = (around.next()?, around.next()?);
    let was_there = running.kind == "started" && running.data["worker"] == fault.target;
    // A killed worker may just have ended the search or returned it to the queue.
    let lost = next.kind == "retry" && next.data["pause_ms"] == 0;
    (was_there && lost).then(|| next.time_ms() - fault.from)
}

/// How long after the end of the fault a search was started, provided that searches were waiting.
fn resumed_after(history: &History<'_>, fault: &FaultSpan<'_>, row: u64) -> Option<Recovery> {
    if fault.until + LOAD_LEFT > history.posts_end {
        return None;
    }
    let events = history.jobs.values().flat_map(|job| job.events);
    let starts = events.filter(|event| event.kind == "started" && event.time_ms() >= fault.until);
    let first = starts.map(Event::time_ms).min().unwrap_or(u64::MAX);
    Some(recovery(
        history,
        fault,
        "any",
        first.saturating_sub(fault.until),
        row,
    ))
}

/// Searches whose queue entry was popped by a worker that never received it.
fn requeued_entries(history: &History<'_>) -> Vec<Recovery> {
    let lines = history.lines("requeued a search whose queue entry was lost");
    let ids: BTreeSet<&str> = lines
        .filter_map(|(_, line)| field(line, "session_id").as_str())
        .collect();
    let of_job = |id: &str| {
        let job = history.jobs.get(id)?;
        let started = job
            .events
            .iter()
            .find(|event| event.kind == "started")?
            .time_ms();
        let created = job.number("created")?;
        let pops = history.faults.iter().filter(|fault| {
            matches!(fault.name, "kill_after_pop" | "lose_pop")
                && (created..started).contains(&fault.from)
        });
        let fault = pops.max_by_key(|fault| fault.from)?;
        Some(recovery(
            history,
            fault,
            id,
            started - fault.from,
            REQUEUE_BOUND,
        ))
    };
    ids.into_iter().filter_map(of_job).collect()
}
