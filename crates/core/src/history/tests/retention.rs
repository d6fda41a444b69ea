//! Retention, on both databases.

use super::pages::{find_ids, list_ids, save_sessions, start_time, unfiltered};
use super::suite::on_both_databases;
use super::test_database::TestDatabase;
use crate::history::{History, Retention};
use chrono::TimeDelta;

on_both_databases!(
    without_retention_all_sessions_are_kept,
    sessions_beyond_the_age_are_deleted,
    the_newest_sessions_are_kept_up_to_the_maximum,
    many_sessions_are_deleted_in_batches,
    concurrent_pruning_deletes_no_more_than_one_worker_would,
);

async fn prune(history: &dyn History, keep: Retention, days_later: i64) -> usize {
    let now = start_time() + TimeDelta::days(days_later);
    let mut deleted = 0;
    loop {
        match history.prune(keep, now).await.unwrap() {
            0 => return deleted,
            batch => deleted += batch,
        }
    }
}

async fn without_retention_all_sessions_are_kept(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 3).await;
    assert_eq!(prune(history.as_ref(), Retention::default(), 9999).await, 0);
    assert_eq!(list_ids(history.as_ref(), &unfiltered()).await, expected);
}

async fn sessions_beyond_the_age_are_deleted(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 3).await;
    let keep = Retention {
        days: 7,
        max_sessions: 0,
    };
    // The oldest session is exactly as old as allowed.
    assert_eq!(prune(history.as_ref(), keep, 7).await, 0);
    let now = start_time() + TimeDelta::days(7) + TimeDelta::microseconds(1);
    assert_eq!(history.prune(keep, now).await.unwrap(), 1);
    assert_eq!(
        list_ids(history.as_ref(), &unfiltered()).await,
        expected[..2]
    );
    assert_eq!(prune(history.as_ref(), keep, 8).await, 2);
    assert!(find_ids(history.as_ref(), "question").await.is_empty());
}

async fn the_newest_sessions_are_kept_up_to_the_maximum(place: TestDatabase) {
    let history = place.open().await;
    let expected = save_sessions(history.as_ref(), 7).await;
    for (most, deleted, left) in [(7, 0, 7), (100, 0, 7), (5, 2, 5), (1, 4, 1)] {
        let keep = Retention {
            days: 0,
            max_sessions: most,
        };
        assert_eq!(prune(history.as_ref(), keep, 0).await, deleted, "{most}");
        assert_eq!(
            list_ids(history.as_ref(), &unfiltered()).await,
            expected[..left]
        );
    }
    // With both bounds the stricter one applies.
    let keep = Retention {
        days: 1,
        max_sessions: 1,
    };
    assert_eq!(prune(history.as_ref(), keep, 9).await, 1);
}

async fn many_sessions_are_deleted_in_batches(place: TestDatabase) {
    let history = place.open().await;
    save_sessions(history.as_ref(), 450).await;
    let keep = Retention {
        days: 0,
        max_sessions: 10,
    };
    let mut batches = Vec::new();
    loop {
        let batch = history.prune(keep, start_time()).await.unwrap();
        if batch == 0 {
            break;
        }
        batches.push(batch);
    }
    assert_eq!(batches, [200, 200, 40]);
    assert_eq!(list_ids(history.as_ref(), &unfiltered()).await.len(), 10);
}

async fn concurrent_pruning_deletes_no_more_than_one_worker_would(place: TestDatabase) {
    let histories = [place.open().await, place.open().await, place.open().await];
    let expected = save_sessions(histories[0].as_ref(), 30).await;
    let keep = Retention {
        days: 0,
        max_sessions: 20,
    };
    let rounds = histories
        .iter()
        .map(|history| prune(history.as_ref(), keep, 0));
    let deleted: usize = futures_util::future::join_all(rounds)
        .await
        .into_iter()
        .sum();
    assert_eq!(deleted, 10);
    assert_eq!(
        list_ids(histories[0].as_ref(), &unfiltered()).await,
        expected[..20]
    );
}
