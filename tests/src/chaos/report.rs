//! A readable summary of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::time::Duration;

use super::check::recovery::{Recovery, recoveries};
use super::check::{History, field};
use super::log::Entry;

/// The lines that a run prints at its end.
pub fn summary(entries: &[Entry], took: Duration) -> String {
    let history = History::new(entries);
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
        .lines("recovered a search whose worker was lost")
        .count();
    let found = history
        .lines("requeued a search whose queue entry was lost")
        .count();
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
        "attempts {attempts}, fenced writes {fenced}, taken over {taken}, lost queue entries found {found}"
    );
    let _ = writeln!(text, "faults: {:?}", faults(&history));
    let mut slowest: BTreeMap<String, Slowest> = BTreeMap::new();
    for recovery in recoveries(&history) {
        slowest
            .entry(recovery.fault.clone())
            .or_default()
            .add(&recovery);
    }
    for (fault, slowest) in slowest {
        let _ = writeln!(text, "slowest recovery from {fault}: {slowest}");
    }
    text
}

/// Figures of one kind of fault.
#[derive(Default)]
struct Slowest {
    count: usize,
    took: u64,
    within: u64,
    alone: Option<u64>,
}

impl Slowest {
    fn add(&mut self, recovery: &Recovery) {
        self.count += 1;
        if recovery.took >= self.took {
            (self.took, self.within) = (recovery.took, recovery.within);
        }
        if recovery.alone {
            self.alone = self.alone.max(Some(recovery.took));
        }
    }
}

impl fmt::Display for Slowest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            took,
            within,
            alone,
        } = self;
        write!(formatter, "{took} ms of {count} (within {within})")?;
        match alone {
            Some(alone) => write!(formatter, ", {alone} ms with nothing else broken"),
            None => Ok(()),
        }
    }
}

fn faults<'a>(history: &History<'a>) -> BTreeMap<&'a str, usize> {
    let mut faults = BTreeMap::new();
    for fault in &history.faults {
        *faults.entry(fault.name).or_default() += 1;
    }
    faults
}
