//! Storing and opening, on both databases.

use super::test_database::TestDatabase;
use crate::history::connect::DatabaseTarget;
use crate::history::{HistoryError, Session, migrate};
use crate::mode::Mode;
use crate::schema::Status;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde_json::value::RawValue;
use uuid::Uuid;

pub(super) fn session() -> Session {
    Session {
        id: Uuid::new_v4(),
        owner: Some("team a".to_owned()),
        query: "¿qué es Rust? 🦀".to_owned(),
        mode: Mode::Deep,
        status: Status::Completed,
        result: Some(json(r#"{"b":1,  "a":{"z":"é\u0000🦀","y":1.50}}"#)),
        error: None,
        error_code: None,
        created_at: time(1_700_000_000_123_456),
        completed_at: time(1_700_000_009_000_001),
    }
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

/// Compares the debug forms, which show every byte: `RawValue` has no equality.
pub(super) fn assert_same(found: Option<&Session>, expected: &Session) {
    assert_eq!(format!("{:?}", found.unwrap()), format!("{expected:?}"));
}

/// Makes each test run once per database.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {$(
            #[tokio::test]
            async fn $name() { super::$name(super::TestDatabase::sqlite().await).await; }
        )+}
        mod on_postgres {$(
            #[tokio::test]
            async fn $name() { super::$name(super::TestDatabase::postgres().await).await; }
        )+}
    };
}
pub(super) use on_both_databases;

on_both_databases!(
    a_session_is_returned_byte_for_byte,
    a_failed_session_is_stored_with_its_error,
    a_result_of_a_megabyte_is_returned,
    an_unknown_id_is_none,
    saving_a_stored_session_again_changes_nothing,
    a_later_session_replaces_one_with_the_same_id,
    concurrent_saves_of_one_session_all_succeed,
    a_running_session_is_refused,
    a_nul_in_the_query_is_replaced,
    a_time_is_stored_to_the_microsecond,
    eight_processes_may_migrate_at_once,
    eight_processes_may_open_at_once,
    migrations_can_be_reverted_and_run_again,
    sessions_survive_reopening,
    a_dropped_call_leaves_the_pool_usable,
);

async fn a_session_is_returned_byte_for_byte(place: TestDatabase) {
    let history = place.open().await;
    let session = session();
    history.save(&session).await.unwrap();
    assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
}

async fn a_failed_session_is_stored_with_its_error(place: TestDatabase) {
    let history = place.open().await;
    let session = Session {
        owner: None,
        mode: Mode::Speed,
        status: Status::Failed,
        result: None,
        error: Some("cancelled by client".to_owned()),
        error_code: Some("cancelled".to_owned()),
        ..session()
    };
    history.save(&session).await.unwrap();
    assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
}

async fn a_result_of_a_megabyte_is_returned(place: TestDatabase) {
    let history = place.open().await;
    let session = Session {
        result: Some(json(&format!(
            r#"{{"answer":"{}"}}"#,
            "né🦀".repeat(150_000)
        ))),
        ..session()
    };
    history.save(&session).await.unwrap();
    let found = history.get(session.id).await.unwrap().unwrap();
    assert!(found.result.unwrap().get() == session.result.unwrap().get());
}

async fn an_unknown_id_is_none(place: TestDatabase) {
    let history = place.open().await;
    history.save(&session()).await.unwrap();
    assert!(history.get(Uuid::new_v4()).await.unwrap().is_none());
}

async fn saving_a_stored_session_again_changes_nothing(place: TestDatabase) {
    let history = place.open().await;
    let first = session();
    let second = Session {
        query: "another".to_owned(),
        ..first.clone()
    };
    history.save(&first).await.unwrap();
    history.save(&second).await.unwrap();
    assert_same(history.get(first.id).await.unwrap().as_ref(), &first);
}

async fn a_later_session_replaces_one_with_the_same_id(place: TestDatabase) {
    let history = place.open().await;
    let first = session();
    let second = Session {
        query: "another".to_owned(),
        status: Status::Failed,
        result: None,
        created_at: first.created_at + chrono::Duration::days(1),
        completed_at: first.completed_at + chrono::Duration::days(1),
        ..first.clone()
    };
    for saved in [&first, &second, &first] {
        history.save(saved).await.unwrap();
    }
    assert_same(history.get(first.id).await.unwrap().as_ref(), &second);
}

async fn concurrent_saves_of_one_session_all_succeed(place: TestDatabase) {
    let session = session();
    let processes = [place.open().await, place.open().await];
    let saves = (0..20).map(|i: usize| processes.get(i % 2).unwrap().save(&session));
    for outcome in join_all(saves).await {
        outcome.unwrap();
    }
    assert_same(
        place.open().await.get(session.id).await.unwrap().as_ref(),
        &session,
    );
}

async fn a_running_session_is_refused(place: TestDatabase) {
    let history = place.open().await;
    let session = Session {
        status: Status::Processing,
        ..session()
    };
    let error = history.save(&session).await.unwrap_err();
    assert!(matches!(error, HistoryError::Unfinished(id) if id == session.id));
    assert!(!error.is_transient());
}

async fn a_nul_in_the_query_is_replaced(place: TestDatabase) {
    let history = place.open().await;
    let session = Session {
        query: "a\0b".to_owned(),
        ..session()
    };
    history.save(&session).await.unwrap();
    let found = history.get(session.id).await.unwrap().unwrap();
    assert_eq!(found.query, "a\u{fffd}b");
}

async fn a_time_is_stored_to_the_microsecond(place: TestDatabase) {
    let history = place.open().await;
    let session = Session {
        created_at: DateTime::from_timestamp_nanos(1_700_000_000_123_456_789),
        ..session()
    };
    history.save(&session).await.unwrap();
    let found = history.get(session.id).await.unwrap().unwrap();
    assert_eq!(found.created_at, time(1_700_000_000_123_456));
}

async fn eight_processes_may_migrate_at_once(place: TestDatabase) {
    let target = DatabaseTarget::new(&place.url).unwrap();
    for outcome in join_all((0..8).map(|_| migrate::run(&target))).await {
        outcome.unwrap();
    }
    let session = session();
    place.open().await.save(&session).await.unwrap();
}

async fn eight_processes_may_open_at_once(place: TestDatabase) {
    let histories = join_all((0..8).map(|_| place.open())).await;
    let session = session();
    histories.first().unwrap().save(&session).await.unwrap();
    for history in &histories {
        history.ping().await.unwrap();
        assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
    }
}

async fn migrations_can_be_reverted_and_run_again(place: TestDatabase) {
    let lost = session();
    place.open().await.save(&lost).await.unwrap();
    place.revert().await;
    let history = place.open().await;
    assert!(history.get(lost.id).await.unwrap().is_none());
    history.save(&lost).await.unwrap();
}

async fn sessions_survive_reopening(place: TestDatabase) {
    let session = session();
    place.open().await.save(&session).await.unwrap();
    let found = place.open().await.get(session.id).await.unwrap();
    assert_same(found.as_ref(), &session);
}

async fn a_dropped_call_leaves_the_pool_usable(place: TestDatabase) {
    let history = place.open().await;
    let session = session();
    for _ in 0..50 {
        let save = history.save(&session);
        tokio::select! {
            biased;
            _ = save => {}
            () = tokio::task::yield_now() => {}
        }
    }
    history.save(&session).await.unwrap();
    assert_same(history.get(session.id).await.unwrap().as_ref(), &session);
}
