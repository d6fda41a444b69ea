//! Compares docs/EVENTS.md, the event types and the scripts that write events.

use super::{Event, SearchResponse, StreamEvent, Turn};
use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

const EVENTS_MD: &str = include_str!("../../../../../docs/EVENTS.md");

/// The scripts that write lifecycle events.
const SCRIPTS: [&str; 6] = [
    include_str!("../../jobs/scripts/prelude.lua"),
    include_str!("../../jobs/scripts/claim.lua"),
    include_str!("../../jobs/scripts/fail.lua"),
    include_str!("../../jobs/scripts/inspect.lua"),
    include_str!("../../jobs/scripts/release.lua"),
    include_str!("../../jobs/scripts/finish.lua"),
];

/// The variants of an enum, from serde's error for an unknown one.
fn variant_names<T: serde::de::DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(r#"{"type":"?"}"#) else {
        panic!("an unknown event type was accepted");
    };
    let error = error.to_string();
    let (_, known) = error.split_once("expected one of ").unwrap();
    let known = known.split('`').skip(1).step_by(2);
    known.map(str::to_owned).collect()
}

fn response() -> String {
    let query = "What is Python?".to_owned();
    let response = SearchResponse::pending(Uuid::nil(), query, "speed", DateTime::UNIX_EPOCH);
    serde_json::to_string(&response).unwrap()
}

/// The type and the example in each row of the table.
fn rows() -> Vec<(&'static str, String)> {
    let rows = EVENTS_MD.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row
            .split(" | ")
            .map(|cell| cell.trim_matches(['|', ' ', '`']));
        let kind = cells.next().unwrap();
        // The page abbreviates the result.
        let example = cells.next().unwrap().replace("{…}", &response());
        (kind, example)
    })
    .collect()
}

#[test]
fn events_md_lists_exactly_the_event_types() {
    let all: BTreeSet<String> = &variant_names::<Event>() | &variant_names::<Turn>();
    assert_eq!(all.len(), 11, "{all:?}");
    let rows = rows();
    let listed: BTreeSet<String> = rows.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!((listed, rows.len()), (all, 11));
}

#[test]
fn each_example_of_events_md_has_all_members_of_its_type() {
    for (kind, example) in rows() {
        let shown: Value = serde_json::from_str(&example).expect(&example);
        assert_eq!(shown["type"], kind);
        let event: StreamEvent = serde_json::from_str(&example).expect(&example);
        let written = serde_json::to_value(event).unwrap();
        let members = |value: &Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(members(&shown), members(&written), "{kind}");
    }
}

#[test]
fn the_scripts_write_every_lifecycle_event_except_queued() {
    let calls = SCRIPTS
        .iter()
        .flat_map(|script| script.split("append_turn('").skip(1));
    let written: BTreeSet<String> = calls
        .filter_map(|rest| rest.split('\'').next())
        .map(str::to_owned)
        .collect();
    let first = BTreeSet::from(["queued".to_owned()]);
    assert_eq!(written, &variant_names::<Turn>() - &first);
}
