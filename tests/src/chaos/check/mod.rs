//! The twelve invariants of the job engine, checked from the event log of a run.

mod clients;
mod completion;
mod history;
pub mod leftovers;
mod limits;
mod order;
pub mod recovery;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::fmt;

use super::log::Entry;
pub(super) use history::{FaultSpan, History, Job, field, is_terminal};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// 1 to 12, as numbered in the design.
    pub invariant: u8,
    /// The search, the fault or the process concerned.
    pub id: String,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invariant,
            id,
            what,
        } = self;
        write!(formatter, "invariant {invariant}: {id}: {what}")
    }
}

/// The violations of all invariants.
pub fn violations(entries: &[Entry]) -> Vec<Violation> {
    let history = History::new(entries);
    let mut violations = Vec::new();
    for check in [
        completion::check,
        order::check,
        limits::check,
        leftovers::check,
        recovery::check,
        clients::check,
    ] {
        check(&history, &mut ViolationList(&mut violations));
    }
    violations.sort_by_key(|violation| violation.invariant);
    violations
}

struct ViolationList<'a>(&'a mut Vec<Violation>);

impl ViolationList<'_> {
    fn add(&mut self, invariant: u8, id: &str, what: impl Into<String>) {
        self.0.push(Violation {
            invariant,
            id: id.to_owned(),
            what: what.into(),
        });
    }
}
