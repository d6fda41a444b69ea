//! The session list, on both databases.

use super::suite::{on_both_databases, session};
use super::test_database::TestDatabase;
use crate::history::{Cursor, History, Outcome, Page, Session, SessionFilter};
use crate::mode::Mode;
use crate::schema::Status;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{json, value::to_raw_value};
use uuid::Uuid;

on_both_databases!(
    an_empty_history_is_an_empty_page,
    the_list_is_newest_first_with_the_fields_of_a_summary,
    pages_have_no_gap_and_no_repeat,
    sessions_of_the_same_time_are_each_on_one_page,
    a_cursor_stays_valid_when_sessions_are_added_and_deleted,
    a_page_can_begin_at_a_time,
    filters_can_be_combined,
);

pub(super) fn session_with(query: &str, answer: &str, at: DateTime<Utc>) -> Session {
    let result = json!({"query": query, "answer": answer, "sources": [{}, {}]});
    Session {
        id: Uuid::new_v4(),
        query: query.to_owned(),
        result: Some(to_raw_value(&result).unwrap()),
        created_at: at,
        completed_at: at + TimeDelta::seconds(9),
        ..session()
    }
}

pub(super) fn start_time() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap()
}

pub(super) fn unfiltered() -> SessionFilter {
    SessionFilter {
        limit: 100,
        ..SessionFilter::default()
    }
}

pub(super) async fn list_ids(history: &dyn History, wanted: &SessionFilter) -> Vec<Uuid> {
    let page = history.page(wanted).await.unwrap();
    page.sessions.iter().map(|listed| listed.id).collect()
}

pub(super) async fn find_ids(history: &dyn History, text: &str) -> Vec<Uuid> {
    let text = Some(text.to_owned());
    list_ids(
        history,
        &SessionFilter {
            text,
            ..unfiltered()
        },
    )
    .await
}

/// Saves `count` sessions, one second apart; returns their ids, newest first.
pub(super) async fn save_sessions(history: &dyn History, count: i64) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for number in 0..count {
        let at = start_time() + TimeDelta::seconds(number);
        let session = session_with(&format!("question {number}"), "answer", at);
        history.save(&session).await.unwrap();
        ids.insert(0, session.id);
    }
    ids
}

async fn pages(history: &dyn History, limit: u16) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let before = pages.last().and_then(|page| page.next);
        let page = history
            .page(&SessionFilter {
                limit,
                before,
                ..unfiltered()
            })
            .await
            .unwrap();
        pages.push(page);
        if pages.last().unwrap().next.is_none() {
            return pages;
        }
    }
}

fn session_ids(pages: &[Page]) -> Vec<Uuid> {
    let listed = pages.iter().flat_map(|page| &page.sessions);
    listed.map(|listed| listed.id).collect()
}

async fn an_empty_history_is_an_empty_page(place: TestDatabase) {
    let history = place.open().await;
    let page = history.page(&unfiltered()).await.unwrap();
    assert_eq!((page.sessions.len(), page.next), (0, None));
}

async fn the_list_is_newest_first_with_the_fields_of_a_summary(place: TestDatabase) {
    let history = place.open().await;
    let answered = session_with("What is Rust?", &"né🦀 ".repeat(100), start_time());
    let failed = Session {
        status: Status::Failed,
        mode: Mode::Speed,
        result: None,
        error_code: Some("no_sources".to_owned()),
        ..session_with("What is Iron?", "", start_time() + TimeDelta::seconds(1))
    };
    for session in [&answered, &failed] {
        history.save(session).await.unwrap();
    }
    let page = history.page(&unfiltered()).await.unwrap();
    let [first, second] = page.sessions.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!((first.id, second.id), (failed.id, answered.id));
    assert_eq!((first.mode, first.status), (Mode::Speed, Status::Failed));
    assert_eq!(first.error_code.as_deref(), Some("no_sources"));
    assert_eq!((&first.excerpt, first.source_count), (&None, Some(0)));
    assert_eq!(second.query, "What is Rust?");
    assert_eq!(second.created_at, answered.created_at);
    assert_eq!(second.completed_at, answered.completed_at);
    assert_eq!(second.source_count, Some(2));
    let excerpt = second.excerpt.as_deref().unwrap();
    assert_eq!(excerpt, format!("{}…", "né🦀 ".repeat(50)));
}

