//! Full-text search and deletion, on both databases.

use super::pages::{find_ids, list_ids, save_sessions, session_with, start_time, unfiltered};
use super::suite::on_both_databases;
use super::test_database::TestDatabase;
use crate::history::{Session, SessionFilter};
use chrono::TimeDelta;

on_both_databases!(
    words_match_in_question_and_answer,
    a_text_without_words_matches_nothing,
    hostile_text_is_not_interpreted,
    a_long_answer_is_listed_and_found,
    a_later_session_with_the_same_id_replaces_the_listed_one,
    a_deleted_session_is_neither_listed_nor_found,
    a_session_saved_again_after_deletion_is_complete,
    concurrent_delete_and_save_both_succeed,
);

async fn words_match_in_question_and_answer(place: TestDatabase) {
    let history = place.open().await;
    let cafe = session_with(
        "Où est le Café de l'Étoile?",
        "In Łódź; open since 1907.",
        start_time(),
    );
    let tokyo = session_with(
        "東京タワーの高さは?",
        "333 m",
        start_time() + TimeDelta::seconds(1),
    );
    let http = session_with(
        "curl https://docs.example.org/a-b_c",
        "3.11",
        start_time() + TimeDelta::seconds(2),
    );
    for session in [&cafe, &tokyo, &http] {
        history.save(session).await.unwrap();
    }
    for (text, expected) in [
        ("café", vec![cafe.id]),
        ("CAFE etoile", vec![cafe.id]),
        ("1907 café", vec![cafe.id]),
        ("éto", vec![cafe.id]),
        ("łódź", vec![cafe.id]),
        ("toile", vec![]),
        ("et", vec![]),
        ("cafe tokyo", vec![]),
        ("高さ", vec![tokyo.id]),
        ("東京", vec![tokyo.id]),
        ("333", vec![tokyo.id]),
        ("example.org", vec![http.id]),
        ("a-b", vec![http.id]),
        ("3.11", vec![http.id]),
        ("https", vec![http.id]),
    ] {
        assert_eq!(find_ids(history.as_ref(), text).await, expected, "{text}");
    }
}

async fn a_text_without_words_matches_nothing(place: TestDatabase) {
    let history = place.open().await;
    save_sessions(history.as_ref(), 1).await;
    for text in ["", "  ", "?!", "🦀", "\0"] {
        assert!(
            find_ids(history.as_ref(), text).await.is_empty(),
            "{text:?}"
        );
    }
}

async fn hostile_text_is_not_interpreted(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 1).await;
    for text in [
        "question'; DROP TABLE sessions; --",
        "\"question\" OR \"answer",
        "question & !answer | ' :* <-> (",
        "question NEAR(answer) ^ - * {words} : x",
        "\\question\\' $1 ?",
        "que\0stion",
    ] {
        let outcome = history
            .page(&SessionFilter {
                text: Some(text.to_owned()),
                ..unfiltered()
            })
            .await;
        outcome.unwrap();
    }
    assert_eq!(list_ids(history.as_ref(), &unfiltered()).await, expected);
}

async fn a_long_answer_is_listed_and_found(place: TestDatabase) {
    let history = place.open().await;
    // More words than are indexed, and one word longer than the limit.
    let answer: Vec<String> = (0..200_000).map(|number| format!("w{number:x}")).collect();
    let answer = format!("{} {}", "x".repeat(5000), answer.join(" "));
    let long = session_with("endless", &answer, start_time());
    history.save(&long).await.unwrap();
    assert_eq!(find_ids(history.as_ref(), "endless w1f").await, [long.id]);
    assert_eq!(
        find_ids(history.as_ref(), &"x".repeat(5000)).await,
        [long.id]
    );
}

async fn a_later_session_with_the_same_id_replaces_the_listed_one(place: TestDatabase) {
    let history = place.open().await;
    let first = session_with("lighthouse", "old", start_time());
    let second = Session {
        id: first.id,
        ..session_with("windmill", "new", start_time() + TimeDelta::days(1))
    };
    for session in [&first, &second, &first] {
        history.save(session).await.unwrap();
    }
    assert_eq!(find_ids(history.as_ref(), "windmill new").await, [first.id]);
    assert!(find_ids(history.as_ref(), "lighthouse").await.is_empty());
    let page = history.page(&unfiltered()).await.unwrap();
    assert_eq!(page.sessions.len(), 1);
    assert_eq!(page.sessions[0].excerpt.as_deref(), Some("new"));
}

async fn a_deleted_session_is_neither_listed_nor_found(place: TestDatabase) {
    let history = place.open().await;
    let kept = session_with("lighthouse one", "", start_time());
    let deleted = session_with("lighthouse two", "", start_time() + TimeDelta::seconds(1));
    for session in [&kept, &deleted] {
        history.save(session).await.unwrap();
    }
    assert!(history.delete(deleted.id).await.unwrap());
    assert!(!history.delete(deleted.id).await.unwrap());
    assert!(history.get(deleted.id).await.unwrap().is_none());
    assert_eq!(list_ids(history.as_ref(), &unfiltered()).await, [kept.id]);
    assert_eq!(find_ids(history.as_ref(), "lighthouse").await, [kept.id]);
    assert!(find_ids(history.as_ref(), "two").await.is_empty());
    assert_eq!(history.summarise().await.unwrap(), 0);
}

async fn a_session_saved_again_after_deletion_is_complete(place: TestDatabase) {
    let history = place.open().await;
    let session = session_with("lighthouse", "tall", start_time());
    for _ in 0..2 {
        history.save(&session).await.unwrap();
        assert_eq!(find_ids(history.as_ref(), "tall").await, [session.id]);
        assert!(history.delete(session.id).await.unwrap());
        assert!(find_ids(history.as_ref(), "tall").await.is_empty());
    }
}

async fn concurrent_delete_and_save_both_succeed(place: TestDatabase) {
    let history = place.open().await;
    let session = session_with("lighthouse", "", start_time());
    for _ in 0..30 {
        let (saved, deleted) = tokio::join!(history.save(&session), history.delete(session.id));
        saved.unwrap();
        deleted.unwrap();
    }
}
