//! Two versions side by side: a version that knows only the first schema writes to a database of
//! this version, and this version reads the result.

use super::pages::{all, asked, found, ids, saved, start};
use super::place::Place;
use super::suite::on_both;
use crate::history::{History, Session};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

on_both!(
    an_old_session_is_listed_at_once_and_found_after_summarising,
    an_older_version_can_replace_a_session_of_this_one,
    many_old_sessions_are_summarised_in_batches,
    an_unreadable_row_does_not_block_others,
);

/// Stores a session as a binary of schema 0001 does: the same upsert, with only its columns.
async fn store_as_old_version(
    place: &Place,
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

async fn an_old_session_is_listed_at_once_and_found_after_summarising(place: Place) {
    let history = place.open().await;
    let id = Uuid::new_v4();
    let result = r#"{"answer":"Tall.","sources":[{"title":"t"}]}"#;
    store_as_old_version(&place, id, "lighthouse", start(), result).await;
    let page = history.page(&all()).await.unwrap();
    let listed = &page.sessions[0];
    assert_eq!(
        (listed.id, &listed.excerpt, listed.source_count),
        (id, &None, None)
    );
    assert!(found(history.as_ref(), "lighthouse").await.is_empty());

    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    let page = history.page(&all()).await.unwrap();
    let listed = &page.sessions[0];
    assert_eq!(listed.excerpt.as_deref(), Some("Tall."));
    assert_eq!(listed.source_count, Some(1));
    assert_eq!(found(history.as_ref(), "lighthouse tall").await, [id]);
}

async fn an_older_version_can_replace_a_session_of_this_one(place: Place) {
    let history = place.open().await;
    let first = asked("lighthouse", "old", start());
    history.save(&first).await.unwrap();
    let later = start() + TimeDelta::days(1);
    store_as_old_version(&place, first.id, "windmill", later, r#"{"answer":"new"}"#).await;
    // The summary of the first session is not shown for the second.
    assert!(found(history.as_ref(), "lighthouse").await.is_empty());
    let page = history.page(&all()).await.unwrap();
    assert_eq!(page.sessions[0].excerpt, None);

    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    assert_eq!(found(history.as_ref(), "windmill new").await, [first.id]);
    assert!(found(history.as_ref(), "lighthouse").await.is_empty());
}

async fn many_old_sessions_are_summarised_in_batches(place: Place) {
    let history = place.open().await;
    let expected = saved(history.as_ref(), 410).await;
    place.execute("DELETE FROM session_summaries").await;
    let other = place.open().await;
    assert_eq!(summarise_all(history.as_ref()).await, [200, 200, 10]);
    assert_eq!(summarise_all(other.as_ref()).await, [0; 0]);
    assert_eq!(found(history.as_ref(), "question").await, expected[..100]);
}

async fn an_unreadable_row_does_not_block_others(place: Place) {
    let history = place.open().await;
    let broken = Uuid::new_v4();
    store_as_old_version(&place, broken, "lighthouse", start(), "{").await;
    let whole: Session = asked("lighthouse", "", start() + TimeDelta::seconds(1));
    history.save(&whole).await.unwrap();
    assert_eq!(summarise_all(history.as_ref()).await, [1]);
    assert_eq!(ids(history.as_ref(), &all()).await, [whole.id, broken]);
    assert_eq!(found(history.as_ref(), "light").await, [whole.id, broken]);
}