async fn pages_have_no_gap_and_no_repeat(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 12).await;
    for (limit, count) in [(1, 12), (5, 3), (6, 2), (100, 1)] {
        let pages = pages(history.as_ref(), limit).await;
        assert_eq!(
            (pages.len(), session_ids(&pages)),
            (count, expected.clone())
        );
    }
}

async fn sessions_of_the_same_time_are_each_on_one_page(place: TestDatabase) {
    let history = place.open().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        let session = session_with("the same moment", "", start_time());
        history.save(&session).await.unwrap();
        expected.push(session.id);
    }
    expected.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(session_ids(&pages(history.as_ref(), 2).await), expected);
}

async fn a_cursor_stays_valid_when_sessions_are_added_and_deleted(place: TestDatabase) {
    let history = place.open().await;
    let ids_before = save_sessions(history.as_ref(), 6).await;
    let first = history
        .page(&SessionFilter {
            limit: 3,
            ..unfiltered()
        })
        .await
        .unwrap();
    // Delete the session of the cursor, and add a newer one.
    assert!(history.delete(ids_before[2]).await.unwrap());
    let new = session_with("new", "", start_time() + TimeDelta::days(1));
    history.save(&new).await.unwrap();
    let rest = SessionFilter {
        before: first.next,
        ..unfiltered()
    };
    assert_eq!(list_ids(history.as_ref(), &rest).await, ids_before[3..]);
}

async fn a_page_can_begin_at_a_time(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 4).await;
    let time = start_time() + TimeDelta::seconds(2);
    let before: Cursor = time.to_rfc3339().parse().unwrap();
    let earlier = SessionFilter {
        before: Some(before),
        ..unfiltered()
    };
    assert_eq!(list_ids(history.as_ref(), &earlier).await, expected[2..]);
}

async fn filters_can_be_combined(place: TestDatabase) {
    let history = place.open().await;
    let mut by = Vec::new();
    for (second, owner, mode, error_code) in [
        (0, Some("a"), Mode::Deep, None),
        (1, Some("b"), Mode::Deep, Some("timeout")),
        (2, None, Mode::Speed, Some("cancelled")),
        (3, Some("a"), Mode::Speed, None),
    ] {
        let session = Session {
            owner: owner.map(str::to_owned),
            mode,
            status: error_code.map_or(Status::Completed, |_| Status::Failed),
            error_code: error_code.map(str::to_owned),
            ..session_with("lighthouse", "", start_time() + TimeDelta::seconds(second))
        };
        history.save(&session).await.unwrap();
        by.push(session.id);
    }
    let (owner, mode, ending) = (None, None, None);
    let a = Some("a".to_owned());
    for (wanted, expected) in [
        (
            SessionFilter {
                mode: Some(Mode::Deep),
                ..unfiltered()
            },
            vec![1, 0],
        ),
        (
            SessionFilter {
                outcome: Some(Outcome::Completed),
                ..unfiltered()
            },
            vec![3, 0],
        ),
        (
            SessionFilter {
                outcome: Some(Outcome::Failed),
                ..unfiltered()
            },
            vec![2, 1],
        ),
        (
            SessionFilter {
                outcome: Some(Outcome::Cancelled),
                ..unfiltered()
            },
            vec![2],
        ),
        (
            SessionFilter {
                owner: a.clone(),
                ..unfiltered()
            },
            vec![3, 0],
        ),
        (
            SessionFilter {
                owner: a.clone(),
                mode: Some(Mode::Deep),
                ..unfiltered()
            },
            vec![0],
        ),
        (
            SessionFilter {
                outcome: Some(Outcome::Cancelled),
                mode: Some(Mode::Deep),
                ..unfiltered()
            },
            vec![],
        ),
        (
            SessionFilter {
                owner,
                mode,
                outcome: ending,
                ..unfiltered()
            },
            vec![3, 2, 1, 0],
        ),
        (
            SessionFilter {
                owner: a,
                mode: Some(Mode::Speed),
                outcome: Some(Outcome::Completed),
                text: Some("light".to_owned()),
                before: Some("2100-01-01T00:00:00Z".parse().unwrap()),
                limit: 1,
            },
            vec![3],
        ),
    ] {
        let expected: Vec<Uuid> = expected.into_iter().map(|at: usize| by[at]).collect();
        assert_eq!(
            list_ids(history.as_ref(), &wanted).await,
            expected,
            "{wanted:?}"
        );
    }
}
