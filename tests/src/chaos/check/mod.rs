//! The twelve invariants of the job engine, checked from the event log of a run.

mod clients;
mod ends;
mod limits;
mod order;
pub mod recovery;
pub mod rest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::log::{Entry, Event};

/// What was promised and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// 1 to 12, as numbered in the design.
    pub invariant: u8,
    /// The search, the fault or the process that it was seen at.
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

/// All of them.
pub fn violations(entries: &[Entry]) -> Vec<Violation> {
    let history = History::of(entries);
    let mut violations = Vec::new();
    for check in [
        ends::check,
        order::check,
        limits::check,
        rest::check,
        recovery::check,
        clients::check,
    ] {
        check(&history, &mut Complaints(&mut violations));
    }
    violations.sort_by_key(|violation| violation.invariant);
    violations
}

struct Complaints<'a>(&'a mut Vec<Violation>);

impl Complaints<'_> {
    fn add(&mut self, invariant: u8, id: &str, what: impl Into<String>) {
        self.0.push(Violation {
            invariant,
            id: id.to_owned(),
            what: what.into(),
        });
    }
}

/// The log, with what is looked up often at hand.
pub(super) struct History<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) lease: u64,
    most_attempts: u64,
    pub(super) jobs: BTreeMap<&'a str, Job<'a>>,
    pub(super) faults: Vec<Breakage<'a>>,
    /// When the last search had been posted.
    posts_end: u64,
}

pub(super) struct Job<'a> {
    pub(super) record: &'a Value,
    digest: u64,
    ttls: &'a [i64; 3],
    pub(super) control: &'a BTreeMap<String, String>,
    pub(super) events: &'a [Event],
}

#[derive(Clone, Copy)]
pub(super) struct Breakage<'a> {
    pub(super) name: &'a str,
    pub(super) target: &'a str,
    pub(super) from: u64,
    pub(super) until: u64,
}

impl<'a> History<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let mut history = Self {
            entries,
            lease: 0,
            most_attempts: 0,
            jobs: BTreeMap::new(),
            faults: Vec::new(),
            posts_end: 0,
        };
        for entry in entries {
            match entry {
                Entry::Run {
                    lease_ms,
                    most_attempts,
                    ..
                } => (history.lease, history.most_attempts) = (*lease_ms, *most_attempts),
                Entry::Posts { end } => history.posts_end = *end,
                Entry::Fault {
                    name,
                    target,
                    from,
                    until,
                } => history.faults.push(Breakage {
                    name,
                    target,
                    from: *from,
                    until: *until,
                }),
                Entry::Job {
                    id,
                    record,
                    digest,
                    ttls,
                    control,
                    events,
                } => {
                    let job = Job {
                        record,
                        digest: *digest,
                        ttls,
                        control,
                        events,
                    };
                    history.jobs.insert(id, job);
                }
                _ => {}
            }
        }
        history
    }

    /// Ids that a client was told, each once or more.
    pub(super) fn accepted(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Posted {
                status: Some(200 | 500 | 504),
                id: Some(id),
                ..
            } => Some(id.as_str()),
            _ => None,
        })
    }

    /// Log lines of workers that say `message`: who, and the line.
    pub(super) fn lines(&self, message: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let entries = self.entries.iter();
        entries.filter_map(move |entry| match entry {
            Entry::Line { worker, line } if field(line, "message") == message => {
                Some((worker.as_str(), line))
            }
            _ => None,
        })
    }
}

impl<'a> Job<'a> {
    pub(super) fn status(&self) -> &'a str {
        self.record["status"].as_str().unwrap_or_default()
    }

    /// A member of the record, or of the response in it.
    pub(super) fn member(&self, name: &str) -> &'a Value {
        match &self.record[name] {
            Value::Null => &self.record["result"][name],
            member => member,
        }
    }

    pub(super) fn number(&self, field: &str) -> Option<u64> {
        self.control.get(field)?.parse().ok()
    }

    pub(super) fn count(&self, kind: &str) -> u64 {
        let of_kind = self.events.iter().filter(|event| event.kind == kind);
        of_kind.count() as u64
    }
}

pub(super) fn is_terminal(kind: &str) -> bool {
    matches!(kind, "completed" | "failed")
}

/// A field of a log line, wherever the log's format puts it.
pub(super) fn field<'a>(line: &'a Value, name: &str) -> &'a Value {
    match &line[name] {
        Value::Null => &line["fields"][name],
        value => value,
    }
}
