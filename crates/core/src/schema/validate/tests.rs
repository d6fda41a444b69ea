//! Compares with recorded answers of the replaced service; see tests/fixtures/old-service.

use super::*;
use crate::{mode::Mode, schema::SearchEngine};
use serde_json::{Value, json};

fn faults(body: &str) -> Value {
    let outcome = match parse_body(body.as_bytes()) {
        Ok(value) => search_request(&value).map(|_request| ()),
        Err(fault) => Err(vec![fault]),
    };
    serde_json::to_value(outcome.unwrap_err()).unwrap()
}

#[test]
fn faults_equal_those_of_the_old_service_word_for_word() {
    let recorded = include_str!("../../../../../tests/fixtures/old-service/validation.txt");
    let mut checked = 0;
    for case in recorded.split("--- /api/v1/search :: ").skip(1) {
        let mut lines = case.lines();
        let (request, answer) = (lines.next().unwrap(), lines.next().unwrap());
        let expected: Value = serde_json::from_str(answer).unwrap();
        // The message lists two engines that the old service did not have.
        if request.contains("bing") {
            continue;
        }
        assert_eq!(faults(request), expected["detail"], "{request}");
        checked += 1;
    }
    assert!(checked > 15, "only {checked} cases were found");
}

#[test]
fn the_length_of_a_query_is_counted_in_code_points_before_trimming() {
    let long = format!(" {} ", "ä".repeat(4998));
    assert_eq!(
        search_request(&json!({ "query": long }))
            .unwrap()
            .query
            .chars()
            .count(),
        4998
    );
    let longer = format!(" {} ", "ä".repeat(4999));
    let found = search_request(&json!({ "query": longer })).unwrap_err();
    assert_eq!(found[0].kind, "string_too_long");
}

#[test]
fn numbers_and_booleans_are_accepted_in_all_forms_of_the_old_service() {
    for value in [
        json!(10),
        json!(10.0),
        json!("10"),
        json!(" 10 "),
        json!("10.0"),
    ] {
        let request = search_request(&json!({ "query": "x", "max_sources": value })).unwrap();
        assert_eq!(request.max_sources, Some(10), "{value}");
    }
    for value in [
        json!(1),
        json!(1.0),
        json!("1"),
        json!("true"),
        json!("YES"),
        json!("on"),
        json!("T"),
    ] {
        assert!(
            search_request(&json!({ "query": "x", "async_mode": value }))
                .unwrap()
                .async_mode,
            "{value}"
        );
    }
    for value in [
        json!(0),
        json!("0"),
        json!("False"),
        json!("no"),
        json!("off"),
        json!("n"),
    ] {
        assert!(
            !search_request(&json!({ "query": "x", "cache": value }))
                .unwrap()
                .cache,
            "{value}"
        );
    }
}

#[test]
fn huge_numbers_are_reported_as_out_of_bounds() {
    for value in [
        json!(1e30),
        json!("99999999999999999999999"),
        json!(u64::MAX),
    ] {
        let found = search_request(&json!({ "query": "x", "timeout": value })).unwrap_err();
        assert_eq!(found[0].kind, "less_than_equal", "{value}");
    }
}

#[test]
fn missing_and_null_members_get_their_default() {
    let request =
        search_request(&json!({ "query": " What? ", "mode": null, "timeout": null, "unknown": 1 }))
            .unwrap();
    assert_eq!(
        request,
        crate::schema::SearchRequest::new("What?", Mode::Balanced)
    );
    assert_eq!(request.search_engine, SearchEngine::Auto);
}

#[test]
fn malformed_json_is_reported_with_its_position() {
    for (body, position) in [
        ("{\"query\":", 9),
        ("{\"query\" 1}", 9),
        ("{\n \"query\": nope}", 12),
        ("{\"query\":1} x", 12),
    ] {
        let found = faults(body);
        assert_eq!(found[0]["type"], "json_invalid");
        let at = found[0]["loc"][1].as_u64().unwrap();
        assert!(
            at.abs_diff(position) <= 2,
            "{body}: {at} instead of about {position}"
        );
    }
}

#[test]
fn invalid_utf8_is_reported_as_such() {
    let fault = parse_body(b"{\"query\":\"\xff\xfe\"}").unwrap_err();
    assert_eq!(fault.ctx, Some(json!({ "error": "Invalid UTF-8" })));
}

#[test]
fn a_malformed_session_id_is_described_as_in_the_old_service() {
    let error = uuid::Uuid::parse_str("abc").unwrap_err();
    let fault = serde_json::to_value(Fault::invalid_uuid("session_id", "abc", &error)).unwrap();
    let recorded = include_str!("../../../../../tests/fixtures/old-service/validation.txt");
    let answer = recorded
        .split("--- bad uuid\n")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let expected: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(json!([fault]), expected["detail"]);
}
