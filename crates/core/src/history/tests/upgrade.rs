//! Two versions side by side: a version that knows only the first schema writes to a database of
//! this version, and this version reads the result.

use super::pages::{find_ids, list_ids, save_sessions, session_with, start_time, unfiltered};
use super::suite::on_both_databases;
use super::test_database::TestDatabase;
use crate::history::{History, Session};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

on_both_databases!(
    an_old_session_is_listed_at_once_and_found_after_summarising,
    an_older_version_can_replace_a_session_of_this_one,
    many_old_sessions_are_summarised_in_batches,
    an_unreadable_row_does_not_block_others,
);

/// Stores a session as a binary of schema 0001 does: the same upsert, with only its columns.
async fn store_as_old_version(
    place: &TestDatabase,
    id: Uuid,
    query: &str,
    at: DateTime<Utc>,
    result: &str,
) {
    let at = at.timestamp_micros();
    place
        .execute(&format!(
            "INSERT INTO sessions (id, owner, query, mode, status, error, error_code, created_at, completed_at, result)
             VALUES ('{id}', NULL, '{query}', 'deep', 'completed', NULL, NULL, {at}, {at}, '{result}')
             ON CONFLICT (id) DO UPDATE SET query = excluded.query, created_at = excluded.created_at,
             completed_at = excluded.completed_at, result = excluded.result
             WHERE sessions.created_at < excluded.created_at"
        ))
        .await;
}

async fn summarise_all(history: &dyn History) -> Vec<usize> {
    let mut batches = Vec::new();
    loop {
        match history.summarise().await.unwrap() {
            0 => return batches,
            batch => batches.push(batch),
        }
    }
}

async fn an_old_session_is_listed_at_once_and_found_after_summarising(place: TestDatabase) {
    let history = place.open().await;
    let id = Uuid::new_v4();
    let result = r#"{"answer":"Tall.","sources":[{"title":"t"}]}"#;
    store_as_old_version(&place, id, "lighthouse", start_time(), result).await;
    let page = history.page(&unfiltered()).await.unwrap();
    let listed = &page.sessions[0];
    assert_eq!(
        (listed.id, &listed.excerpt, listed.source_count),
        (id, &None, None)
    );
    assert!(find_ids(history.as_ref(), "lighthouse").await.is_empty());

    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    let page = history.page(&unfiltered()).await.unwrap();
    let listed = &page.sessions[0];
    assert_eq!(listed.excerpt.as_deref(), Some("Tall."));
    assert_eq!(listed.source_count, Some(1));
    assert_eq!(find_ids(history.as_ref(), "lighthouse tall").await, [id]);
}

async fn an_older_version_can_replace_a_session_of_this_one(place: TestDatabase) {
    let history = place.open().await;
    let first = session_with("lighthouse", "old", start_time());
    history.save(&first).await.unwrap();
    let later = start_time() + TimeDelta::days(1);
    store_as_old_version(&place, first.id, "windmill", later, r#"{"answer":"new"}"#).await;
    // The summary of the first session is not shown for the second.
    assert!(find_ids(history.as_ref(), "lighthouse").await.is_empty());
    let page = history.page(&unfiltered()).await.unwrap();
    assert_eq!(page.sessions[0].excerpt, None);

    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    assert_eq!(find_ids(history.as_ref(), "windmill new").await, [first.id]);
    assert!(find_ids(history.as_ref(), "lighthouse").await.is_empty());
}

async fn many_old_sessions_are_summarised_in_batches(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 410).await;
    place.execute("DELETE FROM session_summaries").await;
    let other = place.open().await;
    assert_eq!(summarise_all(history.as_ref()).await, [200, 200, 10]);
    assert_eq!(summarise_all(other.as_ref()).await, [0; 0]);
    assert_eq!(
        find_ids(history.as_ref(), "question").await,
        expected[..100]
    );
}

async fn an_unreadable_row_does_not_block_others(place: TestDatabase) {
    let history = place.open().await;
    let broken = Uuid::new_v4();
    store_as_old_version(&place, broken, "lighthouse", start_time(), "{").await;
    let whole: Session = session_with("lighthouse", "", start_time() + TimeDelta::seconds(1));
    history.save(&whole).await.unwrap();
    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    assert_eq!(
        list_ids(history.as_ref(), &unfiltered()).await,
        [whole.id, broken]
    );
    assert_eq!(
        find_ids(history.as_ref(), "light").await,
        [whole.id, broken]
    );
}
