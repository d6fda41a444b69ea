//! The event log, indexed for the checks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chaos::log::{Entry, Event};

/// The log, with indexes for frequent look-ups.
pub(in crate::chaos) struct History<'a> {
    pub(in crate::chaos) entries: &'a [Entry],
    pub(in crate::chaos) lease: u64,
    pub(super) max_attempts: u64,
    pub(in crate::chaos) jobs: BTreeMap<&'a str, Job<'a>>,
    pub(in crate::chaos) faults: Vec<FaultSpan<'a>>,
    /// When the last search was posted.
    pub(super) posts_end: u64,
}

pub(in crate::chaos) struct Job<'a> {
    pub(in crate::chaos) record: &'a Value,
    pub(super) digest: u64,
    pub(super) ttls: &'a [i64; 3],
    pub(in crate::chaos) control: &'a BTreeMap<String, String>,
    pub(in crate::chaos) events: &'a [Event],
}

#[derive(Clone, Copy)]
pub(in crate::chaos) struct FaultSpan<'a> {
    pub(in crate::chaos) name: &'a str,
    pub(in crate::chaos) target: &'a str,
    pub(in crate::chaos) from: u64,
    pub(in crate::chaos) until: u64,
}

impl<'a> History<'a> {
    pub(in crate::chaos) fn new(entries: &'a [Entry]) -> Self {
        let mut history = Self {
            entries,
            lease: 0,
            max_attempts: 0,
            jobs: BTreeMap::new(),
            faults: Vec::new(),
            posts_end: 0,
        };
        for entry in entries {
            match entry {
                Entry::Run {
                    lease_ms,
                    max_attempts,
                    ..
                } => (history.lease, history.max_attempts) = (*lease_ms, *max_attempts),
                Entry::Posts { end } => history.posts_end = *end,
                Entry::Fault {
                    name,
                    target,
                    from,
                    until,
                } => history.faults.push(FaultSpan {
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

    /// Ids that a client received; an id may come more than once.
    pub(in crate::chaos) fn accepted(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Posted {
                status: Some(200 | 500 | 504),
                id: Some(id),
                ..
            } => Some(id.as_str()),
            _ => None,
        })
    }

    /// Log lines of workers with this `message`: the worker and the line.
    pub(in crate::chaos) fn lines(
        &self,
        message: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
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
    pub(in crate::chaos) fn status(&self) -> &'a str {
        self.record["status"].as_str().unwrap_or_default()
    }

    /// A field of the record, or of the response in it.
    pub(in crate::chaos) fn member(&self, name: &str) -> &'a Value {
        match &self.record[name] {
            Value::Null => &self.record["result"][name],
            member => member,
        }
    }

    pub(in crate::chaos) fn number(&self, field: &str) -> Option<u64> {
        self.control.get(field)?.parse().ok()
    }

    pub(in crate::chaos) fn count(&self, kind: &str) -> u64 {
        let of_kind = self.events.iter().filter(|event| event.kind == kind);
        of_kind.count() as u64
    }
}

pub(in crate::chaos) fn is_terminal(kind: &str) -> bool {
    matches!(kind, "completed" | "failed")
}

/// A field of a log line, at the top level or in `fields`.
pub(in crate::chaos) fn field<'a>(line: &'a Value, name: &str) -> &'a Value {
    match &line[name] {
        Value::Null => &line["fields"][name],
        value => value,
    }
}
