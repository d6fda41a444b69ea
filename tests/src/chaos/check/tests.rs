//! Proves that each check can fail: one log without violations, and one log per invariant that
//! violates it.

use std::collections::BTreeSet;

use serde_json::json;

use super::sample::{
    START, completed, event, fault, good, job, level, line, parts, posted, retry, started,
};
use super::{Violation, violations};
use crate::chaos::log::{Entry, Event};

/// Changes the good log; returns the violations.
fn broken(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<Violation> {
    let mut log = good();
    change(&mut log);
    violations(&log)
}

/// Changes the search `id`.
fn in_job(log: &mut [Entry], id: &str, change: impl FnOnce(&mut Entry)) {
    let is_it = |entry: &&mut Entry| matches!(entry, Entry::Job { id: known, .. } if known == id);
    change(log.iter_mut().find(is_it).unwrap());
}

fn with_events(log: &mut [Entry], id: &str, change: impl FnOnce(&mut Vec<Event>)) {
    in_job(log, id, |entry| {
        if let Entry::Job { events, .. } = entry {
            change(events);
        }
    });
}

#[track_caller]
fn is_caught(invariant: u8, id: &str, change: impl FnOnce(&mut Vec<Entry>)) {
    let found = broken(change);
    let caught = |violation: &&Violation| violation.invariant == invariant && violation.id == id;
    assert!(
        found.iter().any(|violation| caught(&violation)),
        "{found:?}"
    );
}

#[test]
fn a_good_log_has_no_violations() {
    assert_eq!(violations(&good()), []);
}

#[test]
fn invariant_1_an_accepted_search_without_a_record_is_caught() {
    is_caught(1, "c", |log| {
        log.push(posted("k-c", "t3x", "first", Some(200), Some("c")));
    });
}

#[test]
fn invariant_1_a_search_that_has_not_ended_is_caught() {
    is_caught(1, "b", |log| {
        in_job(log, "b", |entry| {
            if let Entry::Job { record, .. } = entry {
                record["status"] = "processing".into();
            }
        });
    });
}

#[test]
fn invariant_1_a_search_that_ends_too_late_is_caught() {
    is_caught(1, "b", |log| {
        with_events(log, "b", |events| {
            events[1] = event(100_001, "failed", json!({}))
        });
    });
}

#[test]
fn invariant_2_a_search_that_ends_twice_is_caught() {
    is_caught(2, "a", |log| {
        with_events(log, "a", |events| {
            events.push(event(5000, "completed", json!({})))
        });
    });
}

#[test]
fn invariant_2_a_record_that_changes_after_its_end_is_caught() {
    is_caught(2, "a", |log| {
        let (id, digest) = ("a".to_owned(), 8);
        log.push(Entry::Ended { id, digest });
    });
}

#[test]
fn invariant_3_a_result_of_an_older_attempt_is_caught() {
    is_caught(3, "a", |log| {
        in_job(log, "a", |entry| {
            if let Entry::Job { record, .. } = entry {
                record["result"]["attempt"] = 1.into();
            }
        });
    });
}

#[test]
fn invariant_3_a_worker_that_ends_a_search_taken_over_by_another_is_caught() {
    is_caught(3, "a", |log| {
        log.push(line(
            "worker-0",
            "ended",
            "a",
            ("ended", json!("Completed")),
        ));
    });
}

#[test]
fn invariant_3_an_event_of_an_ended_attempt_is_caught() {
    is_caught(3, "a", |log| {
        with_events(log, "a", |events| {
            events.insert(3, event(4005, "text", json!({})))
        });
    });
}

#[test]
fn invariant_4_a_transition_that_is_not_in_the_design_is_caught() {
    is_caught(4, "b", |log| {
        with_events(log, "b", |events| events.insert(0, retry(5)));
    });
}

#[test]
fn invariant_5_two_workers_at_once_are_caught() {
    is_caught(5, "b", |log| {
        with_events(log, "b", |events| {
            events.insert(1, started(50, 2, "worker-2"))
        });
    });
}

#[test]
fn invariant_6_too_many_attempts_and_crashes_are_caught() {
    for (field, count) in [("attempt", "5"), ("crashes", "4")] {
        is_caught(6, "a", |log| {
            in_job(log, "a", |entry| {
                if let Entry::Job { control, .. } = entry {
                    control.insert(field.into(), count.into());
                }
            });
        });
    }
}

#[test]
fn invariant_6_an_execution_without_an_event_is_caught() {
    is_caught(6, "b", |log| {
        log.push(line("worker-0", "started", "b", ("attempt", json!(1))));
    });
}

#[test]
fn invariant_7_a_leftover_queue_entry_is_caught() {
    is_caught(7, "{search}:queue:deep: b", |log| {
        let keys = vec!["{search}:queue:deep: b".to_owned()];
        log.push(Entry::Leftovers { keys });
    });
}

#[test]
fn invariant_8_a_search_that_is_taken_over_too_late_is_caught() {
    is_caught(8, "a", |log| {
        with_events(log, "a", |events| {
            events[2] = retry(50_000);
            events[3] = started(50_010, 2, "worker-1");
            events[4] = event(50_020, "text", json!({}));
            events[5] = event(50_030, "completed", json!({}));
        });
    });
}

#[test]
fn invariant_8_an_outage_without_a_recovery_is_caught() {
    is_caught(8, "any", |log| {
        log.push(fault("kill_redis", "redis", 4500, 4600));
        log.push(Entry::Posts {
            end: START + 20_000,
        });
    });
}

#[test]
fn invariant_9_a_cancelled_search_that_completes_is_caught() {
    is_caught(9, "b", |log| {
        in_job(log, "b", |entry| {
            if let Entry::Job { record, .. } = entry {
                *record = completed("b", "t2x", 1);
            }
        });
    });
}

#[test]
fn invariant_9_a_cancelled_search_that_keeps_calling_engines_is_caught() {
    is_caught(9, "b", |log| {
        let (at, token) = (START + 6200, "t2x".into());
        log.push(Entry::EngineCalled { at, token });
    });
}

#[test]
fn invariant_10_a_key_with_two_searches_is_caught() {
    is_caught(10, "k-a", |log| {
        log.push(posted("k-a", "t1x", "first", Some(200), Some("b")));
    });
}

#[test]
fn invariant_10_a_key_that_accepts_another_body_or_refuses_its_own_is_caught() {
    for (body, status, id) in [("other", 200, Some("a")), ("first", 409, None)] {
        is_caught(10, "k-a", |log| {
            log.push(posted("k-a", "t1x", body, Some(status), id));
        });
    }
}

#[test]
fn invariant_10_a_key_that_is_run_twice_is_caught() {
    is_caught(10, "k-a", |log| {
        let events = vec![
            started(10, 1, "worker-1"),
            event(20, "completed", json!({})),
        ];
        log.push(job("c", completed("c", "t1x", 1), 1, 0, events));
    });
}

#[test]
fn invariant_11_parts_that_are_not_the_whole_are_caught() {
    is_caught(11, "b", |log| {
        log.push(parts("b", "1000010-0", &["1000010-0"], &[]));
    });
}

#[test]
fn invariant_11_an_event_after_the_end_is_caught() {
    is_caught(11, "b", |log| {
        with_events(log, "b", |events| {
            events.push(event(300, "text", json!({})))
        });
    });
}

#[test]
fn invariant_12_a_key_without_expiry_is_caught() {
    is_caught(12, "a", |log| {
        in_job(log, "a", |entry| {
            if let Entry::Job { ttls, .. } = entry {
                ttls[2] = -1;
            }
        });
    });
}

#[test]
fn invariant_12_a_stack_that_holds_more_than_before_is_caught() {
    for (clients, files, what) in [
        (60, 31, "clients of Redis"),
        (22, 99, "open files of api 0"),
    ] {
        is_caught(12, what, |log| log.push(level(false, clients, files)));
    }
}

#[test]
fn every_invariant_has_a_log_that_violates_it() {
    let source = include_str!("tests.rs");
    let tested: BTreeSet<u8> = source
        .split("fn invariant_")
        .filter_map(|rest| rest.split('_').next()?.parse().ok())
        .collect();
    assert!(tested.into_iter().eq(1..=12));
}
