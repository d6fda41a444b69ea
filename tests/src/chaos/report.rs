//! What a run was like, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use super::check::recovery::recoveries;
use super::check::{History, field};
use super::log::Entry;

/// The lines that a run prints at its end.
pub fn of(entries: &[Entry], took: Duration) -> String {
    let history = History::of(entries);
    let mut text = String::new();
    let seed = entries.iter().find_map(|entry| match entry {
        Entry::Run { seed, .. } => Some(*seed),
        _ => None,
    });
    let accepted: BTreeSet<&str> = history.accepted().collect();
    let (mut completed, mut failed, mut doubled) = (0, BTreeMap::<&str, usize>::new(), 0);
    let lost = accepted.iter().filter(|id| !history.jobs.contains_key(*id));
    let (mut lost, mut attempts) = (lost.count(), 0);
    for job in history.jobs.values() {
        match job.status() {
            "completed" => completed += 1,
            "failed" => {
                let code = job.member("error_code").as_str().unwrap_or("unknown");
                *failed.entry(code).or_default() += 1;
            }
            _ => lost += 1,
        }
        attempts += job.count("started");
        doubled += usize::from(job.count("completed") + job.count("failed") > 1);
    }
    let fenced = history
        .lines("ended")
        .filter(|(_, line)| field(line, "ended") == "Fenced")
        .count()
        + history.lines("another worker has taken over").count();
    let taken = history
        .lines("took a search from a worker that was lost")
        .count();
    let found = history.lines("found a search whose hint was lost").count();
    let _ = writeln!(text, "seed {}, {took:.1?}", seed.unwrap_or_default());
    let _ = writeln!(
        text,
        "searches: {} accepted, {} in all, {completed} completed, {} failed {failed:?}",
        accepted.len(),
        history.jobs.len(),
        failed.values().sum::<usize>(),
    );
    let _ = writeln!(text, "lost {lost}, doubled {doubled}");
    let _ = writeln!(
        text,
        "attempts {attempts}, fenced writes {fenced}, taken over {taken}, lost hints found {found}"
    );
    let _ = writeln!(text, "faults: {:?}", faults(&history));
    let mut slowest: BTreeMap<String, (u64, u64, usize)> = BTreeMap::new();
    for recovery in recoveries(&history) {
        let entry = slowest.entry(recovery.fault).or_default();
        entry.2 += 1;
        if recovery.took >= entry.0 {
            (entry.0, entry.1) = (recovery.took, recovery.within);
        }
    }
    for (fault, (took, within, count)) in slowest {
        let _ = writeln!(
            text,
            "slowest recovery of {count} from {fault}: {took} ms (within {within})"
        );
    }
    text
}

fn faults<'a>(history: &History<'a>) -> BTreeMap<&'a str, usize> {
    let mut faults = BTreeMap::new();
    for fault in &history.faults {
        *faults.entry(fault.name).or_default() += 1;
    }
    faults
}
