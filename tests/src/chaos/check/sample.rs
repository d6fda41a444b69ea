//! An event log without violations, and functions to build one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::chaos::log::{Entry, Event};

pub(super) const START: u64 = 1_000_000;
pub(super) const DEADLINE: u64 = START + 60_000;

pub(super) fn event(after: u64, kind: &str, data: Value) -> Event {
    Event {
        id: format!("{}-0", START + after),
        kind: kind.into(),
        data,
    }
}

pub(super) fn started(after: u64, attempt: u64, worker: &str) -> Event {
    event(
        after,
        "started",
        json!({"attempt": attempt, "worker": worker}),
    )
}

pub(super) fn retry(after: u64) -> Event {
    event(after, "retry", json!({"error": "lost", "pause_ms": 0}))
}

pub(super) fn posted(
    key: &str,
    token: &str,
    body: &str,
    status: Option<u16>,
    id: Option<&str>,
) -> Entry {
    Entry::Posted {
        at: START,
        answered: START + 5,
        token: token.into(),
        key: Some(key.into()),
        body: body.into(),
        status,
        id: id.map(str::to_owned),
    }
}

pub(super) fn fault(name: &str, target: &str, from: u64, until: u64) -> Entry {
    Entry::Fault {
        name: name.into(),
        target: target.into(),
        from: START + from,
        until: START + until,
    }
}

pub(super) fn line(worker: &str, message: &str, id: &str, more: (&str, Value)) -> Entry {
    let mut line = json!({"message": message, "session_id": id});
    line[more.0] = more.1;
    Entry::Line {
        worker: worker.into(),
        line,
    }
}

/// The final record of a search.
pub(super) fn job(
    id: &str,
    record: Value,
    attempt: u64,
    crashes: u64,
    events: Vec<Event>,
) -> Entry {
    let mut control = BTreeMap::new();
    for (name, value) in [
        ("attempt", attempt),
        ("crashes", crashes),
        ("created", START),
        ("deadline", DEADLINE),
        ("expires", DEADLINE),
        ("ttl", 86_400),
    ] {
        control.insert(name.to_owned(), value.to_string());
    }
    Entry::Job {
        id: id.into(),
        record,
        digest: 7,
        ttls: [86_000; 3],
        control,
        events,
    }
}

pub(super) fn completed(id: &str, token: &str, attempt: u64) -> Value {
    let query = format!("What is gather {token}?");
    json!({"status": "completed", "error": null, "version": 1,
           "result": {"session_id": id, "query": query, "attempt": attempt}})
}

pub(super) fn cancelled(id: &str, token: &str, attempt: u64) -> Value {
    json!({"status": "failed", "result": null, "session_id": id, "attempt": attempt,
           "query": format!("What is gather {token}?"), "cancelled": true})
}

pub(super) fn parts(id: &str, after: &str, first: &[&str], second: &[&str]) -> Entry {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Entry::Parts {
        id: id.into(),
        after: after.into(),
        first: owned(first),
        second: owned(second),
    }
}

pub(super) fn level(before: bool, clients: u64, files: u64) -> Entry {
    Entry::Resources {
        before,
        clients,
        files: [("api 0".to_owned(), files)].into(),
    }
}

/// One search whose worker is killed, and one that is cancelled while it runs.
pub(super) fn good() -> Vec<Entry> {
    let taken_over = vec![
        started(10, 1, "worker-0"),
        event(20, "stage", json!({})),
        retry(4000),
        started(4010, 2, "worker-1"),
        event(4020, "text", json!({})),
        event(4030, "completed", json!({})),
    ];
    let stopped = vec![started(10, 1, "worker-1"), event(200, "failed", json!({}))];
    vec![
        Entry::Run {
            seed: 1,
            jobs: 2,
            lease_ms: 3000,
            max_attempts: 3,
        },
        level(true, 20, 30),
        posted("k-a", "t1x", "first", None, None),
        posted("k-a", "t1x", "first", Some(200), Some("a")),
        posted("k-a", "t1x", "first", Some(200), Some("a")),
        posted("k-a", "t1x", "other", Some(409), None),
        posted("k-b", "t2x", "first", Some(200), Some("b")),
        Entry::EngineCalled {
            at: START + 100,
            token: "t2x".into(),
        },
        Entry::Cancelled {
            at: START + 150,
            answered: START + 160,
            id: "b".into(),
            status: Some(200),
        },
        fault("kill_worker", "worker-0", 100, 105),
        Entry::Ended {
            id: "a".into(),
            digest: 7,
        },
        Entry::Posts { end: START + 5000 },
        line("worker-0", "started", "a", ("attempt", json!(1))),
        line("worker-1", "started", "a", ("attempt", json!(2))),
        line("worker-1", "ended", "a", ("ended", json!("Completed"))),
        Entry::Leftovers { keys: vec![] },
        job("a", completed("a", "t1x", 2), 2, 1, taken_over),
        job("b", cancelled("b", "t2x", 1), 1, 0, stopped),
        parts("b", "1000010-0", &["1000010-0"], &["1000200-0"]),
        level(false, 22, 31),
    ]
}
