//! 7: when the stack is idle, queues and indexes are empty. 12: every key expires by itself, and
//! the stack holds no more resources than before.

use super::{History, ViolationList};
use crate::chaos::log::Entry;

/// Connections that a process may keep open: its pool and its latest calls.
const SPARE_FILES: u64 = 12;
const SPARE_CLIENTS: u64 = 30;

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    let mut left = None;
    let (mut before, mut after) = (None, None);
    for entry in history.entries {
        match entry {
            Entry::Leftovers { keys } => left = Some(keys),
            Entry::Resources { before: true, .. } => before = Some(entry),
            Entry::Resources { before: false, .. } => after = Some(entry),
            Entry::ProcessEnded { name, .. } => {
                violations.add(8, name, "ended without being killed");
            }
            _ => {}
        }
    }
    match left {
        None => violations.add(7, "run", "the queues were not inspected"),
        Some(keys) => keys
            .iter()
            .for_each(|key| violations.add(7, key, "is not empty")),
    }
    for (id, job) in &history.jobs {
        let longest = job.number("ttl").and_then(|ttl| i64::try_from(ttl).ok());
        let within = |ttl: &i64| *ttl > 0 && longest.is_some_and(|longest| *ttl <= longest);
        if !job.ttls.iter().all(within) {
            violations.add(12, id, format!("its keys live for {:?} s", job.ttls));
        }
    }
    match (before, after) {
        (Some(before), Some(after)) => {
            for (what, excess) in excess(before, after) {
                violations.add(12, &what, format!("{excess} more than before the load"));
            }
        }
        _ => violations.add(12, "run", "the idle stack was not measured"),
    }
}

/// What an idle stack holds now and did not hold before, above the allowance.
pub fn excess(before: &Entry, after: &Entry) -> Vec<(String, u64)> {
    let (
        Entry::Resources {
            clients: few,
            files: earlier,
            ..
        },
        Entry::Resources { clients, files, .. },
    ) = (before, after)
    else {
        return Vec::new();
    };
    let mut excess = Vec::new();
    let mut hold = |what: &str, before: u64, after: u64, spare: u64| {
        if after > before + spare {
            excess.push((what.to_owned(), after - before));
        }
    };
    hold("clients of Redis", *few, *clients, SPARE_CLIENTS);
    for (process, count) in files {
        let before = earlier.get(process).copied().unwrap_or_default();
        hold(
            &format!("open files of {process}"),
            before,
            *count,
            SPARE_FILES,
        );
    }
    excess
}
